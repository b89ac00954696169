"""The form of a row: the current state of one item as JSON text, keys always in this order.

    {"version":3,"position":"1700000000000-0","created":"1699999999999-0","data":{"name":"Foo"}}
    {"version":4,"position":"1700000000001-0","created":"1699999999999-0","deleted":true}

`apply.lua` writes this form; a test holds the two against each other.
"""

from __future__ import annotations

import re

from itemstore.domain.evolve import Item

_ROW = re.compile(
    rb'\{"version":([0-9]+),"position":"([0-9]+-[0-9]+)","created":"([0-9]+-[0-9]+)",'
    rb'(?:"data":(.+)|"deleted":true)\}',
    re.DOTALL,
)


_EXISTING = b'{"version":%d,"position":"%b","created":"%b","data":%b}'
_DELETED = b'{"version":%d,"position":"%b","created":"%b","deleted":true}'


class MalformedRow(ValueError):
    """Text in the projection that is not a row. `item` is the id it stands under."""

    def __init__(self, item: str) -> None:
        super().__init__(f"The row of item {item!r} can't be read; rebuild the projection.")
        self.item = item


def decode(item: str, row: bytes) -> Item:
    """The item that a row holds. Raises MalformedRow."""
    match = _ROW.fullmatch(row)
    if match is None:
        raise MalformedRow(item)
    version, position, created, body = match.groups()
    return Item(item, int(version), position.decode(), created.decode(), body)


def encode(item: Item) -> bytes:
    """The row of an item."""
    return row_of(item.version, item.position.encode(), item.created.encode(), item.body)


def row_of(version: int, position: bytes, created: bytes, body: bytes | None) -> bytes:
    """The row of an item that is this; None for the body means deleted."""
    if body is None:
        return _DELETED % (version, position, created)
    return _EXISTING % (version, position, created, body)
