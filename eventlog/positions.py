"""Positions in the log: stream ids, `<ms>-<seq>`, that only go up."""

from __future__ import annotations

START = "0-0"
"""Before the first position of any log."""


def key_of(position: str) -> tuple[int, int]:
    """What positions sort by: milliseconds, then the number within them."""
    milliseconds, _, number = position.partition("-")
    return int(milliseconds), int(number)
