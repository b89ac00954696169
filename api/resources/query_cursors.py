"""The cursor of a page of a query: a place in its order, and which query it is of.

Bytes in base64url: a mark that begins no id, the query's fingerprint, each key behind its length,
and the id.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256

from itemstore.api.http.problems import Problem
from itemstore.domain.ids import InvalidItemId, id_of
from itemstore.eventlog.excerpts import quoted
from itemstore.projections.queries.query import Place, Query

_MARK = b"\xff"
"""No UTF-8 begins with it, so no cursor of a plain list does."""

_FINGERPRINT = 8
"""Bytes of it."""

_LENGTH = 2
"""Bytes in which the length of a key is written."""

_NO_KEY = (2**16 - 1).to_bytes(_LENGTH, "big")
"""In place of the length, where an item has no value."""


def fingerprint_of(query: Query, prefix: str) -> bytes:
    """What is the same for all pages of a query, and differs for another one.

    How long its pages are makes no difference, nor what a token sees of it.
    """
    asked = (query.collection, query.where, query.order, query.search, prefix)
    return sha256(repr(asked).encode()).digest()[:_FINGERPRINT]


def cursor_of_place(place: Place, fingerprint: bytes) -> str:
    """The cursor of a page that begins after the place."""
    parts = [_MARK, fingerprint]
    for key in place.keys:
        parts += [_NO_KEY] if key is None else [len(key).to_bytes(_LENGTH, "big"), key]
    raw = b"".join((*parts, place.id.encode()))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of_cursor(cursor: str, fingerprint: bytes, keys: int) -> Place:
    """The place that a page begins after, in an order with so many keys. Raises Problem (400)."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _no_cursor(cursor) from None
    start = len(_MARK) + _FINGERPRINT
    if len(raw) <= start or not raw.startswith(_MARK):
        raise _no_cursor(cursor)
    if raw[len(_MARK) : start] != fingerprint:
        sentence = (
            f"{quoted(cursor)} is the `next` of a page of another query: where, order, search and "
            "prefix have to be what they were."
        )
        raise Problem("malformed-cursor", sentence)
    try:
        return _place(raw[start:], keys)
    except (InvalidItemId, ValueError):
        raise _no_cursor(cursor) from None


def _place(raw: bytes, count: int) -> Place:
    """The place with so many keys. Raises ValueError and InvalidItemId."""
    keys: list[bytes | None] = []
    at = 0
    for _ in range(count):
        length = raw[at : at + _LENGTH]
        at += _LENGTH
        if length == _NO_KEY:
            keys.append(None)
            continue
        end = at + int.from_bytes(length, "big")
        keys.append(raw[at:end])
        at = end
    return Place(tuple(keys), id_of(raw[at:]))


def _no_cursor(cursor: str) -> Problem:
    sentence = f"{quoted(cursor)} is not the `next` of a page of this query."
    return Problem("malformed-cursor", sentence)
