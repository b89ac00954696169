"""Events and what the log gives them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from itemstore.domain.events import (
    Event,
    ItemCreated,
    ItemDeleted,
    ItemUpdated,
    RecordedEvent,
)
from itemstore.domain.positions import time_of


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (ItemCreated("foo", b"{}"), "ItemCreated"),
        (ItemUpdated("foo", b"{}"), "ItemUpdated"),
        (ItemDeleted("foo"), "ItemDeleted"),
    ],
)
def test_the_names_of_events_never_change(event: Event, name: str) -> None:
    """They stand in logs that exist, so a rename of a class must fail here."""
    recorded = RecordedEvent("1-0", 1, event)
    assert recorded.type == name
    assert recorded.item == "foo"


@pytest.mark.parametrize(
    ("position", "time"),
    [
        ("0-0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1700000000123-7", datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
        ("253402300799999-0", datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_a_position_is_a_time_to_the_millisecond(position: str, time: datetime) -> None:
    """No float on the way: the last millisecond of the calendar is exact too."""
    assert time_of(position) == time
    assert RecordedEvent(position, 1, ItemDeleted("foo")).time == time


def test_nothing_is_known_of_a_write_unless_it_is_said() -> None:
    """Two events share no dictionary."""
    first = RecordedEvent("1-0", 1, ItemDeleted("foo"))
    second = RecordedEvent("1-0", 1, ItemDeleted("foo"))
    assert first.meta == {}
    assert first.meta is not second.meta
