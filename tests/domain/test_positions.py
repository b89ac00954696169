"""Positions: read and written in one place."""

from __future__ import annotations

import pytest

from itemstore.domain.positions import (
    LARGEST,
    LAST_TIME,
    key_of,
    milliseconds_of,
    position_at,
    position_of,
)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1-0", "1-0"),
        ("007-010", "7-10"),
        (f"{LARGEST}-{LARGEST}", f"{LARGEST}-{LARGEST}"),
        (f"{LARGEST + 1}-0", None),
        ("1", None),
        ("1-", None),
        ("-1-0", None),
        ("1-0\n", None),
        ("٣-0", None),
    ],
)
def test_a_position_is_read_as_the_engine_writes_it(text: str, position: str | None) -> None:
    """Without zeroes in front, and with numbers that the engine can count to."""
    assert position_of(text) == position


def test_what_is_written_is_read_again() -> None:
    """And sorts by its numbers, not as text."""
    assert key_of(position_at(10, 9)) == (10, 9)
    assert key_of("9-10") < key_of("10-2")


def test_no_time_is_after_the_last_date() -> None:
    """Somebody may have put such a position into the stream by hand."""
    assert milliseconds_of(f"{LAST_TIME}-1") == LAST_TIME
    assert milliseconds_of(f"{LAST_TIME + 1}-0") == LAST_TIME
