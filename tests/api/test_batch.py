"""POST /batch: several requests in one moment, each on what the ones before it leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import create_app
from itemstore.store.settings import Settings
from tests.api.batches import check, delete, patch, post, put, responses, send, statuses
from tests.api.conftest import Events, Serve, client_of, problem, sent_by

LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"
NOT_IN_A_BATCH = {
    *("content-type", "content-length", "x-content-type-options", "date", "server"),
    "x-request-id",  # the batch's own, on its one answer
}


async def test_each_request_is_answered_as_it_alone_would_be(serve: Serve) -> None:
    """Status, header fields and body, of every kind of write."""
    alone, together = serve(), serve(namespace="other")
    sent: list[dict[str, Any]] = [
        put("new", {"size": 1}),
        put("new", {"name": "x"}),
        put("new", {"name": "y"}, prefer="return=minimal"),
        put("a%2Fb", {"size": 3}, prefer="return=representation"),
        put("a%2Fb", {"size": 4}, if_match='"1"'),
        patch("a/b".replace("/", "%2F"), {"name": "z"}),
        delete("new", if_match='"3"'),
        put("new", {}, if_none_match="*"),
    ]
    expected = []
    for each in sent:
        headers = {"content-type": "application/json"} | each.get("headers", {})
        if each["method"] == "PATCH":
            headers["content-type"] = "application/merge-patch+json"
        content = json.dumps(each["body"]) if "body" in each else None
        answer = await alone.request(each["method"], each["path"], content=content, headers=headers)
        expected.append(answer)

    got = responses(await send(together, *sent))

    changing = {"event-id", "last-modified"}
    for one, answer in zip(got, expected, strict=True):
        headers = {name.lower(): value for name, value in one["headers"].items()}
        assert one["status"] == answer.status_code
        assert headers.keys() == answer.headers.keys() - NOT_IN_A_BATCH
        for name in headers.keys() - changing:
            assert headers[name] == answer.headers[name], name
        assert one.get("body") == (answer.json() if answer.content else None)
        assert ("body" in one) == bool(answer.content)


async def test_the_same_item_several_times_goes_from_version_to_version(
    client: httpx.AsyncClient, events: Events
) -> None:
    """In the order of the requests, each on what the one before it left."""
    answer = await send(
        client,
        put("a", {"size": 1}),
        patch("a", {"name": "one"}),
        patch("a", [{"op": "test", "path": "/name", "value": "one"},
                    {"op": "replace", "path": "/size", "value": 2}]),
        check("a", if_match='"3"'),
        delete("a"),
        check("a", if_none_match="*"),
        put("a", {"size": 9}, if_none_match="*"),
    )  # fmt: skip

    got = responses(answer)
    assert [each["status"] for each in got] == [201, 200, 200, 200, 204, 404, 201]
    assert [each.get("body") for each in got] == [
        {"name": None, "size": 1}, {"name": "one", "size": 1}, {"name": "one", "size": 2},
        None, None, None, {"name": None, "size": 9},
    ]  # fmt: skip
    assert [(each.type, each.version) for each in await events()] == [
        ("ItemCreated", 1), ("ItemUpdated", 2), ("ItemUpdated", 3), ("ItemDeleted", 4),
        ("ItemCreated", 5),
    ]  # fmt: skip
    assert (await client.get("/items/a")).headers["etag"] == '"5"'


async def test_the_events_stand_together_and_share_their_transaction(
    client: httpx.AsyncClient, events: Events
) -> None:
    """One transaction in the meta of each; a check leaves no event."""
    await client.put("/items/other", json={})
    answer = await send(client, put("a", {}), check("a", if_match="*"), post({}), delete("other"))

    _, *together = await events()
    named = [each["headers"].get("Event-Id") for each in responses(answer)]
    assert [named[0], *named[2:]] == [each.position for each in together]
    assert named[1] is None
    assert len({each.meta["transaction"] for each in together}) == 1
    again = await send(client, put("a", {}))
    assert again.status_code == 200
    assert (await events())[-1].meta["transaction"] != together[0].meta["transaction"]


async def test_a_post_makes_an_item_under_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    """Each one another."""
    got = responses(await send(client, post({"size": 1}), post({"size": 2})))

    locations = [each["headers"]["Location"] for each in got]
    assert [each["status"] for each in got] == [201, 201]
    assert [(await client.get(each)).json()["size"] for each in locations] == [1, 2]
    assert sorted(locations) == sorted(set(locations))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_match": '"1"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_none_match": '"7"'}, 200),
        ({"if_unmodified_since": FAR_AHEAD}, 200),
    ],
)
async def test_a_check_that_holds_of_an_item(
    client: httpx.AsyncClient, events: Events, headers: dict[str, str], status: int
) -> None:
    """200 with its entity tag and its date, and no body; nothing is appended."""
    before = await client.put("/items/a", json={})

    [got] = responses(await send(client, check("a", **headers)))

    assert got == {
        "status": status,
        "headers": {"ETag": '"1"', "Last-Modified": before.headers["last-modified"]},
    }
    assert len(await events()) == 1


@pytest.mark.parametrize("was_there", [False, True])
@pytest.mark.parametrize("headers", [{"if_none_match": "*"}, {"if_unmodified_since": LONG_AGO}])
async def test_a_check_that_holds_where_there_is_no_item(
    client: httpx.AsyncClient, headers: dict[str, str], *, was_there: bool
) -> None:
    """404 in its place, and the batch goes through."""
    if was_there:
        await client.put("/items/a", json={})
        await client.delete("/items/a")

    got = responses(await send(client, check("a", **headers), put("b", {})))

    assert got[0] == {"status": 404, "headers": {}}
    assert got[1]["status"] == 201


async def test_return_minimal_leaves_the_bodies_out(client: httpx.AsyncClient) -> None:
    """Of all requests that say nothing else."""
    answer = await send(
        client,
        put("a", {"size": 1}),
        put("a", {"size": 2}),
        put("a", {"size": 3}, prefer="return=representation"),
        delete("a"),
        prefer="return=minimal",
    )

    got = responses(answer)
    assert answer.headers["preference-applied"] == "return=minimal"
    assert [each["status"] for each in got] == [201, 204, 200, 204]
    assert [each.get("body") for each in got] == [None, None, {"name": None, "size": 3}, None]
    assert ["body" in each for each in got] == [False, False, True, False]


@pytest.mark.parametrize(
    "body",
    [
        '{"n":123456789012345678901234567890,"f":0.1,"g":1.0,"h":-0.0,"l":[],"o":{},"t":"é\\u0000"}',
        '{"e":1e22,"small":5e-324,"deep":[[[[]]]],"s":"\\ud83d\\ude00"}',
    ],
)
async def test_what_is_stored_is_exact_and_answered_as_it_is_stored(
    serve: Serve, body: str
) -> None:
    """Large numbers, empty lists, floats: as a single PUT stores them, to the byte."""
    store = serve(model="any")
    alone = await store.put(
        "/items/alone", content=body, headers={"content-type": "application/json"}
    )
    request = f'{{"method":"PUT","path":"/items/a","body":{body}}}'
    change = '{"method":"PATCH","path":"/items/a","body":{"added":[]}}'
    content = f'{{"requests":[{request},{change}]}}'

    answer = await store.post(
        "/batch", content=content, headers={"content-type": "application/json"}
    )

    assert statuses(answer) == [201, 200]
    assert b'"body":' + alone.content + b"}" in answer.content
    patched = (await store.get("/items/a")).content
    assert b'"body":' + patched + b"}" in answer.content
    assert patched.startswith(alone.content[:-1])


async def test_the_kind_of_a_patch_is_that_of_its_body_or_the_one_named(serve: Serve) -> None:
    """A list is a JSON Patch, anything else a merge patch, unless Content-Type says it."""
    store = serve(model="any")
    merge = {"content-type": "application/merge-patch+json"}
    answer = await send(
        store,
        put("a", {"n": 1}),
        patch("a", [{"op": "add", "path": "/m", "value": 2}]),
        patch("a", {"n": None}),
        patch("a", {"n": 5}) | {"headers": merge},
    )

    assert responses(answer)[-1]["body"] == {"m": 2, "n": 5}
    refused = await send(store, patch("a", [1]) | {"headers": merge})
    assert problem(refused, 422, "invalid-item")["index"] == 0


async def test_the_names_of_header_fields_have_no_case(client: httpx.AsyncClient) -> None:
    """As in HTTP."""
    got = await send(client, check("a") | {"headers": {"iF-nOne-mAtch": "*"}})

    assert statuses(got) == [404]


@pytest.fixture
async def shop(redis: FakeAsyncRedis) -> AsyncIterator[httpx.AsyncClient]:
    """A store of two collections."""
    collections = {"products": None, "orders": None}
    async with client_of(create_app(Settings(), redis=redis, collections=collections)) as client:
        yield client


async def test_a_batch_goes_across_collections(
    shop: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Reserve stock and place an order: both or neither."""
    await shop.put("/products/lamp", json={"stock": 2})
    order = {"method": "PUT", "path": "/orders/1", "body": {"lamps": 1}}
    reserve = {"method": "PATCH", "path": "/products/lamp", "body": {"stock": 1}}

    got = responses(await send(shop, reserve, order))

    assert [each["headers"]["Content-Location"] for each in got] == ["/products/lamp", "/orders/1"]
    assert (await shop.get("/products/lamp")).json() == {"stock": 1}
    assert (await shop.get("/orders/1")).json() == {"lamps": 1}
    missing = {"method": "PATCH", "path": "/products/chair", "body": {"stock": 1}}
    refused = await send(shop, order, missing)
    assert problem(refused, 404, "item-not-found")["index"] == 1
    assert await redis.xlen("orders:events") == 1
    assert await redis.xlen("products:events") == 2


