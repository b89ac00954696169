"""One projection of one collection, kept up with the collection's log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from time import monotonic

from itemstore.domain.positions import key_of
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import ABOUT_BYTES, FIRST, Entry, size_of
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Ending, Follower, ProjectionFailed

TOO_LONG = 60.0
"""Seconds after which applying events is given up, and tried again, unless the follower has others
in `too_long`."""


class ProjectionAhead(Exception):
    """A projection is ahead of the log."""

    def __init__(self, projection: str, end: str) -> None:
        super().__init__(
            f"It has seen events from ahead of the log, which ends at {end}; rebuild {projection}."
        )


class Following:
    """Applies what a log gets to one projection.

    `position` is where that is, None where it has to be asked. What is applied says where the
    projection was before, so each event is applied exactly once, whoever else does the same.
    """

    def __init__(
        self,
        projection: str,
        follower: Follower,
        partition: Partition,
        pace: Pace,
    ) -> None:
        self.projection = projection
        self.partition = partition
        self.position: str | None = None
        self.is_busy = False
        self._follower = follower
        self._pace = pace
        self._too_long: float = getattr(follower, "too_long", TOO_LONG)
        self._recheck: float = getattr(follower, "recheck", pace.recheck)
        self._first = FIRST  # how many to read at first, going by how large the last ones were
        self._seen = ""  # the store's last position, from before the log was read to its end
        self._due = 0.0

    def wants_a_look(self, end: str) -> bool:
        """Whether its log may have more, in a store whose last position is `end`."""
        if self.is_busy:
            return False
        if monotonic() >= self._due or _is_before(end, self._seen):
            self.position = None
            return True
        return self.position is not None and self._seen != end

    def has_all(self, end: str) -> None:
        """Its log has no more, in a store whose last position was `end` before it was read."""
        self._seen = end

    def begin_again(self, seconds: float = 0.0) -> None:
        """Asks where the projection is, at the next look, or at the first one after a while."""
        self.position, self._due = None, monotonic() + seconds

    async def advance(self, end: str, applied: Callable[[int], bool]) -> None:
        """Applies what the log has got, in a store whose last position is `end`.

        `applied` is told how many events were, each time, and says whether to go on.

        Raises ProjectionAhead, ProjectionFailed, NotYet, LogUnavailable, LogBroken, LogFull.
        """
        position = await self._found_position()
        batch: list[Entry] = []
        size, ends = 0, []
        async with aclosing(
            self.partition.reader.slices(position, most=self._pace.at_once, first=self._first)
        ) as slices:
            async for entries in slices:
                batch += entries
                ends.append(entries[-1][0])
                size += size_of(entries)
                self._first = max(FIRST, min(self._pace.at_once, ABOUT_BYTES * len(batch) // size))
                if len(batch) < self._pace.enough and size < self._pace.enough_bytes:
                    continue
                if not (await self._apply(batch, position, ends) and applied(len(batch))):
                    self.begin_again()
                    return
                position, batch, size, ends = batch[-1][0].decode(), [], 0, []
        if batch:
            if not await self._apply(batch, position, ends):
                self.begin_again()  # somebody else went on
                return
            applied(len(batch))
            position = batch[-1][0].decode()
        self.position, self._seen, self._due = position, end, monotonic() + self._recheck

    async def close(self) -> None:
        """Ends what the projection holds open for it."""
        if isinstance(self._follower, Ending):
            await self._follower.close()

    async def _found_position(self) -> str:
        """Where the projection is. Raises ProjectionAhead where an older log came back without it.

        What comes next would be applied as if all before it had been. One that finds out itself
        where that is not so need not be asked each time.
        """
        if self.position is not None and getattr(self._follower, "knows_its_position", False):
            return self.position
        async with self._in_time("when it is asked for its position"):
            position = await self._follower.position()
        if position != self.position:
            log = await self.partition.reader.extent()
            with suppress(ValueError):  # one that can't be read: reading on from there says so
                if log.is_before(position):
                    raise ProjectionAhead(self.projection, log.end)
        return position

    async def _apply(self, batch: Sequence[Entry], after: str, ends: Sequence[bytes]) -> bool:
        """Whether the batch was applied, which came in slices with these ends.

        The log may have led from one engine to another between two slices. What has the last event
        of a slice has all of that slice; the projection looks for the last one of all itself.
        """
        if len(ends) > 1 and not await self.partition.reader.still_has(ends[:-1]):
            return False
        async with self._in_time(f"on the events after {after}"):
            return await self._follower.apply(batch, after)

    @asynccontextmanager
    async def _in_time(self, where: str) -> AsyncIterator[None]:
        """Raises ProjectionFailed where the block takes too long."""
        try:
            async with asyncio.timeout(self._too_long) as limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            why = f"it took more than {self._too_long:.0f} seconds"
            raise ProjectionFailed(self.projection, where, why) from error


def _is_before(end: str, seen: str) -> bool:
    """Whether a store's last position is before one that was seen: another engine took over."""
    with suppress(ValueError):  # somebody put something else there
        return bool(seen) and key_of(end) < key_of(seen)
    return False
