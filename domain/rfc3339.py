"""Times as JSON has them (RFC 3339), read by their grammar and by nothing looser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from itemstore.domain.positions import milliseconds_of

_RFC_3339 = re.compile(
    "([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?"
    "(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))"
)

_AS_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}):([0-5][0-9])\.([0-9]{3})Z"
)
"""The form that `rfc3339` gives: it is read in a fraction of the time that the grammar takes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_LEAP = 60
_MINUTE_MS = 60_000


def rfc3339(position: str) -> str:
    """The time of a position as in `2026-11-23T08:09:06.123Z`."""
    return _time(position.partition("-")[0])


@lru_cache(maxsize=4096)
def _time(position: str) -> str:
    """That of a position's milliseconds. Those that are appended together share them."""
    minute, rest = divmod(milliseconds_of(position), _MINUTE_MS)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


@lru_cache(maxsize=4096)
def _minute(number: int) -> str:
    """A minute since 1970 up to its seconds. A page has few of them and many events."""
    return (_EPOCH + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:")


@lru_cache(maxsize=4096)
def _milliseconds_at(minute: str) -> int:
    """Those from 1970 to a minute as `_minute` writes it. Raises ValueError where it is none."""
    return (datetime.fromisoformat(f"{minute}:00Z") - _EPOCH) // _MILLISECOND


def parse_rfc3339(text: str) -> int:
    """Milliseconds since 1970 of a time such as `2026-11-23T08:09:06.5+01:00` (RFC 3339 §5.6).

    Negative for a time before it. Raises ValueError for what is none.
    """
    if written := _AS_WRITTEN.fullmatch(text):
        minute, second, rest = written.groups()
        return _milliseconds_at(minute) + int(second) * 1000 + int(rest)
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes = int(match["hours"] or 0), int(match["minutes"] or 0)
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - as on a clock
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    zone = timezone(-offset if match["sign"] == "-" else offset)
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    seconds = seconds_at(datetime(year, month, day, hour, minute, tzinfo=zone), second)
    return seconds * 1000 + int(f"{match['fraction'] or '':0<3}"[:3])


def seconds_at(minute: datetime, second: int) -> int:
    """Seconds since 1970 of a second of that minute; 60 is a leap second (RFC 3339 §5.7).

    A leap second is the first one after it, as POSIX counts; it can only be the last of a month.
    Raises ValueError where there is no such second.
    """
    try:
        time = (minute + timedelta(seconds=second)).astimezone(UTC)
    except OverflowError:  # in UTC it is in the year 0, or 10000
        raise ValueError(second) from None
    if second > _LEAP or (second == _LEAP and (time.day, time.hour, time.minute) != (1, 0, 0)):
        raise ValueError(second)
    return (time - _EPOCH) // _SECOND
