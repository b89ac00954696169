"""Entries of a log for the archive, as the engine has them."""

from __future__ import annotations

from itemstore.archive.lines import Placed
from itemstore.eventlog.reader import Entry


def entry(
    position: str, item: str, version: int, body: bytes = b'{"n":1}', meta: bytes = b"{}"
) -> Entry:
    """An entry that stores a body; an empty one deletes."""
    kind = b"ItemDeleted" if not body else b"ItemCreated" if version == 1 else b"ItemUpdated"
    fields = [b"type", kind, b"item", item.encode(), b"version", b"%d" % version]
    return position.encode(), [*fields, b"data", body, b"meta", meta]


def history(
    events: int, items: int = 10, first: int = 0, collection: str = "items"
) -> list[Placed]:
    """The events from a number on, one a millisecond; items take turns, so versions are dense."""
    return [
        (collection, entry(f"{1000 + n}-0", f"item {n % items}", n // items + 1, b'{"n":%d}' % n))
        for n in range(first, first + events)
    ]
