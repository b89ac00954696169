"""Dates that clients send: read by their grammar, and by nothing looser."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from unittest.mock import patch

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.http import dates as times
from itemstore.store.cloudevents import NotAnEvent, decode
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

NO_TIMES = [
    1606121212345,
    1.5,
    True,
    [],
    "",
    "20200501",
    "2020-05-01",
    "2020-05-01T12:00:00",
    "2020-05-01 12:00:00Z",
    "2020-05-01T12:00Z",
    "2020-05-01T12:00:00.Z",
    "2020-05-01T12:00:00,5Z",
    "2020-05-01T12:00:00+0100",
    "2020-05-01T12:00:00+24:00",
    "2020-05-01T12:00:00+01:60",
    "2020-02-30T12:00:00Z",
    "2020-05-01T24:00:00Z",
    "2020-05-01T12:30:60Z",
    "2020-05-30T23:59:60Z",
    "2020-05-01T12:00:61Z",
    "2020-W18-5T12:00:00Z",
    "９020-05-01T12:00:00Z",
    " 2020-05-01T12:00:00Z",
    "2020-05-01T12:00:00Z\n",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:60Z",
]


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


@pytest.mark.parametrize("time", NO_TIMES)
def test_a_time_that_is_not_of_rfc_3339_is_refused(time: object) -> None:
    """Not one of ISO 8601 either, and no number."""
    with pytest.raises(NotAnEvent, match="RFC 3339"):
        decode(1, event_at(time))


@pytest.mark.parametrize("time", ["1965-01-01T00:00:00Z", "1970-01-01T00:59:59.999+01:00"])
def test_a_time_before_all_positions_is_refused(time: str) -> None:
    """It would be another time otherwise."""
    with pytest.raises(NotAnEvent, match="before 1970"):
        decode(1, event_at(time))


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("2020-05-01t12:00:00z", 1588334400000),
        ("2020-05-01T12:00:00.1234567890123Z", 1588334400123),
        ("2020-05-01T12:00:00.05Z", 1588334400050),
        ("2020-05-01T14:00:00+02:00", 1588334400000),
        ("2020-05-01T11:30:00-00:30", 1588334400000),
        ("2020-05-01T12:00:00-00:00", 1588334400000),
        ("2016-12-31T23:59:60Z", 1483228800000),
        ("2016-12-31T15:59:60.25-08:00", 1483228800250),
        ("1970-01-01T00:00:00Z", 0),
        (None, None),
    ],
)
def test_a_time_of_rfc_3339_is_read(time: str | None, milliseconds: int | None) -> None:
    """Lower case, leap seconds, offsets and any precision; a null is none."""
    assert decode(1, event_at(time)).milliseconds == milliseconds


def event_at(time: object) -> bytes:
    """A line to import, with this time."""
    return json.dumps({"type": CREATED, "subject": "a", "data": {}, "time": time}).encode()


def test_a_position_without_a_date_is_not_imported() -> None:
    """RFC 3339 ends with the year 9999, and every answer that names the event has its time."""
    line = {"type": CREATED, "subject": "a", "data": {}, "id": "253402300800000-0"}
    with pytest.raises(NotAnEvent, match="year 9999"):
        decode(1, json.dumps(line).encode())
    line["id"] = "253402300799999-0"
    assert decode(1, json.dumps(line).encode()).position == "253402300799999-0"


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
