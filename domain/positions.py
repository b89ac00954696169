"""Positions in the log: stream ids, `<ms>-<number>`, that only go up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

START = "0-0"
"""Before the first position of any log."""

LARGEST = 2**64 - 1
"""What each of the two numbers can be at most, as the engine counts."""

LAST_TIME = 253_402_300_799_999
"""Milliseconds since 1970 at the end of the year 9999; no date is later than that."""

PATTERN = "^[0-9]{1,20}-[0-9]{1,20}$"
"""The form of a position, for JSON Schema."""

_POSITION = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")

_AS_WRITTEN = re.compile("(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")
"""As the engine writes nearly all of them: no zeroes in front, and too short to be too large."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def position_of(text: str) -> str | None:
    """The position that a text is, as the engine writes it: without zeroes in front; or None."""
    if _AS_WRITTEN.fullmatch(text):
        return text
    match = _POSITION.fullmatch(text)
    if match is None or max(int(match[1]), int(match[2])) > LARGEST:
        return None
    return position_at(int(match[1]), int(match[2]))


def position_at(milliseconds: int, number: int) -> str:
    """The position of the event with this number, from 0, within a millisecond since 1970."""
    return f"{milliseconds}-{number}"


def key_of(position: str) -> tuple[int, int]:
    """What positions sort by: milliseconds, then the number within them."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)


def milliseconds_of(position: str) -> int:
    """The time that a position stands for, in milliseconds since 1970; at most LAST_TIME."""
    return min(LAST_TIME, int(position.partition("-")[0]))


def time_of(position: str) -> datetime:
    """The time that a position stands for, UTC, to the millisecond; at most that of LAST_TIME."""
    return _EPOCH + timedelta(milliseconds=milliseconds_of(position))
