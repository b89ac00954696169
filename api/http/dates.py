"""A position's time as header fields show it, and the dates that clients send in them.

Dates are read strictly by their grammar: one that is read differently from how it was meant
changes which version is shown, or whether a write is carried out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from time import time as clock

from itemstore.domain.positions import milliseconds_of
from itemstore.domain.rfc3339 import seconds_at
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

_HALF_A_CENTURY = 50


def seconds_of(position: str) -> int:
    """The time of a position in whole seconds since 1970, the precision of an HTTP date."""
    return _seconds_at(position.partition("-")[0])


@lru_cache(maxsize=4096)
def _seconds_at(milliseconds: str) -> int:
    """Those of a position's first number. Events that are appended together share it."""
    return milliseconds_of(milliseconds) // 1000


def event_date(position: str) -> bytes:
    """The time of a position as an HTTP date."""
    return http_date(seconds_of(position))


def last_modified(position: str) -> bytes:
    """The time of a position for Last-Modified, which is never in the future (§8.8.2.1)."""
    return http_date(min(seconds_of(position), int(clock())))


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970 of an HTTP date in any of its three forms (RFC 9110 §5.6.7).

    None for anything else, such as two dates in one field: the header is then ignored (§13.1.3).
    """
    for form in (_IMF_FIXDATE, _RFC_850, _ASCTIME):
        if match := form.fullmatch(text):
            return _seconds(match, is_short=form is _RFC_850)
    return None


def parse_rfc1123_date(text: str) -> int | None:
    """Seconds since 1970 of the one form that Accept-Datetime has (RFC 7089 §2.1.1), or None."""
    match = _IMF_FIXDATE.fullmatch(text)
    return None if match is None else _seconds(match)


def now() -> datetime:
    """The time now, UTC."""
    return datetime.now(UTC)


def _seconds(match: re.Match[str], *, is_short: bool = False) -> int | None:
    year, month = int(match["year"]), _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = map(int, match.group("day", "hour", "minute", "second"))
    if is_short:
        year = _long(year, (month, day, hour, minute))
    try:
        return seconds_at(datetime(year, month, day, hour, minute, tzinfo=UTC), second)
    except ValueError:  # the 30th of February, or the year 0
        return None


def _long(year: int, rest: tuple[int, ...]) -> int:
    """The year of two digits in full: the latest that is not more than 50 years from now."""
    today = now()
    latest = (today.year + _HALF_A_CENTURY, today.month, today.day, today.hour, today.minute)
    century = latest[0] // 100 * 100
    return century + year - (100 if (century + year, *rest) > latest else 0)
