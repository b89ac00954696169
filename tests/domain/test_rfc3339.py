"""Times: what a store writes is read by a shorter way, and means the same."""

from __future__ import annotations

from datetime import datetime

import pytest

from itemstore.domain.rfc3339 import parse_rfc3339, rfc3339


def milliseconds(text: str) -> int | None:
    """None for what is no time."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        return None


@pytest.mark.parametrize("date", ["0000-01-01", "0001-01-01", "1969-12-31", "1970-01-01",
    "2023-02-29", "2024-02-29", "2026-06-30", "2026-13-01", "9999-12-31"])  # fmt: skip
@pytest.mark.parametrize("time", ["00:00:00.000", "08:09:06.123", "23:59:59.999", "23:59:60.500",
    "23:60:00.000", "24:00:00.000", "25:00:00.000", "08:09:61.000", "0８:09:06.000"])  # fmt: skip
def test_both_ways_of_reading_a_time_agree(date: str, time: str) -> None:
    """With Z it has the form that is written; with a zone of numbers it is read by the grammar."""
    assert milliseconds(f"{date}T{time}Z") == milliseconds(f"{date}T{time}+00:00")


@pytest.mark.parametrize("position", ["0-0", "5-7", "1795768629472-0", "253402300799999-1"])
def test_what_is_written_is_read_again(position: str) -> None:
    """To the millisecond, up to the last date."""
    text = rfc3339(position)
    assert parse_rfc3339(text) == int(position.partition("-")[0])
    assert datetime.fromisoformat(text).microsecond % 1000 == 0
