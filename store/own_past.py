"""The past of a store: what its own archive has, and not what lies in another store's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.belonging import ANOTHER
from itemstore.archive.border_mark import OF_ANOTHER_STORE, has_marked
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.past import BORDER, MANIFEST, MARK, Past, PastUnavailable
from itemstore.eventlog.reader import Entry, Part, Within

_NOTED = ["archive", MANIFEST, BORDER, MARK]


class OwnPast(Past):
    """Asks the archive, which is looked at to be the one that the engine has noted."""

    def __init__(self, archive: Archive, client: Redis, keys: StoreKeys) -> None:
        self._past = ArchivedPast(archive)
        self._archive = archive
        self._client = client
        self._keys = keys
        self._checked = 0

    async def part_after(
        self, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries of collections after a position; `is_end` where it came to `up_to`."""
        await self._check()
        part = await self._past.part_after(collections, after, up_to, within)
        return replace(part, partition=self._keys.partition)

    async def slices(
        self, collections: Sequence[str], after: str, up_to: str
    ) -> AsyncGenerator[Part, None]:
        """All entries of collections after a position, about a mebibyte at a time."""
        await self._check()
        async with aclosing(self._past.slices(collections, after, up_to)) as parts:
            async for part in parts:
                yield replace(part, partition=self._keys.partition)

    async def entries_at(self, collection: str, positions: Sequence[bytes]) -> list[Entry]:
        """The entries at positions, in their order, those that are there: about PAGE_BYTES."""
        await self._check()
        return await self._past.entries_at(collection, positions)

    async def positions(self, collection: str, item: str, after: int, limit: int) -> list[bytes]:
        """The positions of the item's `limit` versions after a version, those that it has."""
        await self._check()
        return await self._past.positions(collection, item, after, limit)

    async def version_at(self, collection: str, item: str, position: str) -> int:
        """The last version of an item at or before a position, 0 before its first."""
        await self._check()
        return await self._past.version_at(collection, item, position)

    async def count(self, collection: str, up_to: str) -> int:
        """How many events of a collection there are up to a position."""
        await self._check()
        return await self._past.count(collection, up_to)

    async def before_last(self, collections: Sequence[str], count: int, up_to: str) -> str:
        """The position after which the last `count` events up to `up_to` are, START for all."""
        await self._check()
        return await self._past.before_last(collections, count, up_to)

    async def _check(self) -> None:
        """Raises PastUnavailable where it is another store's; looks for what is newer, if it must.

        A process that knows the archive as it was before a failover would give what was taken back
        since, where the border has gone past that.
        """
        with translated():
            found: Any = await self._client.hmget(self._keys.archive, _NOTED)
        archive, number, border, mark = (each and each.decode(errors="replace") for each in found)
        is_number = number is not None and number.isdecimal()
        manifest = await self._archive.at_least(int(number) if is_number else 0)
        if archive is None or manifest is None:
            return
        if archive != manifest.archive:
            raise PastUnavailable(ANOTHER.format(self._archive.place, manifest.archive, archive))
        if border and manifest.number != self._checked:
            if not await has_marked(self._past, border, mark or ""):
                raise PastUnavailable(OF_ANOTHER_STORE.format(self._archive.place, border))
            self._checked = manifest.number
