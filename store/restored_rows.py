"""What some events leave of the items: the last state of each, without the way there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from itemstore.archive.lines import Placed
from itemstore.engine.steps import steps
from itemstore.eventlog.codec import FIELDS

ROWS = 250
"""Rows in one step: a few milliseconds of the engine's time."""

STEP_BYTES = 1024 * 1024
"""About how much one step carries."""

MOST_ROWS = 200_000
"""Rows that are kept before they are written: each spares its earlier states."""

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of bodies that are kept, likewise."""

_NAMES = list(FIELDS)
_TYPES = frozenset({b"ItemCreated", b"ItemUpdated", b"ItemDeleted"})

Row = tuple[bytes, bytes, bytes, bytes, bytes]
"""Item, version, last position, position of the creation or nothing, body or nothing."""


class RestoredRows:
    """The rows that events leave, by collection, until they are taken away to be written."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[bytes, Row]] = {}
        self._count = 0
        self._bytes = 0

    @property
    def are_many(self) -> bool:
        """Whether it is time to write them."""
        return self._count >= MOST_ROWS or self._bytes >= MOST_BYTES

    def add(self, entries: Sequence[Placed]) -> None:
        """Goes on with events; what is none has no part in rows."""
        rows, size = self._rows, 0
        for collection, (position, fields) in entries:
            if fields[::2] != _NAMES:
                continue
            kind, item, version, body, _ = fields[1::2]
            if kind not in _TYPES or not version.isdigit():
                continue
            of_one = rows.get(collection)
            if of_one is None:
                of_one = rows[collection] = {}
            before = of_one.get(item)
            if kind == b"ItemCreated":
                created = position
            elif before is None:
                created = b""
            else:
                created = before[3]
            if before is None:
                self._count += 1
            else:
                size -= len(before[4])
            of_one[item] = (item, version, position, created, body)
            size += len(body)
        self._bytes += size

    def taken(self) -> Iterator[tuple[str, list[Row]]]:
        """All of them, a step at a time, each with its collection; then there are none."""
        rows, self._rows, self._count, self._bytes = self._rows, {}, 0, 0
        for collection, of_one in rows.items():
            for step in steps(of_one.values(), _size_of, most=ROWS, most_bytes=STEP_BYTES):
                yield collection, step


def _size_of(row: Row) -> int:
    return len(row[4])
