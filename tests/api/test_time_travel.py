"""`Accept-Datetime`: the way to an item as it was at a date (RFC 7089)."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.conftest import SEVERAL, problem
from tests.api.history import CREATED, DELETED, UPDATED, http_date, position_at, write_history

pytestmark = pytest.mark.partitions(1, SEVERAL)


@pytest.fixture
async def aged(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partitions: int
) -> httpx.AsyncClient:
    """A store in which `a/b` was made, changed twice in one second, deleted, and made again."""
    await write_history(
        redis,
        [
            (position_at("2020-01-01T00:00:00"), CREATED, "a/b", b"1"),
            (position_at("2021-01-01T00:00:00"), UPDATED, "a/b", b"2"),
            (position_at("2021-01-01T00:00:00", 999), UPDATED, "a/b", b"3"),
            (position_at("2022-01-01T00:00:00", 500), DELETED, "a/b", b""),
            (position_at("2023-01-01T00:00:00"), CREATED, "a/b", b"5"),
        ],
        partitions,
    )
    return client


async def then(client: httpx.AsyncClient, date: str) -> httpx.Response:
    """The answer to a GET of `a/b` with this Accept-Datetime."""
    return await client.get("/items/a%2Fb", headers={"accept-datetime": date})


@pytest.mark.parametrize(
    ("date", "version"),
    [
        ("2020-01-01T00:00:00", 1),
        ("2020-07-01T00:00:00", 1),
        ("2020-12-31T23:59:59", 1),
        ("2021-01-01T00:00:00", 3),
        ("2021-01-01T00:00:01", 3),
        ("2021-12-31T23:59:59", 3),
        ("2023-01-01T00:00:00", 5),
        ("2099-01-01T00:00:00", 5),
    ],
)
async def test_a_date_leads_to_the_version_that_was_current_then(
    aged: httpx.AsyncClient, date: str, version: int
) -> None:
    """At the end of that second, as an HTTP date knows no smaller part of a time."""
    answer = await then(aged, http_date(date))
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/items/a%2Fb/versions/{version}"
    memento = await aged.get(answer.headers["location"])
    assert memento.text == str(version)


async def test_the_way_there_varies_with_the_date_and_is_asked_for_again(
    aged: httpx.AsyncClient,
) -> None:
    """Vary, and the links of a TimeGate (RFC 7089 §4.1.1); it has no Memento-Datetime."""
    answer = await then(aged, http_date("2020-07-01T00:00:00"))
    assert answer.headers["vary"] == "accept-datetime, host, x-forwarded-proto"
    assert answer.headers["cache-control"] == "no-cache"
    assert {"original timegate latest-version", "timemap version-history"} == set(answer.links)
    assert "memento-datetime" not in answer.headers
    assert (await aged.get("/items/a%2Fb")).headers[
        "vary"
    ] == "accept, accept-datetime, host, x-forwarded-proto"


@pytest.mark.parametrize("date", ["2019-12-31T23:59:59", "1970-01-01T00:00:00", "1900-01-01"])
async def test_before_its_first_version_the_first_is_chosen(
    aged: httpx.AsyncClient, date: str
) -> None:
    """As RFC 7089 §4.5.3 wants it, also before all positions."""
    answer = await then(aged, http_date(date))
    assert (answer.status_code, answer.headers["location"]) == (302, "/items/a%2Fb/versions/1")


@pytest.mark.parametrize("date", ["2022-01-01T00:00:00", "2022-07-01T00:00:00"])
async def test_what_was_deleted_then_says_so(aged: httpx.AsyncClient, date: str) -> None:
    """404 `item-deleted` with the version that deleted it, although the item is there today."""
    assert problem(await then(aged, http_date(date)), 404, "item-deleted")["version"] == 4


async def test_an_item_that_is_deleted_today_is_still_there_in_the_past(
    aged: httpx.AsyncClient,
) -> None:
    """The past does not change."""
    await aged.delete("/items/a%2Fb")
    assert (await then(aged, http_date("2023-06-01T00:00:00"))).status_code == 302
    problem(await then(aged, http_date("2099-01-01T00:00:00")), 404, "item-deleted")


async def test_what_never_existed_was_never_there(aged: httpx.AsyncClient) -> None:
    """404 `item-not-found`, at any date."""
    headers = {"accept-datetime": http_date("2023-01-01T00:00:00")}
    problem(await aged.get("/items/nothing", headers=headers), 404, "item-not-found")


@pytest.mark.parametrize("date", ["", "yesterday", "2020-01-01T00:00:00Z", "1577836800", "Wed,"])
async def test_what_is_no_http_date_is_refused(aged: httpx.AsyncClient, date: str) -> None:
    """400, with the text that can't be read."""
    assert f"'{date}'" in problem(await then(aged, date), 400, "malformed-header")["detail"]


async def test_head_leads_there_too(aged: httpx.AsyncClient) -> None:
    """Memento clients ask with HEAD."""
    headers = {"accept-datetime": http_date("2020-07-01T00:00:00")}
    answer = await aged.head("/items/a%2Fb", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, "/items/a%2Fb/versions/1")


async def test_a_write_does_not_travel(aged: httpx.AsyncClient) -> None:
    """Accept-Datetime is for reading: a PUT with it is an ordinary PUT."""
    headers = {"accept-datetime": http_date("2020-07-01T00:00:00")}
    assert (await aged.put("/items/a%2Fb", json={}, headers=headers)).headers["etag"] == '"6"'
