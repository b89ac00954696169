"""Which events a person wants to see: the newest of them, those of some types, those of an item."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from itemstore.cli.errors import MISUSED, Stop
from itemstore.domain.events import RecordedEvent


@dataclass(frozen=True, slots=True)
class Selected:
    """The newest `count` of the events of an item and of some types; None and none: all of them."""

    count: int | None = None
    item: str | None = None
    types: Collection[str] = ()

    @classmethod
    def of(cls, count: int | None, item: str | None, types: Collection[str]) -> Selected:
        """What was typed. Raises Stop for an id that is none."""
        if item is not None and any("\ud800" <= sign <= "\udfff" for sign in item):
            message = f"An item's id is UTF-8; {item!r} was typed as something else."
            raise Stop(message, MISUSED)
        return cls(count, item, frozenset(types))

    @property
    def is_every_event(self) -> bool:
        """Whether no event is left out for what it is."""
        return self.item is None and not self.types

    def passes(self, event: RecordedEvent) -> bool:
        """Whether it is one of these."""
        return (self.item is None or event.event.item == self.item) and (
            not self.types or event.type in self.types
        )


EVERY = Selected()
"""All events."""
