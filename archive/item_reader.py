"""Reading the events of an item in an archive, in one collection or in all that have it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from itemstore.archive.file_reader import together
from itemstore.archive.index_lookup import IndexLookup
from itemstore.archive.indexes import Item
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest
from itemstore.archive.part_builder import PartBuilder
from itemstore.archive.segment_reader import AT_ONCE, SegmentReader
from itemstore.domain.positions import key_of
from itemstore.eventlog.past import PastDamaged
from itemstore.eventlog.reader import LOOKED_AT, Part, Within

Key = tuple[int, int]
"""What a position is compared by."""


class ItemReader:
    """Finds an item's positions in the indexes, and reads its entries from the segments."""

    def __init__(self, segments: SegmentReader, indexes: IndexLookup) -> None:
        self._segments = segments
        self._indexes = indexes

    async def part_after(
        self, manifest: Manifest, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries of the items of the id, in the order of their positions.

        Raises PastUnavailable and PastDamaged.
        """
        item, most = within.item or "", min(within.looked, LOOKED_AT)
        there = {name for segment in manifest.segments for name in segment.counts}
        of_each = await together(
            self._next(manifest, (collection, item), after, most)
            for collection in collections
            if collection in there
        )
        builder, end = PartBuilder(after, within), key_of(up_to)
        places = [each for each in heapq.merge(*of_each) if each[0] <= end][:most]
        step = 1
        while places and not builder.is_full:
            some, places = places[:step], places[step:]
            step = min(AT_ONCE, 4 * step)  # the first ones say little of how large they are
            for placed in await self._entries(manifest, some):
                if not builder.is_full:
                    builder.look_at(placed)
        return builder.part(up_to)

    async def _next(
        self, manifest: Manifest, item: Item, after: str, most: int
    ) -> list[tuple[Key, str, bytes]]:
        """Where the item's next events are, in order: of which key, collection and position."""
        version = await self._indexes.version_at(manifest.indexes, item, after)
        found = await self._indexes.positions(manifest.indexes, item, version, most)
        return [(key_of(position.decode()), item[0], position) for position in found]

    async def _entries(
        self, manifest: Manifest, places: Sequence[tuple[Key, str, bytes]]
    ) -> list[Placed]:
        """The entries at places. Raises PastDamaged where one is not there."""
        wanted: dict[str, list[bytes]] = {}
        for _, collection, position in places:
            wanted.setdefault(collection, []).append(position)
        read = await together(
            self._segments.entries_at(manifest, name, some) for name, some in wanted.items()
        )
        found = {entry[0]: entry for entries in read for entry in entries}
        for _, _, position in places:
            if position not in found:
                raise PastDamaged(
                    f"The archive's indexes name {position.decode()}, which it lacks."
                )
        return [(collection, found[position]) for _, collection, position in places]
