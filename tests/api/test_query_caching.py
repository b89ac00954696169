"""Queries have entity tags as lists have: no change, no answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.store.read_model import ReadModel
from itemstore.store.scope import Scope
from tests.api.bearers import bearer
from tests.api.conftest import SEVERAL, Serve, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

QUERIES = [
    {"where": "@.size > 1"},
    {"order": "-size", "limit": "1"},
    {"where": "@.size", "fields": "name", "prefix": "f"},
    {"min_position": "0-0"},
]


@pytest.fixture
async def two(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with two items."""
    await client.put("/items/foo", json={"size": 1})
    await client.put("/items/fox", json={"size": 2})
    return client


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The queries that the read model was asked."""
    asked: list[Any] = []
    find: Any = ReadModel.find

    async def counted(self: ReadModel, query: Any) -> Any:
        asked.append(query)
        return await find(self, query)

    monkeypatch.setattr(ReadModel, "find", counted)
    return asked


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("params", QUERIES)
async def test_what_has_not_changed_is_304_and_not_looked_for(
    two: httpx.AsyncClient, finds: list[Any], params: dict[str, str], method: str
) -> None:
    """A client that names the tag has it from an answer to this very query."""
    first = await two.get("/items", params=params)
    tag = first.headers["etag"]
    assert (first.status_code, len(finds)) == (200, 1)
    assert tag.startswith('W/"')
    assert first.headers["cache-control"] == "no-cache"
    for tags in (tag, f'"other", {tag}'):
        answer = await two.request(method, "/items", params=params, headers={"if-none-match": tags})
        assert (answer.status_code, answer.content, len(finds)) == (304, b"", 1)
        for name in ("etag", "cache-control", "vary", "position"):
            assert answer.headers[name] == first.headers[name]


@pytest.mark.parametrize("params", QUERIES)
async def test_after_a_write_it_is_sent_again(
    two: httpx.AsyncClient, params: dict[str, str]
) -> None:
    """Under another tag."""
    tag = (await two.get("/items", params=params)).headers["etag"]
    await two.put("/items/fox", json={"size": 3})
    answer = await two.get("/items", params=params, headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


async def test_each_query_has_a_tag_of_its_own(two: httpx.AsyncClient) -> None:
    """So one that was never answered is not 304, however wrong it is."""
    tag = (await two.get("/items", params=QUERIES[0])).headers["etag"]
    for params in QUERIES[1:]:
        answer = await two.get("/items", params=params, headers={"if-none-match": tag})
        assert (answer.status_code, answer.headers["etag"] == tag) == (200, False)
    for tags in (tag, "*"):
        answer = await two.get("/items?where=@.size>", headers={"if-none-match": tags})
        problem(answer, 422, "invalid-query")


async def test_any_tag_matches_what_there_is(two: httpx.AsyncClient) -> None:
    """`*`, and none of an explanation; a weak tag matches no If-Match (RFC 9110 §13.1.1)."""
    answer = await two.get("/items", params=QUERIES[0], headers={"if-none-match": "*"})
    assert (answer.status_code, answer.content) == (304, b"")
    tag = answer.headers["etag"]
    explained = {"if-none-match": f"{tag}", "prefer": "explain"}
    assert (await two.get("/items", params=QUERIES[0], headers=explained)).status_code == 200
    for wanted in (tag, '"1"'):
        answer = await two.get("/items", params=QUERIES[0], headers={"if-match": wanted})
        problem(answer, 412, "unexpected-version")
    answer = await two.get("/items", params=QUERIES[0], headers={"if-match": "*"})
    assert answer.status_code == 200
    answer = await two.get("/items", params=QUERIES[0], headers={"if-none-match": "1"})
    problem(answer, 400, "malformed-header")


@pytest.mark.partitions(1)
async def test_no_token_is_shown_what_another_sees(
    redis: FakeAsyncRedis, whole: dict[str, str], client: httpx.AsyncClient
) -> None:
    """The tag is another one for another scope."""
    bound = await bearer(redis, "bound", Scope(prefixes=("fox",)))
    for name in ("foo", "fox"):
        await client.put(f"/items/{name}", json={"size": 1}, headers=whole)
    tag = (await client.get("/items?where=@.size", headers=whole)).headers["etag"]
    answer = await client.get("/items?where=@.size", headers=bound | {"if-none-match": tag})
    assert (answer.status_code, answer.json()["total"]) == (200, 1)


async def test_what_is_searched_is_a_part_of_the_tag(serve: Serve) -> None:
    """It changes with a setting, without an event."""
    tags = set()
    for text in ("name", "name,title"):
        client = serve(text=text)
        tags.add((await client.get("/items?search=fox")).headers["etag"])
    assert len(tags) == 2
