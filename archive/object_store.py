"""The objects of an archive, asked again where that helps, within limits of time and number."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import TypeVar

from itemstore.archive.folder import Folder
from itemstore.archive.objects import AlreadyThere, Hindered, Listed, ObjectMissing, Objects
from itemstore.archive.places import objects_at
from itemstore.tracing import spans

AT_ONCE = 16
"""Requests of a process that are under way at once."""

ATTEMPTS = 6
"""How often one thing is asked for: of requests that fail one in three, one in 700 fails so."""

FIRST_PAUSE = 0.05
"""Seconds before the second attempt, about; three times as long before each one after it."""

LONGEST_PAUSE = 1.0
"""Seconds before an attempt, at most."""

ATTEMPT_SECONDS = 10.0
"""How long one attempt may take, and what comes on top of it for the size of what is put."""

BYTES_A_SECOND = 256 * 1024
"""The slowest line over which an object is put."""

ALL_SECONDS = 15.0
"""After attempts that took so long together, there is no other."""

_Result = TypeVar("_Result")


class ObjectStore:
    """Objects by name. All raise PastUnavailable, with a sentence that has no secret in it."""

    def __init__(self, objects: Objects, at_once: asyncio.Semaphore | None = None) -> None:
        self._objects = objects
        self._at_once = at_once or asyncio.Semaphore(AT_ONCE)

    @property
    def place(self) -> str:
        """Where they are, for people."""
        return self._objects.place

    def folder(self, name: str) -> ObjectStore:
        """The objects in a folder; requests of all folders count together."""
        return ObjectStore(Folder(self._objects, name), self._at_once)

    @spans.traced("read archive file", (ObjectMissing,))
    async def get(self, name: str) -> bytes:
        """The whole of an object. Raises ObjectMissing."""
        spans.note({"itemstore.file": name})
        return await self._tried(lambda: self._objects.get(name))

    @spans.traced("read archive file", (ObjectMissing,))
    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object, less where it ends before. Raises ObjectMissing."""
        spans.note({"itemstore.file": name, "itemstore.bytes": length})
        return await self._tried(lambda: self._objects.get_range(name, offset, length))

    async def put_new(self, name: str, data: bytes) -> None:
        """Puts an object where there is none. Raises AlreadyThere if there is another.

        One with this very content is taken for its own: the answer to an attempt was lost.
        """

        async def attempt() -> None:
            try:
                await self._objects.put_new(name, data)
            except AlreadyThere:
                if await self._found(name) != data:
                    raise

        await self._tried(attempt, len(data))

    async def delete(self, name: str) -> None:
        """Deletes an object, if there is one."""
        await self._tried(lambda: self._objects.delete(name))

    async def listed(self, prefix: str, after: str = "") -> list[Listed]:
        """The objects whose names begin with a prefix and come after a name, in their order."""
        return await self._tried(lambda: self._objects.listed(prefix, after))

    async def names(self, prefix: str, after: str = "") -> list[str]:
        """The names of these."""
        return [each.name for each in await self.listed(prefix, after)]

    async def _found(self, name: str) -> bytes:
        try:
            return await self._objects.get(name)
        except ObjectMissing:  # two at once, of which the store let none through
            raise Hindered(f"{name} came and went in the archive {self.place}.") from None

    async def _tried(self, attempt: Callable[[], Awaitable[_Result]], size: int = 0) -> _Result:
        spent, pause = 0.0, FIRST_PAUSE
        for number in range(1, ATTEMPTS + 1):
            async with self._at_once:
                begun = monotonic()
                try:
                    return await self._attempted(attempt, ATTEMPT_SECONDS + size / BYTES_A_SECOND)
                except Hindered:
                    spent += monotonic() - begun
                    if number == ATTEMPTS or spent > ALL_SECONDS:
                        raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            pause = min(LONGEST_PAUSE, 3 * pause)
        raise AssertionError  # the last attempt has returned or raised

    async def _attempted(
        self, attempt: Callable[[], Awaitable[_Result]], seconds: float
    ) -> _Result:
        try:
            async with asyncio.timeout(seconds):
                return await attempt()
        except TimeoutError:
            sentence = f"The archive {self.place} takes longer than {seconds:.0f} s to answer."
            raise Hindered(sentence) from None


def object_store_of(place: str | Path) -> ObjectStore:
    """The objects at a place: see `objects_at`. Raises NotAnArchive."""
    return ObjectStore(objects_at(place))
