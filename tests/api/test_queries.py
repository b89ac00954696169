"""Queries: items found by what is in them, in the order that is asked for, in pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from itemstore.api.resources import item_queries
from itemstore.domain.positions import key_of
from itemstore.projections.queries.query import Found, Query
from itemstore.store.read_model import ReadModel
from tests.api.conftest import SEVERAL, Events, Serve, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

BOOKS: dict[str, dict[str, Any]] = {
    "dune": {"title": "Dune", "price_cents": 899, "by": {"name": "Herbert"}},
    "emma": {"title": "Emma", "price_cents": 650, "by": {"name": "Austen"}, "tags": ["old"]},
    "ilium": {"title": "Ilium", "price_cents": 1299, "by": {"name": "Simmons"}},
    "ulysses": {"title": "Ulysses", "price_cents": 650, "by": {"name": "Joyce"}},
    "unread": {"title": "Unread"},
}


@pytest.fixture
async def shop(serve: Serve) -> httpx.AsyncClient:
    """A store of books."""
    client = serve(model="any")
    for name, body in BOOKS.items():
        assert (await client.put(f"/items/{name}", json=body)).status_code == 201
    return client


async def found(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """The ids that a query finds, on its first page."""
    answer = await client.get("/items", params=parameters)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


WHERE = {
    "@.price_cents < 1000": ["dune", "emma", "ulysses"],
    '@.price_cents < 1000 && match(@.title, "E.*")': ["emma"],
    "@.tags": ["emma"],
    "!@.price_cents": ["unread"],
    '@.by.name == "Joyce" || @["price_cents"] > 1000': ["ilium", "ulysses"],
    "length(@.title) == 4": ["dune", "emma"],
    "count(@.tags[*]) == 1": ["emma"],
    '@.tags[?@ == "old"]': ["emma"],
    "@.price_cents == 650.0": ["emma", "ulysses"],
    "@.nothing == @.neither": ["dune", "emma", "ilium", "ulysses", "unread"],
    "1 == 2": [],
}

ORDER = {
    "price_cents": ["emma", "ulysses", "dune", "ilium", "unread"],
    "-price_cents": ["ilium", "dune", "emma", "ulysses", "unread"],
    "-price_cents,-title": ["ilium", "dune", "ulysses", "emma", "unread"],
    "@.by.name": ["emma", "dune", "ulysses", "ilium", "unread"],
    "-$['by']['name']": ["ilium", "ulysses", "dune", "emma", "unread"],
}


async def test_where_finds_the_items_whose_bodies_meet_it(shop: httpx.AsyncClient) -> None:
    """As RFC 9535 says; by id, where no order is asked for."""
    for where, ids in WHERE.items():
        answer = await shop.get("/items", params={"where": where})
        assert [each["id"] for each in answer.json()["items"]] == ids, where
        assert answer.json()["total"] == len(ids)


async def test_order_puts_them_in_order(shop: httpx.AsyncClient) -> None:
    """Those without the value come last, and where values are the same the id decides."""
    for order, ids in ORDER.items():
        assert await found(shop, order=order) == ids


async def test_an_entry_is_what_it_is_in_a_list(shop: httpx.AsyncClient) -> None:
    """With id, version, time and body; and nothing besides."""
    plain = (await shop.get("/items?prefix=emma")).json()
    answer = (await shop.get("/items", params={"where": '@.title == "Emma"'})).json()
    assert answer == plain


async def test_pages_have_every_item_once(shop: httpx.AsyncClient) -> None:
    """Each says where the next one is, in `next` and in Link, and the last one that it is that."""
    for order in (None, "title", "-price_cents", "@.by.x,-title"):
        for limit in (1, 2, 4):
            asked = {"where": "@.title", "limit": str(limit)}
            await check_pages(shop, asked if order is None else {**asked, "order": order})


async def check_pages(shop: httpx.AsyncClient, asked: dict[str, str]) -> None:
    """Goes from page to page, and looks at what each says."""
    whole = await found(shop, **asked | {"limit": "100"})
    ids, url = [], httpx.URL("/items", params=asked)
    for _ in range(len(BOOKS) + 1):
        answer = await shop.get(url)
        page = answer.json()
        ids += [each["id"] for each in page["items"]]
        assert len(page["items"]) <= int(asked["limit"])
        assert page["total"] == len(BOOKS)
        if page["next"] is None:
            assert "link" not in answer.headers
            break
        link = answer.links["next"]["url"]
        following = await shop.get("/items", params={**asked, "after": page["next"]})
        assert following.json() == (await shop.get(link)).json()
        url = httpx.URL(link)
    assert ids == whole


async def test_a_prefix_narrows_a_query(shop: httpx.AsyncClient) -> None:
    """And its total."""
    answer = await shop.get("/items", params={"where": "@.title", "prefix": "u"})
    assert [each["id"] for each in answer.json()["items"]] == ["ulysses", "unread"]
    assert answer.json()["total"] == 2
    assert await found(shop, where="@.title", prefix="u\0") == []


async def test_fields_leave_the_rest_of_each_body_out(shop: httpx.AsyncClient) -> None:
    """In a query and in a plain list alike, where they are the same as in the body."""
    for asked in ({"where": "@.tags"}, {"prefix": "emma"}):
        answer = await shop.get("/items", params={**asked, "fields": "title,@.by.name,missing"})
        [entry] = answer.json()["items"]
        assert entry["item"] == {"title": "Emma", "by": {"name": "Austen"}}
        assert (entry["id"], entry["version"]) == ("emma", 1)
        assert answer.json()["total"] == 1


async def test_the_pages_of_a_list_with_fields_keep_them(shop: httpx.AsyncClient) -> None:
    """The links of a plain list too."""
    answer = await shop.get("/items?fields=title&limit=1")
    [entry] = (await shop.get(answer.links["next"]["url"])).json()["items"]
    assert entry["item"] == {"title": "Emma"}


async def test_large_bodies_have_fields_too(serve: Serve) -> None:
    """They are worked out beside the event loop."""
    client = serve(model="any")
    await client.put("/items/large", json={"text": "x" * 100_000, "size": 1.0, "list": []})
    await client.put("/items/small", json={"size": 10**30})
    answer = await client.get("/items?fields=size,list")
    assert '"item":{"size":1.0,"list":[]}' in answer.text
    assert f'"item":{{"size":{10**30}}}' in answer.text


async def test_head_is_get_without_the_body(shop: httpx.AsyncClient) -> None:
    """With its length."""
    for params in ({"where": "@.price_cents > 700", "limit": "1"}, {"where": "@.a =="}):
        answer = await shop.get("/items", params=params)
        head = await shop.head("/items", params=params)
        assert (head.status_code, head.content) == (answer.status_code, b"")
        assert head.headers == answer.headers


@pytest.mark.partitions(1)
async def test_an_answer_says_as_of_which_event_it_is(
    shop: httpx.AsyncClient, events: Events
) -> None:
    """That of one's own last write, in a store that is open in the process."""
    answer = await shop.get("/items", params={"where": "@.price_cents"})
    assert answer.headers["position"] == (await events())[-1].position
    written = await shop.delete("/items/emma")
    answer = await shop.get("/items", params={"where": "@.price_cents"})
    assert answer.headers["position"] == written.headers["event-id"]
    assert answer.json()["total"] == 3


