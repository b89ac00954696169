"""Places in the log as people name them: by a cursor, or by a time."""

from __future__ import annotations

from itemstore.domain.cursors import cursor_of
from itemstore.domain.positions import LARGEST, START, position_at
from itemstore.domain.rfc3339 import parse_rfc3339


def place_of(text: str, partitions: int) -> str | None:
    """The cursor that a text is, or that before all events at an RFC 3339 time; None of neither."""
    cursor = cursor_of(text, partitions)
    if cursor is not None:
        return cursor
    try:
        milliseconds = parse_rfc3339(text)
    except ValueError:
        return None
    return START if milliseconds < 1 else position_at(milliseconds - 1, LARGEST)
