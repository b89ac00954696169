"""A position's time, as headers and as JSON show it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from domain.events import position_time


def seconds_of(position: str) -> int:
    """The time of a position in whole seconds since 1970, the precision of an HTTP date."""
    return int(position.partition("-")[0]) // 1000


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """The time as an HTTP date (RFC 9110 §5.6.7)."""
    return formatdate(seconds, usegmt=True).encode()


def last_modified(position: str) -> bytes:
    """The time of a position as an HTTP date."""
    return http_date(seconds_of(position))


def rfc3339(position: str) -> str:
    """The time of a position as in `2026-11-23T08:09:06.123Z`."""
    time = position_time(position).replace(tzinfo=None)
    return time.isoformat(timespec="milliseconds") + "Z"


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970, None for what is not an HTTP date: such a header is ignored (§13.1.3)."""
    try:
        time = parsedate_to_datetime(text)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)
