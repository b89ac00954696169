"""A page: events of the log that are taken together, raw for those who count and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.reader import Entry


@dataclass(frozen=True)
class Page:
    """Entries of the log that are events of this store, in their order.

    `replaced` has, for each event that was not the first of its item, the item and the position of
    the one before it.
    """

    entries: Sequence[Entry]
    replaced: Sequence[tuple[bytes, bytes]] = ()

    @cached_property
    def events(self) -> list[RecordedEvent]:
        """The same decoded, for who needs that: it takes longer than folding them."""
        return [decode_flat(position, fields) for position, fields in self.entries]
