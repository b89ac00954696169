"""The current items of a collection in several partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from itemstore.domain.cursors import cursor_at
from itemstore.domain.evolve import Item
from itemstore.domain.partitions import partition_of
from itemstore.domain.prefixes import EVERY_ID
from itemstore.projections.current_items import Items, Page


class PartitionedItems(Items):
    """Those of each partition. It does what the items of one do."""

    def __init__(self, parts: Sequence[Items]) -> None:
        self._parts = parts

    async def get(self, item: str) -> Item | None:
        """The item, deleted or not; None where it never existed. Raises as CurrentItems does."""
        return await self._parts[partition_of(item, len(self._parts))].get(item)

    async def as_of(self) -> str:
        """A cursor that is another after each event of the collection."""
        each = await asyncio.gather(*(part.as_of() for part in self._parts))
        return cursor_at(each)

    async def page(
        self,
        *,
        after: str | None = None,
        prefixes: Sequence[str] = EVERY_ID,
        limit: int = 100,
    ) -> Page:
        """At most `limit` existing items, after the id `after`, with one of the prefixes."""
        raise NotImplementedError
