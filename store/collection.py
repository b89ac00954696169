"""A collection: items of one kind under one path, with a log of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itemstore.domain.partitions import partition_of
from itemstore.eventlog.log import Log
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import Items


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of item in an opened store: its log, and its current items, in its partitions."""

    name: str
    partitions: Sequence[Partition]
    log: Log
    items: Items

    @property
    def path(self) -> str:
        """Where the API has it, and the `source` of its events."""
        return f"/{self.name}"

    @property
    def partition(self) -> Partition:
        """The only one."""
        [only] = self.partitions
        return only

    def partition_of(self, item: str) -> Partition:
        """The one that an item is in."""
        return self.partitions[partition_of(item, len(self.partitions))]
