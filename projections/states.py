"""States: what a part of the log leaves of each of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import Columns, columns_of
from itemstore.projections.runs import is_event

MOST_EVENTS = 1_000_000
"""Positions that are kept: some 20 MB of memory."""

MOST_BYTES = 192 * 1024 * 1024
"""Memory of what is kept of items, about."""

EACH = 300
"""Bytes of an item's state in memory, besides those of its body."""

MOST_TEXT = 10_000
"""Bytes of positions in a state, some 500 of them: what one script looks at is bounded."""


class State(NamedTuple):
    """An item after some of its events: the last of these, and what of the others counts.

    `created` is the position of the last ItemCreated among them, empty where there is none.
    `positions`, with blanks in between, are those of them that may be in the item's history.
    """

    item: bytes
    type: bytes
    version: bytes
    position: bytes
    body: bytes
    created: bytes
    positions: bytes


class States:
    """A part of the log as what it leaves of items, whichever of its events were in between.

    `first` and `position` are those of its first and its last entry, empty without one; `events`
    counts its events, `skipped` what is no event. Histories have no position before
    `histories_from`.
    """

    def __init__(self, histories_from: str = START) -> None:
        self.first = ""
        self.position = ""
        self.events = 0
        self.skipped = 0
        self._histories_from = key_of(histories_from)
        self._ended: list[State] = []
        self._last: dict[bytes, tuple[bytes, bytes, bytes, bytes]] = {}
        self._created: dict[bytes, bytes] = {}
        self._texts: dict[bytes, bytes] = {}
        self._positions = 0
        self._bytes = 0

    def __iter__(self) -> Iterator[State]:
        """The states, once: those of one item in order."""
        yield from self._ended
        for item, last in self._last.items():
            yield self._state(item, *last)

    @property
    def full(self) -> bool:
        """Whether there is as much as there may be."""
        if self._positions >= MOST_EVENTS:
            return True
        if self._bytes < MOST_BYTES:
            return False
        # What was added is more than what is kept: later events take the place of earlier ones.
        bodies = sum(len(body) for *_, body in self._last.values())
        ended = sum(len(state.body) for state in self._ended)
        self._bytes = bodies + ended + EACH * (len(self._last) + len(self._ended))
        return self._bytes > MOST_BYTES / 2

    def extend(self, entries: Sequence[Entry]) -> None:
        """Adds entries of the log, in their order: at least one."""
        self.first = self.first or entries[0][0].decode()
        self.position = entries[-1][0].decode()
        columns = columns_of(entries)
        if columns is None:
            events = [entry for entry in entries if is_event(entry[1])]
            self.skipped += len(entries) - len(events)
            columns = _columns(events)
        positions, types, items, versions, bodies, _ = columns
        self.events += len(positions)
        self._bytes += sum(map(len, bodies)) + EACH * len(positions)
        if key_of(self.position) >= self._histories_from:
            self._add_with_positions(columns)
            return
        self._last.update(
            zip(items, zip(types, versions, positions, bodies, strict=True), strict=True)
        )
        if b"ItemCreated" in types:
            self._created.update(
                (item, position)
                for item, kind, position in zip(items, types, positions, strict=True)
                if kind == b"ItemCreated"
            )

    def _add_with_positions(self, columns: Columns) -> None:
        """Adds events, and notes where each of them is."""
        positions, types, items, versions, bodies, _ = columns
        self._positions += len(positions)
        for position, kind, item, version, body in zip(
            positions, types, items, versions, bodies, strict=True
        ):
            text = self._texts.get(item)
            self._texts[item] = position if text is None else text + b" " + position
            if kind == b"ItemCreated":
                self._created[item] = position
            self._last[item] = kind, version, position, body
            if text is not None and len(text) > MOST_TEXT:
                self._ended.append(self._state(item, *self._last.pop(item)))

    def _state(
        self, item: bytes, kind: bytes, version: bytes, position: bytes, body: bytes
    ) -> State:
        created = self._created.pop(item, b"")
        return State(item, kind, version, position, body, created, self._texts.pop(item, b""))


def _columns(events: Sequence[Entry]) -> Columns:
    """The columns of entries, each of which is an event."""
    fields = [entry[1] for entry in events]
    values = ([each[place] for each in fields] for place in range(1, 10, 2))
    return Columns([position for position, _ in events], *values)
