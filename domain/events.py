"""Events: what happened, in the past tense.

The names of these classes are a storage format: they stand in the log for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from itemstore.domain.cursors import event_id
from itemstore.domain.positions import time_of
from itemstore.domain.values import value

ITEMS = "items"
"""The collection of a store that has no other."""


@value
class ItemCreated:
    """An item that did not exist, or no longer did, now has this body."""

    item: str
    body: bytes


@value
class ItemUpdated:
    """An item that existed now has this body."""

    item: str
    body: bytes


@value
class ItemDeleted:
    """An item that existed no longer does."""

    item: str


Event = ItemCreated | ItemUpdated | ItemDeleted


@value
class RecordedEvent:
    """An event and what the log gave it.

    `position` is its stream id, `<ms>-<seq>`: its place in the log, and its time in milliseconds
    since 1970. `version` is the item's own counter after it, from 1. `meta` is what is known about
    the write itself: `actor`, `key`, `traceparent`, `transaction`. `collection` is the item's, and
    `partition` the number of the one that it is in, None in a store that has one.
    """

    position: str
    version: int
    event: Event
    meta: Mapping[str, str] = field(default_factory=dict)
    collection: str = ITEMS
    partition: int | None = None

    @property
    def id(self) -> str:
        """What names the event in its collection: its position, and its partition if several."""
        return self.position if self.partition is None else event_id(self.position, self.partition)

    @property
    def item(self) -> str:
        """The id of the item it happened to."""
        return self.event.item

    @property
    def type(self) -> str:
        """ItemCreated, ItemUpdated or ItemDeleted."""
        return type(self.event).__name__

    @property
    def time(self) -> datetime:
        """When it was appended, UTC, to the millisecond."""
        return time_of(self.position)
