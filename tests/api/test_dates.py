"""Dates that clients send: read by their grammar, and by nothing looser."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.http import dates as times
from itemstore.api.http.conditions import conditions_in
from tests.api.conftest import problem
from tests.api.history import CREATED, UPDATED, position_at, write_history

NOT_RFC_1123 = [
    "Thu, 01 Jan 2026 00:00:00 UTC",
    "Thu, 01 Jan 2026 00:00:00 +0000",
    "Thu, 01 Jan 2026 00:00:00",
    "01 Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 2026 00:00:00 EST",
    "Thu, 01 Jan 2026 00:00:00 GMT x",
    "Thu, 01 Jan 2026 00:00:00 gmt",
    "thu, 01 Jan 2026 00:00:00 GMT",
    "Thu, 01 JAN 2026 00:00:00 GMT",
    "Thu, 1 Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 26 00:00:00 GMT",
    "Thu,  01 Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 2026 24:00:00 GMT",
    "Thu, 01 Jan 2026 12:30:60 GMT",
    "Thu, 01 Jan 2026 00:00 GMT",
    "Thu, 30 Feb 2026 00:00:00 GMT",
    "Thu, 01 Jan 0000 00:00:00 GMT",
    "Thu, ٠١ Jan 2026 00:00:00 GMT",
    "Thu, 01 Jan 2026 00:00:00 GMT, Thu, 01 Jan 2026 00:00:00 GMT",
    "2026-01-01T00:00:00Z",
]

OBSOLETE = ["Thursday, 01-Jan-26 00:00:00 GMT", "Thu Jan  1 00:00:00 2026"]


@pytest.fixture
async def m(client: httpx.AsyncClient, redis: FakeAsyncRedis) -> httpx.AsyncClient:
    """A store in which `m` was made in 2024, and changed in 2025 and 2026."""
    lines = zip((2024, 2025, 2026), (CREATED, UPDATED, UPDATED), strict=True)
    await write_history(
        redis,
        [(position_at(f"{year}-01-01T00:00:00"), kind, "m", b"{}") for year, kind in lines],
    )
    return client


@pytest.mark.parametrize("date", NOT_RFC_1123 + OBSOLETE)
async def test_accept_datetime_takes_an_rfc1123_date_only(m: httpx.AsyncClient, date: str) -> None:
    """RFC 7089 §4.5.3: everything else is 400, the obsolete forms of a date among it."""
    answer = await m.get("/items/m", headers={b"accept-datetime": date.encode()})
    assert "08:09:06 GMT" in problem(answer, 400, "malformed-header")["detail"]


@pytest.mark.parametrize("date", NOT_RFC_1123)
async def test_a_condition_that_is_no_http_date_is_ignored(m: httpx.AsyncClient, date: str) -> None:
    """RFC 9110 §13.1.3 and §13.1.4; as is one of two dates."""
    later, earlier = date.replace("26", "27").encode(), date.replace("26", "20").encode()
    assert (await m.get("/items/m", headers={b"if-modified-since": later})).status_code == 200
    assert (await m.get("/items/m", headers={b"if-unmodified-since": earlier})).status_code == 200
    answer = await m.put("/items/m", json={}, headers={b"if-unmodified-since": earlier})
    assert answer.status_code == 200


async def test_two_dates_in_two_fields_are_ignored(m: httpx.AsyncClient) -> None:
    """More than one member is no date, also where both are."""
    field = ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")
    assert (await m.get("/items/m", headers=[field])).status_code == 304
    assert (await m.get("/items/m", headers=[field, field])).status_code == 200


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 2027 23:59:60 GMT",
        "Friday, 31-Dec-27 23:59:59 GMT",
        "Fri Dec 31 23:59:59 2027",
        "Fri Jan  1 00:00:00 2027",
        "Fri, 01 Jan 9999 00:00:00 GMT",
    ],
)
async def test_a_condition_may_have_any_of_the_three_forms(m: httpx.AsyncClient, date: str) -> None:
    """RFC 9110 §5.6.7; with a leap second too."""
    assert (await m.get("/items/m", headers={"if-modified-since": date})).status_code == 304
    assert (await m.get("/items/m", headers={"if-unmodified-since": date})).status_code == 200


@pytest.mark.parametrize(
    "date",
    [
        "Thursday, 01-Jan-70 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Wed Dec 31 23:59:59 1969",
    ],
)
async def test_a_condition_may_be_older_than_every_position(
    m: httpx.AsyncClient, date: str
) -> None:
    """The item changed since, and so the write is refused."""
    with patch.object(times, "now", lambda: datetime(2019, 6, 1, tzinfo=UTC)):
        modified = await m.get("/items/m", headers={"if-modified-since": date})
        refused = await m.put("/items/m", json={}, headers={"if-unmodified-since": date})
    assert modified.status_code == 200
    problem(refused, 412, "unexpected-version")


@pytest.mark.parametrize(
    ("today", "digits", "year"),
    [
        ("2026-11-27T12:00:00", "76", 2076),
        ("2026-11-27T12:00:00", "77", 1977),
        ("2026-11-27T12:00:00", "26", 2026),
        ("2026-11-27T12:00:00", "00", 2000),
        ("2026-01-01T00:00:00", "76", 1976),
        ("2028-02-29T00:00:00", "78", 2078),
        ("2060-11-27T12:00:00", "05", 2105),
        ("2060-11-27T12:00:00", "11", 2011),
    ],
)
def test_two_digits_are_a_year_that_is_at_most_fifty_years_ahead(
    today: str, digits: str, year: int
) -> None:
    """RFC 9110 §5.6.7: what would be later is the last year that ended so."""
    with patch.object(times, "now", lambda: datetime.fromisoformat(today).replace(tzinfo=UTC)):
        seconds = times.parse_http_date(f"Monday, 02-Feb-{digits} 10:20:30 GMT")
    assert seconds == datetime(year, 2, 2, 10, 20, 30, tzinfo=UTC).timestamp()


def test_two_digits_are_a_year_as_it_is_when_they_are_asked_for() -> None:
    """Conditions are kept with the header fields, which come again later."""
    conditions = conditions_in({b"if-unmodified-since": b"Monday, 02-Feb-76 10:20:30 GMT"})
    for today, year in (("2026-01-01T00:00:00", 1976), ("2026-11-27T12:00:00", 2076)):
        now = datetime.fromisoformat(today).replace(tzinfo=UTC)
        with patch.object(times, "now", return_value=now):
            seconds = conditions.unmodified_since
        assert seconds == datetime(year, 2, 2, 10, 20, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("path", ["items", "items/a", "items/a/versions", "items/a/versions/1"])
@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_position_without_a_date_breaks_no_answer(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, path: str, accept: str
) -> None:
    """Somebody may have put one into the stream by hand: the last date stands for it."""
    await write_history(redis, [("999999999999999-0", CREATED, "a", b"{}")])
    answer = await client.get(f"/{path}", headers={"accept": accept})
    assert answer.status_code == 200
    for also in ("/events", "/items/a/events", "/projections"):
        assert "9999-12-31T23:59:59.999Z" in (await client.get(also)).text