async def test_a_plain_list_has_no_position(shop: httpx.AsyncClient) -> None:
    """It is what it was, straight from the items, whatever it prefers."""
    for path in ("/items", "/items?fields=title", "/items?prefix=e&limit=3"):
        answer = await shop.get(path, headers={"prefer": "explain"})
        assert {"position", "preference-applied"}.isdisjoint(answer.headers)
        assert answer.headers["vary"] == "accept"
        assert "plan" not in answer.json()


@pytest.mark.partitions(1)
async def test_a_position_that_is_there_is_not_waited_for(shop: httpx.AsyncClient) -> None:
    """In the parameter, in the header field, and in both, of which the later one counts."""
    written = await shop.put("/items/iliad", json={"title": "Iliad"})
    at = written.headers["event-id"]
    for params, headers in (
        ({"min_position": at}, {}),
        ({"min_position": at, "order": "title"}, {}),
        ({}, {"if-position": at}),
        ({"min_position": "0-0"}, {"if-position": at}),
        ({"min_position": "0-0"}, {}),
    ):
        answer = await shop.get("/items", params=params, headers=headers)
        assert answer.headers["position"] == at
        assert "iliad" in [each["id"] for each in answer.json()["items"]]


@pytest.mark.partitions(1)
async def test_a_position_from_ahead_of_the_log_is_never_there(
    shop: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 after a while, with the position that there is; it may be another store's."""
    monkeypatch.setattr(item_queries, "PATIENCE", 0.1)
    written = await shop.put("/items/iliad", json={})
    at = written.headers["event-id"]
    ahead = f"{key_of(at)[0] + 10_000_000}-0"
    for answer in (
        await shop.get("/items", headers={"if-position": ahead}),
        await shop.get("/items", params={"min_position": ahead, "where": "@.title"}),
    ):
        said = problem(answer, 503, "read-model-behind")
        assert (said["position"], said["retry_after"]) == (at, 1)
        assert (answer.headers["retry-after"], answer.headers["position"]) == ("1", at)
        assert ahead in said["detail"]


@pytest.mark.partitions(1)
async def test_the_position_of_an_event_in_another_collection_is_there(serve: Serve) -> None:
    """Once the answer has all that its own collection has."""
    client = serve(collections="notes=any,items=any")
    written = await client.put("/items/a", json={})
    later = await client.put("/notes/a", json={})
    params = {"min_position": later.headers["event-id"]}
    answer = await client.get("/items", params=params)
    assert answer.headers["position"] == written.headers["event-id"]
    assert answer.json()["total"] == 1


async def test_an_explanation_comes_on_request(shop: httpx.AsyncClient) -> None:
    """Which index served, who sorted, what was looked at; it is kept by no cache."""
    asked = {"where": "@.price_cents < 700", "order": "title"}
    plain = await shop.get("/items", params=asked)
    for prefer in ("explain", "return=minimal, EXPLAIN", 'wait=1, explain=""'):
        answer = await shop.get("/items", params=asked, headers={"prefer": prefer})
        plan = answer.json().pop("plan")
        assert plan == {"index": None, "order": "memory", "looked_at": len(BOOKS)}
        assert answer.headers["preference-applied"] == "explain"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == plain.headers["vary"] == "accept, prefer"
        assert "etag" not in answer.headers
        assert answer.headers["position"] == plain.headers["position"]
        assert {**plain.json(), "plan": plan} == answer.json()
    assert "preference-applied" not in plain.headers


async def test_what_is_no_wish_for_an_explanation_is_none(shop: httpx.AsyncClient) -> None:
    """What is not understood of Prefer is ignored (RFC 7240 §2)."""
    for prefer in ("explain=no", "return=explain", 'x="explain"', "explained"):
        answer = await shop.get("/items?where=@.title", headers={"prefer": prefer})
        assert "plan" not in answer.json()


async def test_an_index_serves_and_the_plan_says_so(serve: Serve) -> None:
    """And fewer items are looked at."""
    client = serve(model="any", indexes="price_cents")
    for name, body in BOOKS.items():
        await client.put(f"/items/{name}", json=body)
    explained = {"prefer": "explain"}
    params = {"where": "@.price_cents > 1000"}
    answer = await client.get("/items", params=params, headers=explained)
    assert [each["id"] for each in answer.json()["items"]] == ["ilium"]
    plan = answer.json()["plan"]
    assert plan["index"] == "price_cents"
    assert plan["looked_at"] < len(BOOKS)
    params = {"order": "-price_cents", "limit": "1"}
    answer = await client.get("/items", params=params, headers=explained)
    assert answer.json()["plan"]["order"] == "index"


async def test_a_batch_takes_no_query(shop: httpx.AsyncClient, events: Events) -> None:
    """A HEAD in it is a check of one item."""
    before = len(await events())
    requests = [
        {"method": "PUT", "path": "/items/a", "body": {}},
        {"method": "HEAD", "path": "/items?where=@.a", "headers": {"If-Match": "*"}},
    ]
    said = problem(await shop.post("/batch", json={"requests": requests}), 422, "invalid-batch")
    assert said["index"] == 1
    assert len(await events()) == before


async def test_an_answer_is_never_older_than_what_was_waited_for(
    shop: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older copy may be put in the place of the read model after the wait."""
    find = ReadModel.find

    async def find_in_an_older_one(model: ReadModel, query: Query) -> Found:
        return replace(await find(model, query), position="1-1")

    monkeypatch.setattr(ReadModel, "find", find_in_an_older_one)
    last = (await shop.get("/events", params={"limit": 1})).json()[0]["id"]
    answer = await shop.get("/items", params={"where": "@", "min_position": last})
    assert problem(answer, 503, "read-model-behind")["position"] == "1-1"
    assert answer.headers["retry-after"]
