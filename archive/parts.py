"""Parts of an archive's files: few reads at once, each part asked for once, the last ones kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from itemstore.archive.caches import PartsCache
from itemstore.archive.object_store import ObjectStore
from itemstore.eventlog.past import PastDamaged, PastUnavailable

AT_ONCE = 8
"""Reads of a process that are under way at once."""

WAITING = 256
"""Reads that may wait for these; more are refused at once."""

WAITING_SECONDS = 10.0
"""How long each of them waits."""

_TOO_MANY = "Too many reads wait for the archive; try again."

Part = tuple[str, int, int]
"""The name of a file, and an offset and a length in bytes."""


class Parts:
    """Reads them for one process, which keeps in the cache those that were asked for last."""

    def __init__(self, objects: ObjectStore, cache: PartsCache) -> None:
        self._objects = objects
        self._cache = cache
        self._place = objects.place
        self._lane = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._under_way: dict[Part, asyncio.Future[bytes]] = {}

    async def read(self, part: Part, *, keep: bool) -> bytes:
        """A part of a file, which is kept in memory where it is likely to be asked for again.

        Raises ObjectMissing where the file is gone: others may have taken its place, and a
        `refreshed` manifest names them. Raises PastDamaged where it is shorter, and
        PastUnavailable, also where too many wait.
        """
        found = self._cache.get((self._place, *part))
        if found is not None:
            return found
        under_way = self._under_way.get(part)
        if under_way is None:
            under_way = asyncio.ensure_future(self._fetched(part, keep=keep))
            self._under_way[part] = under_way
            under_way.add_done_callback(lambda done: self._ended(part, done))
        return await asyncio.shield(under_way)

    def _ended(self, part: Part, done: asyncio.Future[bytes]) -> None:
        self._under_way.pop(part, None)
        if not done.cancelled():
            done.exception()  # those who asked may have gone: nobody else looks at it

    async def _fetched(self, part: Part, *, keep: bool) -> bytes:
        async with self._place_in_the_lane():
            data = await self._objects.get_range(*part)
        name, offset, length = part
        if len(data) != length:
            raise PastDamaged(f"{name} ends before its byte {offset + length}: it was cut.")
        if keep and len(data) <= self._cache.most // 4:
            self._cache.put((self._place, *part), data, len(data))
        return data

    @asynccontextmanager
    async def _place_in_the_lane(self) -> AsyncIterator[None]:
        """A block that few run at once, and that not too many wait for, or too long."""
        if self._waiting >= WAITING:
            raise PastUnavailable(_TOO_MANY)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                await self._lane.acquire()
        except TimeoutError:
            raise PastUnavailable(_TOO_MANY) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lane.release()
