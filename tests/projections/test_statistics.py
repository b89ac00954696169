"""The numbers that one event adds to the statistics."""

from __future__ import annotations

from collections import Counter

import pytest

from itemstore.domain.events import ItemCreated, RecordedEvent
from itemstore.projections.statistics import count


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
