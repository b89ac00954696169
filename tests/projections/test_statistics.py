"""The numbers that an event, and a page of them, adds to the statistics."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from itemstore.domain.events import ItemCreated, RecordedEvent
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import columns_of
from itemstore.projections.statistics import STATISTICS, count


@pytest.mark.parametrize(
    ("position", "day"),
    [
        ("0-1", "1970-01-01"),
        ("1588334400000-0", "2020-05-01"),
        ("253402300799999-0", "9999-12-31"),
        ("999999999999999-0", "9999-12-31"),
    ],
)
def test_an_event_counts_on_its_day(position: str, day: str) -> None:
    """On the last day there is, where somebody put a later position into the log by hand."""
    numbers: Counter[str] = Counter()

    count(numbers, RecordedEvent(position, 1, ItemCreated("a", b"{}"), {}))

    assert numbers == {"type:ItemCreated": 1, f"day:{day}": 1, "bytes": 2, "items": 1}


def entry(kind: str, position: str = "1588334400000-0", **changes: bytes) -> Entry:
    """An entry of the log."""
    values = {
        "type": kind.encode(),
        "item": b"a",
        "version": b"7",
        "data": b"" if kind == "ItemDeleted" else b'{"n":1}',
        "meta": b"{}",
    } | changes
    return position.encode(), [part for name in values for part in (name.encode(), values[name])]


CREATED, UPDATED, DELETED = entry("ItemCreated"), entry("ItemUpdated"), entry("ItemDeleted")

PAGES = {
    "of one type": [UPDATED],
    "of all types": [CREATED, UPDATED, UPDATED, DELETED, CREATED],
    "nothing but deletes": [DELETED, DELETED],
    "as many deletes as creations": [CREATED, DELETED],
    "of two days": [
        CREATED,
        entry("ItemUpdated", "1588377600000-0"),
        entry("ItemUpdated", "1588377600000-1"),
    ],
    "an id that is no ASCII": [CREATED, entry("ItemCreated", item="é".encode())],
    "a meta that is none": [CREATED, entry("ItemUpdated", meta=b"?")],
    "an id that is no text": [CREATED, entry("ItemCreated", item=b"\xff")],
    "an id in two halves": [
        entry("ItemCreated", item="é".encode()[:1]),
        entry("ItemCreated", item="é".encode()[1:]),
    ],
    "a version that is none": [CREATED, entry("ItemUpdated", version=b"one")],
    "a version without digits": [CREATED, entry("ItemUpdated", version=b"")],
    "a version of too many digits": [CREATED, entry("ItemUpdated", version=b"9" * 5000)],
    "a version with a sign": [CREATED, entry("ItemUpdated", version=b"+7")],
    "another type": [CREATED, entry("ItemMoved")],
    "a delete with a body": [CREATED, entry("ItemDeleted", data=b"1")],
    "an update without one": [CREATED, entry("ItemUpdated", data=b"")],
    "both": [entry("ItemDeleted", data=b"1"), entry("ItemUpdated", data=b"")],
    "a field more": [CREATED, (b"1588334400000-0", [*UPDATED[1], b"more", b"1"])],
    "a field less": [CREATED, (b"1588334400000-0", UPDATED[1][:-2])],
    "all a field less": [(b"1588334400000-0", UPDATED[1][:-2])],
    "another field": [
        CREATED,
        entry("ItemUpdated", meta=b"{}"),
        (b"1588334400000-0", [*UPDATED[1][:8], b"mete", b"{}"]),
    ],
    "other fields": [(b"1588334400000-0", [b"a", b"1"])],
    "nothing": [],
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_counts_as_its_events_do_one_by_one(page: list[Entry]) -> None:
    """To the same numbers under the same names, with the same entries left out."""
    one_by_one: Counter[str] = Counter(items=5)
    at_once: Counter[str] = Counter(items=5)
    skipped = replace(STATISTICS, count_page=None).add_page(one_by_one, page)

    assert STATISTICS.add_page(at_once, page) == skipped

    assert dict(at_once) == dict(one_by_one)


@pytest.mark.parametrize(
    "name", ["of one type", "of all types", "nothing but deletes", "of two days"]
)
def test_what_the_store_writes_is_counted_at_once(name: str) -> None:
    """Without decoding it."""
    assert columns_of(PAGES[name])
