"""Positions in the log: stream ids, `<ms>-<seq>`, that only go up."""

from __future__ import annotations

import re

START = "0-0"
"""Before the first position of any log."""

LARGEST = 2**64 - 1
"""What each of the two numbers can be at most, as the engine counts."""

_POSITION = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")


def position_of(text: str) -> str | None:
    """The position that a text is, as the engine writes it: without zeroes in front; or None."""
    match = _POSITION.fullmatch(text)
    if match is None or max(int(match[1]), int(match[2])) > LARGEST:
        return None
    return f"{int(match[1])}-{int(match[2])}"


def key_of(position: str) -> tuple[int, int]:
    """What positions sort by: milliseconds, then the number within them."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
