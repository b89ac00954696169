"""A limit on work that takes long: some of it at once, some waiting, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NoPlace(Exception):
    """All places are taken, and so are those to wait at; or the wait was too long."""


class Place:
    """One of the places, for as long as its holder works; `has_waited` where it was waited for."""

    def __init__(self, places: Places, *, has_waited: bool) -> None:
        self.has_waited = has_waited
        self.places = places
        self._is_held = True

    async def move_to(self, places: Places) -> None:
        """Leaves it to others, and takes one of other places. Raises NoPlace."""
        self.give_back()
        await places.take()
        self.places, self._is_held = places, True

    def give_back(self) -> None:
        """Ends it, unless it has ended."""
        if self._is_held:
            self._is_held = False
            self.places.free_one()


class Places:
    """`at_once` may work at the same time, in the order in which they came.

    `waiting` others may wait for that, each for `seconds`; None is without a limit.
    """

    def __init__(
        self, at_once: int, waiting: int | None = None, seconds: float | None = None
    ) -> None:
        self._at_once = at_once
        self._free = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._seconds = seconds
        self._waiting = 0
        self._working = 0

    @property
    def taken(self) -> int:
        """How many are at work."""
        return self._working

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Place]:
        """A place for the block. Raises NoPlace."""
        place = Place(self, has_waited=await self.take())
        try:
            yield place
        finally:
            place.give_back()

    async def take(self) -> bool:
        """Takes a place, and says whether that had to be waited for. Raises NoPlace."""
        if not self._working and not self._waiting:
            # One belongs to the event loop in which somebody has waited for it, for good, and an
            # application may be used in several, one after the other, as by tests.
            self._free = asyncio.Semaphore(self._at_once)
        has_waited = self._free.locked()
        if has_waited:
            await self._wait()
        else:
            await self._free.acquire()
        self._working += 1
        return has_waited

    def free_one(self) -> None:
        """Gives back a place that was taken."""
        self._working -= 1
        self._free.release()

    async def _wait(self) -> None:
        if self._most_waiting is not None and self._waiting >= self._most_waiting:
            raise NoPlace
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise NoPlace from None
        finally:
            self._waiting -= 1
