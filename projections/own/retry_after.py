"""What an answer's Retry-After asks for (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_asked_for(field: str | None, now: datetime) -> float:
    """Seconds from now on; 0 for a time that is past, and for a field that can't be read."""
    if field is None:
        return 0.0
    text = field.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=UTC)
        return max(0.0, (then - now).total_seconds())
    except (ValueError, OverflowError):
        return 0.0
