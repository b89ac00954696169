"""GET /items: the list in id order, in pages."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.conftest import ON_A_CLUSTER, SEVERAL, problem

pytestmark = pytest.mark.partitions(1, SEVERAL, ON_A_CLUSTER)


async def fill(client: httpx.AsyncClient, *names: str) -> None:
    """Puts an item under each id."""
    for name in names:
        answer = await client.put(f"/items/{name}", json={"name": name})
        assert answer.status_code == 201


async def ids(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """The ids on one page."""
    page = (await client.get("/items", params=parameters)).json()
    return [item["id"] for item in page["items"]]


async def walk(client: httpx.AsyncClient, **parameters: Any) -> list[list[str]]:
    """The ids on each page, from cursor to cursor until there is none."""
    pages = []
    while True:
        page = (await client.get("/items", params=parameters)).json()
        pages.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            return pages
        parameters["after"] = page["next"]


async def test_an_empty_store_has_an_empty_list(client: httpx.AsyncClient) -> None:
    """No items, no next page, none in all."""
    answer = await client.get("/items")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"items": [], "next": None, "total": 0}
    assert "link" not in answer.headers


async def test_a_listed_item_has_its_id_its_version_its_time_and_itself(
    client: httpx.AsyncClient,
) -> None:
    """Each entry is the item with what the headers of GET would say."""
    await client.put("/items/foo", json={"name": "Before"})
    put = await client.put("/items/foo", json={"name": "Foo", "size": 6})

    page = (await client.get("/items")).json()

    [listed] = page["items"]
    modified = datetime.fromisoformat(listed.pop("modified"))
    assert listed == {"id": "foo", "version": 2, "item": {"name": "Foo", "size": 6}}
    milliseconds = int(put.headers["event-id"].partition("-")[0])
    assert modified.timestamp() * 1000 == pytest.approx(milliseconds)
    assert page["total"] == 1


async def test_a_page_is_compact_json_with_bodies_as_they_stand(client: httpx.AsyncClient) -> None:
    """To the byte, whatever is in an id and however large a body is."""
    names = {'a"b\\c': "", "z😀\u2028": "é", "é": "x" * 1024, "ﬀ": "é" * 20_000}
    bodies = {each: f'{{"name":"{text}","size":6}}' for each, text in names.items()}
    sent = {"content-type": "application/json"}
    for name, body in bodies.items():
        put = await client.put(f"/items/{quote(name)}", content=body, headers=sent)
        assert put.status_code == 201
    text = (await client.get("/items")).text
    shown = re.sub(r'"modified":"[0-9T:.-]{23}Z"', "?", text)
    items = ",".join(
        f'{{"id":{json.dumps(name, ensure_ascii=False)},"version":1,?,"item":{body}}}'
        for name, body in sorted(bodies.items(), key=lambda each: each[0].encode())
    )
    assert shown == f'{{"items":[{items}],"next":null,"total":4}}'


async def test_items_are_in_the_order_of_their_ids(client: httpx.AsyncClient) -> None:
    """Ids sort by the bytes of their UTF-8, whatever order they came in."""
    await fill(client, "b", "%F0%9F%98%80", "a", "B", "10", "9", "%C3%A9", "%EF%BF%BD", "a%2Fb")

    assert await ids(client) == ["10", "9", "B", "a", "a/b", "b", "é", "\ufffd", "😀"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 24, 25, 26, 1000])
async def test_a_walk_meets_every_item_once_and_in_order(
    client: httpx.AsyncClient, limit: int
) -> None:
    """Pages of any size cover all of it, and none is empty but that of an empty list."""
    names = [f"item-{number:02}" for number in range(25)]
    await fill(client, *names)

    pages = await walk(client, limit=limit)

    assert [name for page in pages for name in page] == names
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


async def test_a_page_has_a_hundred_items_where_nothing_else_is_asked_for(
    client: httpx.AsyncClient,
) -> None:
    """`limit` is 100 by default."""
    await asyncio.gather(*(fill(client, str(number)) for number in range(101)))

    page = (await client.get("/items")).json()

    assert len(page["items"]) == 100
    assert page["total"] == 101


async def test_the_link_header_leads_to_the_next_page(client: httpx.AsyncClient) -> None:
    """`rel=next` (RFC 8288) keeps the other parameters and has the cursor of the body."""
    await fill(client, "a1", "a2", "a3", "b1")

    answer = await client.get("/items", params={"limit": 2, "prefix": "a"})

    url = answer.links["next"]["url"]
    query = parse_qs(urlsplit(url).query)
    assert query == {"limit": ["2"], "prefix": ["a"], "after": [answer.json()["next"]]}
    following = await client.get(url)
    assert [item["id"] for item in following.json()["items"]] == ["a3"]
    assert "link" not in following.headers


async def test_a_walk_is_not_disturbed_by_writes(client: httpx.AsyncClient) -> None:
    """What is created before the cursor is not met, what is created ahead is, nothing twice."""
    await fill(client, "b", "d", "f")
    first = (await client.get("/items", params={"limit": 2})).json()
    await client.delete("/items/d")
    await fill(client, "a", "c", "e")

    assert await ids(client, after=first["next"]) == ["e", "f"]


async def test_deleted_items_are_not_listed(client: httpx.AsyncClient) -> None:
    """Nor counted."""
    await fill(client, "a", "b", "c")
    await client.delete("/items/b")

    page = (await client.get("/items")).json()

    assert [item["id"] for item in page["items"]] == ["a", "c"]
    assert page["total"] == 2


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["a", "a*", "a/", "a/b", "a/c", "ab", "b", "é", "éa"]),
        ("a", ["a", "a*", "a/", "a/b", "a/c", "ab"]),
        ("a/", ["a/", "a/b", "a/c"]),
        ("a*", ["a*"]),
        ("é", ["é", "éa"]),
        ("z", []),
        ("(a", []),
        ("[", []),
    ],
)
async def test_a_prefix_selects_the_ids_that_begin_with_it(
    client: httpx.AsyncClient, prefix: str, found: list[str]
) -> None:
    """It is text, not a pattern; `total` counts what it selects."""
    await fill(client, "a", "ab", "a%2F", "a%2Fb", "a%2Fc", "a*", "b", "%C3%A9", "%C3%A9a")

    page = (await client.get("/items", params={"prefix": prefix})).json()

    assert [item["id"] for item in page["items"]] == found
    assert page["total"] == len(found)
    assert await walk(client, prefix=prefix, limit=1) == ([[name] for name in found] or [[]])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1&limit=2", "limit"),
        ("prefix=" + "x" * 513, "prefix"),
        ("page=2", "page"),
        ("Limit=2", "Limit"),
        ("limit=2&offset=3", "offset"),
        ("%6cimit=0", "limit"),
    ],
)
async def test_a_parameter_that_is_not_valid_is_named(
    client: httpx.AsyncClient, query: str, parameter: str
) -> None:
    """422, also for one that does not exist, so that a typo is noticed."""
    answer = await client.get(f"/items?{query}")

    [error] = problem(answer, 422, "invalid-parameter")["errors"]
    assert error["parameter"] == parameter


@pytest.mark.parametrize("query", ["prefix=%FF", "prefix=%ED%A0%80", "%C0=1"])
async def test_a_query_that_is_not_utf8_is_refused(client: httpx.AsyncClient, query: str) -> None:
    """422, and no error of the server."""
    problem(await client.get(f"/items?{query}"), 422, "invalid-parameter")


@pytest.mark.parametrize(
    "cursor",
    ["!", "a", "Zm9v!", "Zm9v Zg", "_w", "gIA", "é", "....", base64.b64encode(b"\xff").decode()],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(
    client: httpx.AsyncClient, cursor: str
) -> None:
    """400 `malformed-cursor`."""
    answer = await client.get("/items", params={"after": cursor})

    problem(answer, 400, "malformed-cursor")


async def test_a_cursor_outlives_the_item_that_it_was_made_at(client: httpx.AsyncClient) -> None:
    """Between two pages the last item of the first is deleted: the walk goes on after it."""
    await fill(client, "a", "b", "c")
    first = (await client.get("/items", params={"limit": 2})).json()
    await client.delete("/items/b")

    assert await ids(client, after=first["next"]) == ["c"]


async def test_every_id_can_be_in_a_cursor(client: httpx.AsyncClient) -> None:
    """Slashes, quotes, spaces and other alphabets, at the end of a page."""
    names = ["%20", "%22", "%2B%2F%3D", "%3F", "a%26b", "%F0%9F%98%80", "x" * 512]
    await fill(client, *names)

    pages = await walk(client, limit=1)

    assert sorted(page[0] for page in pages) == sorted(
        [" ", '"', "+/=", "?", "a&b", "😀", "x" * 512]
    )


@pytest.mark.partitions(1)
async def test_an_id_without_a_row_is_said_to_be_damage(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """500 `store-damaged` where somebody removed a row by hand, not a list with a hole."""
    await fill(client, "a", "b")
    await redis.hdel("items:current", "a")

    problem(await client.get("/items"), 500, "store-damaged")