async def test_a_deleted_item_of_another_collection_has_its_own_link(
    shop: httpx.AsyncClient,
) -> None:
    """The link leads to the history in its collection."""
    await shop.put("/orders/1", json={})
    await shop.delete("/orders/1")

    together = await send(shop, {"method": "DELETE", "path": "/orders/1"})
    alone = await shop.delete("/orders/1")

    for refused in (together, alone):
        assert problem(refused, 404, "item-deleted")["version"] == 2
        assert refused.headers["link"] == '</orders/1/versions>; rel="version-history"'


async def test_a_path_is_what_stands_in_a_url_to_the_store(redis: FakeAsyncRedis) -> None:
    """With what the API is mounted under, as in Location; escapes are those of a URL."""
    app = create_app(Settings(), redis=redis)
    content = {
        "requests": [
            {"method": "PUT", "path": "/shop/items/%61%2Fb", "body": {}},
            {"method": "PUT", "path": "/%69tems/é", "body": {}},
        ]
    }
    message = {"type": "http.request", "body": json.dumps(content).encode()}

    start, *rest = await sent_by(app, "POST", b"/shop/batch", message, root="/shop")

    body = json.loads(b"".join(each["body"] for each in rest))
    assert start["status"] == 200, body
    locations = [each["headers"]["Location"] for each in body["responses"]]
    assert locations == ["/shop/items/a%2Fb", "/shop/items/%C3%A9"]


async def test_a_batch_takes_128_requests(client: httpx.AsyncClient, events: Events) -> None:
    """Of one item or of many."""
    answer = await send(client, *(put(str(number % 100), {}) for number in range(128)))

    assert statuses(answer) == [201] * 100 + [200] * 28
    assert len(await events()) == 128


async def test_many_full_batches_at_once_have_room(client: httpx.AsyncClient) -> None:
    """As many requests may wait as ever, although each stands for 128 writes."""
    answers = await asyncio.gather(
        *(send(client, *(put(f"{n}-{m}", {}) for m in range(128))) for n in range(20))
    )

    assert {each.status_code for each in answers} == {200}
    assert (await client.get("/items")).json()["total"] == 20 * 128
