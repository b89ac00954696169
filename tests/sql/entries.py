"""Entries of a log, as they are applied to the read model."""

from __future__ import annotations

from itemstore.eventlog.reader import Entry

LOG = "0123456789abcdef"


def entry(number: int, kind: str, item: str, version: int, body: bytes = b"") -> Entry:
    """An entry of a log."""
    fields = {"type": kind, "item": item, "version": str(version)}
    names = [part.encode() for pair in fields.items() for part in pair]
    return f"1700000000000-{number}".encode(), [*names, b"data", body, b"meta", b"{}"]


def created(number: int, item: str, version: int = 1, body: bytes = b'{"a":1}') -> Entry:
    """One that creates an item."""
    return entry(number, "ItemCreated", item, version, body)


def updated(number: int, item: str, version: int, body: bytes = b'{"a":2}') -> Entry:
    """One that changes it."""
    return entry(number, "ItemUpdated", item, version, body)


def deleted(number: int, item: str, version: int) -> Entry:
    """One that deletes it."""
    return entry(number, "ItemDeleted", item, version)
