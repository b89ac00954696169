"""Many entries of the log by columns: Python looks at a column in the time of one or two events."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from itemstore.eventlog.codec import FIELDS
from itemstore.eventlog.reader import Entry

_TYPES = (b"ItemCreated", b"ItemUpdated", b"ItemDeleted")

_LONGEST = 20
"""Digits of a version: Python refuses to read one of thousands of them."""


class Columns(NamedTuple):
    """What entries have, all in the same order."""

    positions: Sequence[bytes]
    types: Sequence[bytes]
    items: Sequence[bytes]
    versions: Sequence[bytes]
    bodies: Sequence[bytes]
    metas: Sequence[bytes]


class Batch(list[Entry]):
    """Entries that several look at, and nobody changes: their columns are made once."""

    @cached_property
    def columns(self) -> Columns | None:
        """See `columns_of`."""
        return _columns_of(self)


def columns_of(entries: Sequence[Entry]) -> Columns | None:
    """The columns of entries that are events of this store, whatever their meta.

    None where one of them may be no event: its decoding says that (eventlog/codec.py).
    """
    return entries.columns if isinstance(entries, Batch) else _columns_of(entries)


def _columns_of(entries: Sequence[Entry]) -> Columns | None:
    positions, fields = zip(*entries, strict=True)
    if set(map(len, fields)) != {2 * len(FIELDS)}:
        return None
    columns = tuple(zip(*fields, strict=True))
    types, items, versions, bodies, metas = columns[1::2]
    if not (
        all(_is_all(name, column) for name, column in zip(FIELDS, columns[::2], strict=True))
        and sum(map(types.count, _TYPES)) == len(types)
        and all(map(bytes.isdigit, versions))
        and max(map(len, versions)) <= _LONGEST
        and _is_text(items)
        and _has_bodies_where_due(types, bodies)
    ):
        return None
    return Columns(positions, types, items, versions, bodies, metas)


def _is_all(value: bytes, column: Sequence[bytes]) -> bool:
    return column.count(value) == len(column)


def _is_text(items: Sequence[bytes]) -> bool:
    try:
        b"\n".join(items).decode()  # a line break is within no character
    except UnicodeDecodeError:
        return False
    return True


def _has_bodies_where_due(types: Sequence[bytes], bodies: Sequence[bytes]) -> bool:
    if b"ItemDeleted" not in types:
        return b"" not in bodies
    return [kind == b"ItemDeleted" for kind in types] == [body == b"" for body in bodies]
