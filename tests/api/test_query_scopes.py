"""Queries with tokens: they find what is inside of the token's scope, and count nothing else."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import WHOLE, Scope
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create
from tests.api.bearers import bearer
from tests.api.conftest import client_of, problem

IDS = ["eu/1", "eu/2", "eu2", "us/1"]


@pytest.fixture
def app(redis: FakeAsyncRedis) -> ItemStore:
    """A store with two collections."""
    return create_app(Settings(), redis=redis, collections={"orders": None, "notes": None})


@pytest.fixture
async def filled(app: ItemStore, whole: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A store with the same items in both."""
    async with client_of(app) as client:
        for collection in ("orders", "notes"):
            for number, name in enumerate(IDS):
                path = f"/{collection}/{name.replace('/', '%2F')}"
                await client.put(path, json={"n": number}, headers=whole)
        yield client


@pytest.mark.parametrize(
    ("prefixes", "prefix", "ids"),
    [
        (("eu/",), "", ["eu/1", "eu/2"]),
        (("eu",), "", ["eu/1", "eu/2", "eu2"]),
        (("eu/2", "us"), "", ["eu/2", "us/1"]),
        (("eu",), "eu/", ["eu/1", "eu/2"]),
        (("eu/",), "eu", ["eu/1", "eu/2"]),
        (("eu/",), "us", []),
        (("nowhere",), "", []),
    ],
)
async def test_only_what_is_inside_is_found_and_counted(
    redis: FakeAsyncRedis,
    filled: httpx.AsyncClient,
    prefixes: tuple[str, ...],
    prefix: str,
    ids: list[str],
) -> None:
    """Whatever is asked for, on one page or on many."""
    bound = await bearer(redis, "bound", Scope(frozenset({"orders"}), prefixes))
    for asked in ({"where": "@.n >= 0"}, {"order": "-n"}, {"where": "!@.m", "order": "n"}):
        params = {**asked, "prefix": prefix, "limit": "1"}
        found: list[str] = []
        while True:
            answer = await filled.get("/orders", params=params, headers=bound)
            page = answer.json()
            assert answer.status_code == 200, page
            assert page["total"] == len(ids)
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            params["after"] = page["next"]
        assert sorted(found) == ids


async def test_a_collection_outside_is_not_looked_into(
    redis: FakeAsyncRedis, filled: httpx.AsyncClient
) -> None:
    """403, however wrong the query is, and whatever the position."""
    bound = await bearer(redis, "bound", Scope(frozenset({"orders"})))
    for query in ("where=@.n", "where=@.n==", "order=n", "min_position=x", "search=x"):
        problem(await filled.get(f"/notes?{query}", headers=bound), 403, "forbidden")
    assert (await filled.get("/orders?where=@.n", headers=bound)).json()["total"] == len(IDS)


async def test_no_token_and_one_that_has_expired_find_nothing(
    redis: FakeAsyncRedis, filled: httpx.AsyncClient
) -> None:
    """401, as everywhere."""
    over = datetime.now(UTC) - timedelta(seconds=1)
    text = await create(Partition(redis, Keys()), "over", Role.reader, WHOLE, expires=over)
    for headers in ({}, {"authorization": f"Bearer {text}"}):
        problem(await filled.get("/orders?where=@.n", headers=headers), 401, "unauthorized")


async def test_a_cursor_of_one_token_shows_another_nothing_more(
    redis: FakeAsyncRedis, filled: httpx.AsyncClient, whole: dict[str, str]
) -> None:
    """It is a place, and no right."""
    bound = await bearer(redis, "bound", Scope(prefixes=("eu/",)))
    first = await filled.get("/orders?order=n&limit=1", headers=whole)
    asked = {"order": "n", "after": first.json()["next"]}
    page = (await filled.get("/orders", params=asked, headers=bound)).json()
    assert ([each["id"] for each in page["items"]], page["total"]) == (["eu/2"], 2)


def content_of(cursor: str) -> bytes:
    """The bytes that a cursor is made of."""
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


async def test_where_a_page_goes_on_tells_of_nothing_outside(
    redis: FakeAsyncRedis, whole: dict[str, str]
) -> None:
    """A query that stops early: no cursor has an id or a value of what is outside."""
    settings = Settings(query_rows=3, indexes="orders=n")
    app = create_app(settings, redis=redis, collections={"orders": None})
    bound = await bearer(redis, "bound", Scope(prefixes=("eu",)))
    async with client_of(app) as client:
        for number in range(12):
            at = "us" if number % 3 else "eu"
            await client.put(
                f"/orders/{at}{number:02}", json={"n": f"{number:02} {at}"}, headers=whole
            )
        params = {"order": "n"}
        found: list[str] = []
        for _ in range(20):
            answer = await client.get("/orders", params=params, headers=bound)
            page = answer.json()
            assert answer.status_code == 200, page
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            assert b"us" not in content_of(page["next"])
            params["after"] = page["next"]
        assert found == ["eu00", "eu03", "eu06", "eu09"]


async def test_who_sees_a_part_is_not_told_what_was_looked_at(redis: FakeAsyncRedis) -> None:
    """An index has items outside too, so their number would say which values there are."""
    app = create_app(Settings(indexes="orders=n"), redis=redis, collections={"orders": None})
    whole = await bearer(redis, "all", WHOLE)
    bound = await bearer(redis, "bound", Scope(prefixes=("eu",)))
    of_all = await bearer(redis, "orders", Scope(frozenset({"orders"})))
    async with client_of(app) as client:
        for name in ("eu1", "eu2", "eu3", "us1"):
            await client.put(f"/orders/{name}", json={"n": name}, headers=whole)
        for headers, total in ((bound, 0), (of_all, 1)):
            asked = {**headers, "prefer": "explain"}
            answer = await client.get("/orders", params={"where": '@.n == "us1"'}, headers=asked)
            is_told = headers is of_all
            assert answer.json()["total"] == total
            assert ("plan" in answer.json()) is is_told
            assert ("preference-applied" in answer.headers) is is_told
            assert ("etag" in answer.headers) is not is_told


async def test_who_sees_some_collections_is_not_told_what_others_have(
    redis: FakeAsyncRedis,
) -> None:
    """The index that would help is named, the operator's setting is not."""
    settings = Settings(query_rows=1, indexes="notes=secret")
    app = create_app(settings, redis=redis, collections={"orders": None, "notes": None})
    bound = await bearer(redis, "bound", Scope(frozenset({"orders"})))
    async with client_of(app) as client:
        for name in ("a", "b"):
            await client.put(f"/orders/{name}", json={"n": name}, headers=bound)
        answer = await client.get("/orders?where=@.n==1", headers=bound)
        said = problem(answer, 422, "query-too-expensive")
        assert said["index"] == "n"
        assert "setting" not in said
        assert "secret" not in answer.text
