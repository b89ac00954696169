"""What can't be a batch: 422 with the place and a sentence, and nothing is carried out."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.batches import check, delete, patch, post, put, responses, send
from tests.api.conftest import Serve, problem

TEXT = {"content-type": "application/json"}

MALFORMED: list[tuple[Any, str]] = [
    (None, "no object"),
    ([], "no object"),
    ("PUT /items/a", "no object"),
    ({}, "method must be"),
    ({"method": "PUT"}, "path must be text"),
    ({"method": "DELETE"}, "path must be text"),
    ({"method": "DELETE", "path": 7}, "path must be text"),
    ({"method": "DELETE", "path": None}, "path must be text"),
    ({"method": "GET", "path": "/items/a"}, "method must be"),
    ({"method": "delete", "path": "/items/a"}, "method must be"),
    ({"method": ["PUT"], "path": "/items/a"}, "method must be"),
    ({"method": {}, "path": "/items/a"}, "method must be"),
    (delete("a") | {"id": 1}, "not 'id'"),
    (delete("a") | {"": 1}, "not ''"),
    (delete("a") | {"body": {}}, "DELETE takes no body"),
    (delete("a") | {"body": None}, "DELETE takes no body"),
    (check("a", if_match="*") | {"body": {}}, "HEAD takes no body"),
    ({"method": "PUT", "path": "/items/a"}, "PUT needs a body"),
    ({"method": "PATCH", "path": "/items/a"}, "PATCH needs a body"),
    ({"method": "POST", "path": "/items"}, "POST needs a body"),
    (post({}) | {"path": "/items/a"}, "POST takes the path of a collection, such as /items"),
    (put("a", {}) | {"path": "/items"}, "PUT takes the path of an item, such as /items/an-id"),
    (delete("a") | {"path": "/items/"}, "It is empty"),
    (delete("a") | {"path": "items/a"}, "no item"),
    (delete("a") | {"path": ""}, "no item"),
    (delete("a") | {"path": "/"}, "no item"),
    (delete("a") | {"path": "/items/a/events"}, "no item"),
    (delete("a") | {"path": "/items/a/b"}, "a slash inside an id is written %2F"),
    (delete("a") | {"path": "//items/a"}, "no item"),
    (delete("a") | {"path": "/products/a"}, "a collection is /items"),
    (delete("a") | {"path": "http://store/items/a"}, "no item"),
    (delete("a") | {"path": "/items/a?x=1"}, "no query"),
    (delete("a") | {"path": "/items/a#x"}, "no query"),
    (delete("a") | {"path": "/items/a b"}, "no blanks"),
    (delete("a") | {"path": "/items/a\n"}, "no blanks"),
    (delete("a") | {"path": "/items/.."}, "normalise"),
    (delete("a") | {"path": "/items/%2e"}, "normalise"),
    (delete("a") | {"path": "/items/%zz"}, "hexadecimal"),
    (delete("a") | {"path": "/items/%FF"}, "not UTF-8"),
    (delete("a") | {"path": "/items/%00"}, "control characters"),
    (delete("a") | {"path": "/items/" + "x" * 513}, "512 are allowed"),
    (delete("a") | {"headers": None}, "headers must be an object"),
    (delete("a") | {"headers": [["If-Match", "*"]]}, "headers must be an object"),
    (delete("a") | {"headers": {"If-Match": 1}}, "must be text"),
    (delete("a") | {"headers": {"If-Match": None}}, "must be text"),
    (delete("a") | {"headers": {"If-Match": "*\r\nX: y"}}, "must be text"),
    (delete("a") | {"headers": {"If-Match": '"\u20ac"'}}, "must be text"),
    (delete("a") | {"headers": {"If-Match": "*", "if-match": "*"}}, "twice"),
    (delete("a") | {"headers": {"Idempotency-Key": "k"}}, "sent with the whole batch"),
    (delete("a") | {"headers": {"authorization": "Bearer x"}}, "sent with the whole batch"),
    (delete("a") | {"headers": {"Accept": "*/*"}}, "no effect"),
    (delete("a") | {"headers": {"": ""}}, "no effect"),
    (delete("a", if_none_match='"1",' * 8_192 + '"2"'), "headers have more than 32768 bytes"),
    (delete("a", if_match="*" * 16_384, prefer="x" * 16_385), "more than 32768 bytes"),
    (check("a"), "needs If-Match"),
    (check("a", if_unmodified_since="some day"), "needs If-Match"),
    (check("a", prefer="return=minimal"), "needs If-Match"),
    (post({}) | {"headers": {"If-None-Match": "*"}}, "takes no condition"),
    (put("written", {}, if_unmodified_since="Fri, 01 Jan 2100 00:00:00 GMT"), "leave"),
    (check("written", if_unmodified_since="Fri, 01 Jan 2100 00:00:00 GMT"), "leave"),
]


@pytest.mark.parametrize("index", [1, 2])
@pytest.mark.parametrize(
    ("malformed", "sentence"), MALFORMED, ids=[json.dumps(each)[:70] for each, _ in MALFORMED]
)
async def test_what_is_no_request_of_a_batch_is_named_with_its_place(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, malformed: Any, sentence: str, index: int
) -> None:
    """The first one counts; `detail` says what to do."""
    before = [put("written", {}), put("b", {})][:index]

    answer = await send(client, *before, malformed, put("c", {"size": "large"}), {})

    content = problem(answer, 422, "invalid-batch")
    assert content["index"] == index
    assert sentence in content["detail"]
    assert content["detail"].startswith(f"Request {index} of the batch can't be taken: ")
    assert content["detail"].endswith(".")
    assert not content["detail"].endswith("..")
    assert await redis.xlen("items:events") == 0


@pytest.mark.parametrize(
    ("batch", "index"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ([put("a", {})], None),
        ({"requests": []}, None),
        ({"requests": {}}, None),
        ({"requests": None}, None),
        ({"requests": [put("a", {})], "atomic": True}, None),
        ({"requests": [put("a", {})] * 129}, 128),
    ],
)
async def test_what_is_no_batch_is_refused(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, batch: Any, index: int | None
) -> None:
    """One member, a list of 1 to 128."""
    answer = await client.post("/batch", content=json.dumps(batch), headers=TEXT)

    content = problem(answer, 422, "invalid-batch")
    assert content.get("index") == index
    assert "128" in content["detail"]
    assert await redis.xlen("items:events") == 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"requests":[]',
        b'{"requests":[],"requests":[]}',
        b'{"requests":[{"method":"PUT","path":"/items/a","body":{"a":1,"a":2}}]}',
        b'{"requests":[{"method":"PUT","path":"/items/a","body":{"a":NaN}}]}',
        b'{"requests":[{"method":"PUT","path":"/items/a","body":{"a":1e999}}]}',
        b'{"requests":[{"method":"PUT","path":"/items/a","body":{"a":"\\ud800"}}]}',
        b'{"requests":[{"method":"PUT","path":"/items/\\ud800","body":{}}]}',
        b'\xef\xbb\xbf{"requests":[]}',
        b'{"requests":["\xff"]}',
        b'{"requests":[{"method":"PUT","path":"/items/a","body":'
        + b"[" * 201
        + b"]" * 201
        + b"}]}",
        b"[" * 100_000,
    ],
    ids=lambda text: repr(text[:60]),
)
async def test_what_is_not_json_is_400(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, text: bytes
) -> None:
    """As everywhere."""
    answer = await client.post("/batch", content=text, headers=TEXT)

    problem(answer, 400, "malformed-json")
    assert await redis.xlen("items:events") == 0


async def test_a_body_may_be_nested_as_deep_as_alone(serve: Serve) -> None:
    """200 levels, whatever is around it."""
    store = serve(model="any")
    body = b'{"a":' + b"[" * 199 + b"]" * 199 + b"}"
    content = b'{"requests":[{"method":"PUT","path":"/items/a","body":%b}]}' % body

    answer = await store.post("/batch", content=content, headers=TEXT)

    assert responses(answer)[0]["status"] == 201
    alone = await store.put("/items/b", content=body, headers=TEXT)
    assert alone.status_code == 201


async def test_a_batch_is_json_of_a_bounded_size(serve: Serve) -> None:
    """415 and 413, before anything is read."""
    store = serve(max_body=300)
    wrong = await store.post("/batch", content="{}", headers={"content-type": "text/plain"})
    problem(wrong, 415, "unsupported-media-type")
    assert wrong.headers["accept"] == "application/json"
    large = await send(store, *(put("a", {"name": "x" * 100}) for _ in range(3)))
    assert problem(large, 413, "content-too-large")["limit"] == 300
    queried = await store.post("/batch?dry=1", content="{}", headers=TEXT)
    problem(queried, 422, "invalid-parameter")


async def test_the_resource_takes_post_alone(client: httpx.AsyncClient) -> None:
    """405 with what it takes."""
    refused = await client.get("/batch")

    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "OPTIONS, POST"


JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "PUT", "HEAD", "/items", "/items/a", "*", [], {},
    [1], [[]], {"a": 1}, [{"op": "add", "path": "/size", "value": 1}], [{"op": "copy"}],
    {"If-Match": "*"}, {"If-None-Match": '"1"'}, {"if-match": 3}, {"size": 2}, {"name": None},
    "\x00", "é", "%", "/items/%00", "🦊",
]  # fmt: skip


def near(chance: random.Random) -> Any:
    """A request that is right, or nearly."""
    item = chance.choice(["a", "b", "a%2Fb"])
    condition = chance.choice(
        [{}, {}, {"if_match": "*"}, {"if_none_match": "*"}, {"if_match": '"1", "2"'}]
    )
    request = chance.choice(
        [
            put(item, {"size": chance.randrange(9)}, **condition),
            patch(item, chance.choice(JUNK), **condition),
            delete(item, **condition),
            check(item, **condition),
            post({"name": "x"}),
        ]
    )
    match chance.randrange(8):
        case 0:
            request[chance.choice([*request, "else"])] = chance.choice(JUNK)
        case 1:
            del request[chance.choice([*request])]
        case 2:
            return chance.choice(JUNK)
    return request


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_is_sent_is_carried_out_whole_or_not_at_all(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, seed: int
) -> None:
    """Batches that are nearly right: no 500, and as many events as answers to writes."""
    chance, met = random.Random(seed), set()
    for _ in range(120):
        requests = [near(chance) for _ in range(chance.randrange(1, 5))]
        before = await redis.xlen("items:events")

        answer = await send(client, *requests)

        met.add(answer.status_code)
        added = await redis.xlen("items:events") - before
        if answer.status_code == 200:
            events = [each for each in responses(answer) if "Event-Id" in each["headers"]]
            assert (len(responses(answer)), added) == (len(requests), len(events)), requests
        else:
            assert 400 <= answer.status_code < 500, (requests, answer.text)
            assert answer.json()["index"] < len(requests), requests
            assert added == 0, requests
    assert {200, 404, 412, 422} <= met
