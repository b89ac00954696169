"""The current items of a collection in several partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from itemstore.domain.cursors import cursor_at
from itemstore.domain.evolve import Item
from itemstore.domain.partitions import partition_of
from itemstore.domain.prefixes import EVERY_ID
from itemstore.eventlog.batching import Caller
from itemstore.projections.current_items import PAGE_BYTES, Items, Page
from itemstore.projections.merged_items import MergedItems


class PartitionedItems(Items):
    """Those of each partition. It does what the items of one do."""

    def __init__(self, partitions: Sequence[Items]) -> None:
        self._partitions = partitions

    async def get(self, item: str) -> Item | None:
        """The item, deleted or not; None where it never existed. Raises as CurrentItems does."""
        return await self._partitions[partition_of(item, len(self._partitions))].get(item)

    def get_for(self, caller: Caller, item: str) -> None:
        """Has the caller told the same, or what `get` would raise. Raises LogOverloaded."""
        self._partitions[partition_of(item, len(self._partitions))].get_for(caller, item)

    async def as_of(self) -> str:
        """A cursor that is another after each event of the collection."""
        return cursor_at(await asyncio.gather(*(each.as_of() for each in self._partitions)))

    async def page(
        self,
        *,
        after: str | None = None,
        prefixes: Sequence[str] = EVERY_ID,
        limit: int = 100,
        most_bytes: int = PAGE_BYTES,
    ) -> Page:
        """At most `limit` existing items, after the id `after`, with one of the prefixes.

        As CurrentItems has it, but that each partition is looked at at a moment of its own: an item
        that was there all the while is there once. `total` and `position` are of the first look, so
        that a write which came between makes the position another one.
        """
        count = len(self._partitions)
        share, share_bytes = share_of(limit, count), max(1, most_bytes // count)

        async def read(number: int, last: str | None) -> Page:
            return await self._partitions[number].page(
                after=last, prefixes=prefixes, limit=share, most_bytes=share_bytes
            )

        first = await asyncio.gather(*(read(number, after) for number in range(count)))
        merged = MergedItems(limit, most_bytes)
        for number, page in enumerate(first):
            merged.add(number, page.items, more=page.more)
        while wanted := merged.wanted():
            pages = await asyncio.gather(*(read(number, last) for number, last in wanted))
            for (number, _), page in zip(wanted, pages, strict=True):
                merged.add(number, page.items, more=page.more)
        return Page(
            merged.items,
            more=merged.more,
            total=sum(page.total for page in first),
            position=cursor_at([page.position for page in first]),
        )


def share_of(limit: int, partitions: int) -> int:
    """How many items to ask a partition for, so that hardly ever one has to be asked again.

    What is due to it, and three times how much that varies where ids are spread at random.
    """
    due = limit / partitions
    return min(limit, int(due + 3 * due**0.5) + 1)
