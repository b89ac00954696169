"""The past as the archive has it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from itemstore.archive.archive import Archive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.index_lookup import IndexLookup
from itemstore.archive.item_reader import ItemReader
from itemstore.archive.manifest import Manifest
from itemstore.archive.segment_reader import SegmentReader
from itemstore.archive.slices import slices
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.past import Past, PastDamaged
from itemstore.eventlog.reader import Entry, Part, Within
from itemstore.tracing import spans

ATTEMPTS = 3
"""How often something is asked for anew because its files were replaced meanwhile."""

_Answer = TypeVar("_Answer")


class ArchivedPast(Past):
    """Reads the files that the newest known manifest names.

    That is read again where it doesn't reach far enough, and where a file is gone or damaged: a
    newer one may name others in its place.
    """

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        files = FileReader(archive)
        self._segments = SegmentReader(files)
        self._indexes = IndexLookup(files)
        self._items = ItemReader(self._segments, self._indexes)

    async def part_after(
        self, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries of collections after a position; `is_end` where it came to `up_to`."""
        reader = self._segments if within.item is None else self._items
        return await self._answer(
            up_to, lambda manifest: reader.part_after(manifest, collections, after, up_to, within)
        )

    async def slices(
        self, collections: Sequence[str], after: str, up_to: str
    ) -> AsyncGenerator[Part, None]:
        """All entries of collections after a position, about a mebibyte at a time."""
        manifest: Manifest | None = await self._reaching(up_to)
        left = ATTEMPTS
        while manifest is not None:
            frames = self._segments.frames(manifest, collections, after, up_to)
            left -= 1
            try:
                async with aclosing(
                    slices(self.archive, frames, collections, after, up_to)
                ) as parts:
                    async for part in parts:
                        after = part.position
                        yield part
            except PastDamaged:
                manifest = await self._newer(manifest) if left else None
                if manifest is None:
                    raise
            else:
                return

    async def entries_at(self, collection: str, positions: Sequence[bytes]) -> list[Entry]:
        """The entries at positions, in their order, those that are there: about PAGE_BYTES."""
        if not positions:
            return []
        last = max((position.decode() for position in positions), key=key_of)
        return await self._answer(
            last, lambda manifest: self._segments.entries_at(manifest, collection, positions)
        )

    async def positions(self, collection: str, item: str, after: int, limit: int) -> list[bytes]:
        """The positions of the item's `limit` versions after a version, those that it has."""

        async def ask(manifest: Manifest) -> list[bytes]:
            return await self._indexes.positions(manifest.indexes, (collection, item), after, limit)

        manifest = await self._reaching(START)
        found = await self._answer(START, ask)
        if len(found) == limit or await self._newer(manifest) is None:
            return found
        return await self._answer(START, ask)  # others have archived more since

    async def version_at(self, collection: str, item: str, position: str) -> int:
        """The last version of an item at or before a position, 0 before its first."""
        return await self._answer(
            position,
            lambda manifest: self._indexes.version_at(
                manifest.indexes, (collection, item), position
            ),
        )

    async def count(self, collection: str, up_to: str) -> int:
        """How many events of a collection there are up to a position."""
        return await self._answer(
            up_to, lambda manifest: self._segments.count(manifest, [collection], up_to)
        )

    async def before_last(self, collections: Sequence[str], count: int, up_to: str) -> str:
        """The position after which the last `count` events up to `up_to` are, START for all."""
        return await self._answer(
            up_to, lambda manifest: self._segments.before_last(manifest, collections, count, up_to)
        )

    @spans.traced("read archive")
    async def _answer(self, up_to: str, ask: Callable[[Manifest], Awaitable[_Answer]]) -> _Answer:
        manifest = await self._reaching(up_to)
        for _ in range(1, ATTEMPTS):
            try:
                return await ask(manifest)
            except PastDamaged:
                newer = await self._newer(manifest)
                if newer is None:
                    raise
            manifest = newer
        return await ask(manifest)

    async def _reaching(self, up_to: str) -> Manifest:
        """The newest manifest that is known, if it goes up to a position; else the newest."""
        manifest = await self.archive.current()
        if manifest is None or key_of(manifest.last) < key_of(up_to):
            manifest = await self.archive.refreshed()
        if manifest is None:
            raise PastDamaged(
                f"{self.archive.place} has no archive: no manifest is there. Put it back, or name "
                "the place where it is with ITEMSTORE_ARCHIVE."
            )
        if key_of(manifest.last) < key_of(up_to):
            raise PastDamaged(
                f"The archive {self.archive.place} ends at {manifest.last}, and lacks what came "
                f"after that, up to {up_to}."
            )
        return manifest

    async def _newer(self, manifest: Manifest) -> Manifest | None:
        """The newest manifest, None where it is this one."""
        newest = await self.archive.refreshed()
        return None if newest is None or newest.number == manifest.number else newest
