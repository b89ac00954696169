"""A collection: items of one kind under one path, with a log of their own."""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of item in an opened store: its log, and its current items."""

    name: str
    partition: Partition
    log: EventLog
    items: CurrentItems

    @property
    def path(self) -> str:
        """Where the API has it, and the `source` of its events."""
        return f"/{self.name}"
