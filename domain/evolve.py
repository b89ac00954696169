"""State from history: the second, independent reading of what the log means."""

from __future__ import annotations

from collections.abc import Iterable

from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.values import value


@value
class Item:
    """An item as its events left it.

    `position` is that of the last event, `created` that of the last ItemCreated. `body` is JSON
    as UTF-8 bytes; None means deleted, and then `version` is that of the ItemDeleted.
    """

    id: str
    version: int
    position: str
    created: str
    body: bytes | None

    @property
    def exists(self) -> bool:
        """Whether there is something to read."""
        return self.body is not None


POSSIBLE = frozenset(((False, ItemCreated), (True, ItemUpdated), (True, ItemDeleted)))
"""Whether an item exists, and what can happen to it then."""


class ImpossibleHistory(ValueError):
    """An event that can't follow the ones before it. The log was not written by `decide`."""

    def __init__(self, item: Item | None, recorded: RecordedEvent, reason: str) -> None:
        super().__init__(f"{recorded.type} {recorded.item!r} at {recorded.position}: {reason}")
        self.item = item
        self.recorded = recorded
        self.reason = reason


def evolve(item: Item | None, recorded: RecordedEvent) -> Item:
    """The item after the event; `item` is what it was before, None where it never existed.

    Raises ImpossibleHistory where versions have a gap, something is created that exists, or
    something is updated or deleted that does not.
    """
    event, version = recorded.event, item.version + 1 if item else 1
    if recorded.version != version:
        raise ImpossibleHistory(item, recorded, f"version {recorded.version}, not {version}")
    exists = item is not None and item.exists
    if (exists, type(event)) not in POSSIBLE:
        state = "exists already" if exists else "does not exist"
        raise ImpossibleHistory(item, recorded, f"the item {state}")
    created = item.created if item and exists else recorded.position
    body = None if isinstance(event, ItemDeleted) else event.body
    return Item(event.item, version, recorded.position, created, body)


def fold(history: Iterable[RecordedEvent]) -> dict[str, Item]:
    """Every item that the history mentions, by id, deleted ones included."""
    items: dict[str, Item] = {}
    for recorded in history:
        items[recorded.item] = evolve(items.get(recorded.item), recorded)
    return items
