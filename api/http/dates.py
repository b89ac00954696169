"""A position's time, as headers and as JSON show it, and the dates that clients send.

What is read here is read by its grammar, and by nothing looser: a date that was meant otherwise
than it was read changes which version is shown, or whether a write is carried out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from time import time as clock

from itemstore.domain.events import LAST_TIME, position_time
from itemstore.server.http_date import http_date

_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_DAY = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_CLOCK = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

_IMF_FIXDATE = re.compile(
    f"(?:{_DAY}), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_CLOCK} GMT"
)
_RFC_850 = re.compile(
    f"(?:{_DAYS}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_CLOCK} GMT"
)
_ASCTIME = re.compile(f"(?:{_DAY}) {_MONTH} (?P<day>[0-9 ][0-9]) {_CLOCK} (?P<year>[0-9]{{4}})")

_RFC_3339 = re.compile(
    "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt]"
    rf"{_CLOCK}(?:\.(?P<fraction>[0-9]+))?"
    "(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_LEAP = 60
_HALF_A_CENTURY = 50


def seconds_of(position: str) -> int:
    """The time of a position in whole seconds since 1970, the precision of an HTTP date."""
    return min(LAST_TIME, int(position.partition("-")[0])) // 1000


def event_date(position: str) -> bytes:
    """The time of a position as an HTTP date."""
    return http_date(seconds_of(position))


def last_modified(position: str) -> bytes:
    """The same, but now where it is in the future: no Last-Modified may be (§8.8.2.1)."""
    seconds, now = int(position.partition("-")[0]) // 1000, clock()
    return http_date(seconds if seconds <= now else int(now))


def rfc3339(position: str) -> str:
    """The time of a position as in `2026-11-23T08:09:06.123Z`."""
    time = position_time(position).replace(tzinfo=None)
    return time.isoformat(timespec="milliseconds") + "Z"


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970 of an HTTP date in any of its three forms (RFC 9110 §5.6.7).

    None for everything else, two dates in one field among it: such a header is ignored (§13.1.3).
    """
    for form in (_IMF_FIXDATE, _RFC_850, _ASCTIME):
        if match := form.fullmatch(text):
            return _seconds(match, is_short=form is _RFC_850)
    return None


def parse_rfc1123_date(text: str) -> int | None:
    """Seconds since 1970 of the one form that Accept-Datetime has (RFC 7089 §2.1.1), or None."""
    match = _IMF_FIXDATE.fullmatch(text)
    return None if match is None else _seconds(match)


def parse_rfc3339(text: str) -> int:
    """Milliseconds since 1970 of a time such as `2026-11-23T08:09:06.5+01:00` (RFC 3339 §5.6).

    Negative for a time before it. Raises ValueError for what is none.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes = int(match["hours"] or 0), int(match["minutes"] or 0)
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - as on a clock
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    zone = timezone(-offset if match["sign"] == "-" else offset)
    try:
        time = _time(match, int(match["year"]), int(match["month"]), zone).astimezone(UTC)
    except OverflowError:  # in UTC it is in the year 0, or 10000
        raise ValueError(text) from None
    fraction = int(f"{match['fraction'] or '':0<3}"[:3])
    return (time - _EPOCH) // _SECOND * 1000 + fraction


def now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def _seconds(match: re.Match[str], *, is_short: bool = False) -> int | None:
    year, month = int(match["year"]), _MONTHS.index(match["month"]) + 1
    if is_short:
        year = _long(year, (month, *(int(match[part]) for part in ("day", "hour", "minute"))))
    try:
        return (_time(match, year, month, UTC) - _EPOCH) // _SECOND
    except (ValueError, OverflowError):  # the 30th of February, or the year 0
        return None


def _long(year: int, rest: tuple[int, ...]) -> int:
    """The year of two digits in full: the latest that is not more than 50 years from now."""
    today = now()
    latest = (today.year + _HALF_A_CENTURY, today.month, today.day, today.hour, today.minute)
    century = latest[0] // 100 * 100
    return century + year - (100 if (century + year, *rest) > latest else 0)


def _time(match: re.Match[str], year: int, month: int, zone: timezone) -> datetime:
    """The time that the parts stand for. Raises ValueError, and OverflowError.

    A leap second is the first one after it, as POSIX counts; it can only be the last of a month.
    """
    day, hour, minute, second = (int(match[part]) for part in ("day", "hour", "minute", "second"))
    if second != _LEAP:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    time = (datetime(year, month, day, hour, minute, 59, tzinfo=zone) + _SECOND).astimezone(UTC)
    if (time.day, time.hour, time.minute) != (1, 0, 0):
        raise ValueError(match[0])
    return time
