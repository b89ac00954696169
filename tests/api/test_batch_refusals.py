"""A batch of which one request fails: the answer is that request's, and nothing was carried out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import Scope
from itemstore.store.tokens import Role, create
from tests.api.batches import check, delete, patch, post, put, send
from tests.api.conftest import Serve, problem

LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
LONG = "x" * 1930
TEST_7 = [{"op": "test", "path": "/size", "value": 7}]

REFUSED: list[tuple[dict[str, Any], int, str]] = [
    (put("is", {}, if_match='"3"'), 412, "unexpected-version"),
    (put("is", {}, if_match='W/"1"'), 412, "unexpected-version"),
    (put("is", {}, if_none_match="*"), 412, "unexpected-version"),
    (put("is", {}, if_none_match='"1"'), 412, "unexpected-version"),
    (put("is", {}, if_unmodified_since=LONG_AGO), 412, "unexpected-version"),
    (put("never", {}, if_match="*"), 412, "unexpected-version"),
    (patch("is", {}, if_match='"3"'), 412, "unexpected-version"),
    (patch("is", {}, if_unmodified_since=LONG_AGO), 412, "unexpected-version"),
    (patch("is", TEST_7, if_match='"3"'), 412, "unexpected-version"),
    (delete("is", if_match='"3"'), 412, "unexpected-version"),
    (delete("is", if_unmodified_since=LONG_AGO), 412, "unexpected-version"),
    (check("is", if_match='"3"'), 412, "unexpected-version"),
    (check("is", if_none_match="*"), 412, "unexpected-version"),
    (check("is", if_unmodified_since=LONG_AGO), 412, "unexpected-version"),
    (check("never", if_match="*"), 412, "unexpected-version"),
    (check("was", if_match='"2"'), 412, "unexpected-version"),
    (patch("never", {}), 404, "item-not-found"),
    (patch("never", {}, if_match='"1"'), 404, "item-not-found"),
    (patch("was", {}), 404, "item-deleted"),
    (delete("never"), 404, "item-not-found"),
    (delete("never", if_unmodified_since=LONG_AGO), 404, "item-not-found"),
    (delete("was"), 404, "item-deleted"),
    (patch("is", TEST_7), 409, "patch-conflict"),
    (patch("is", [{"op": "remove", "path": "/nothing"}]), 409, "patch-conflict"),
    (patch("is", {"colour": "red"}), 422, "invalid-item"),
    (patch("is", {"size": "large"}), 422, "invalid-item"),
    (patch("large", {"size": 10**60}), 413, "content-too-large"),
    (put("is", {"size": "large"}), 422, "invalid-item"),
    (put("is", [1]), 422, "invalid-item"),
    (put("is", None), 422, "invalid-item"),
    (post({"colour": "red"}), 422, "invalid-item"),
    (put("is", {}, if_match="3"), 400, "malformed-header"),
    (check("is", if_none_match='*, "1"'), 400, "malformed-header"),
    (patch("is", [{"op": "jump", "path": ""}]), 400, "malformed-patch"),
    (put("is", {}, content_type="text/plain"), 415, "unsupported-media-type"),
    (patch("is", {}, content_type="application/json"), 415, "unsupported-media-type"),
    (post({}) | {"headers": {"Content-Type": "application/xml"}}, 415, "unsupported-media-type"),
]

OF_ITS_OWN = {"version", "expected", "errors", "count", "operation", "limit"}


@pytest.fixture
async def store(serve: Serve, redis: FakeAsyncRedis) -> httpx.AsyncClient:
    """One item that is, one that was, and one that is nearly too large."""
    store = serve(max_body=2000)
    await store.put("/items/is", json={"size": 1})
    await store.put("/items/was", json={})
    await store.delete("/items/was")
    await store.put("/items/large", json={"name": LONG})
    assert await redis.xlen("items:events") == 4
    return store


def _id(case: Any) -> str:
    return f"{case['method']} {case['path']} {case.get('headers', '')} {case.get('body', '')}"[:80]


@pytest.mark.parametrize("index", [0, 1, 3])
@pytest.mark.parametrize(
    ("refused", "status", "slug"), REFUSED, ids=[_id(request) for request, *_ in REFUSED]
)
async def test_the_first_that_fails_is_the_answer_and_nothing_is_changed(  # noqa: PLR0917 - a case
    store: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    refused: dict[str, Any],
    status: int,
    slug: str,
    index: int,
) -> None:
    """The problem that the request alone would be answered with, and its place in the batch."""
    others = [put("one", {}), post({"size": 2}), check("other", if_none_match="*")]
    later = [delete("nothing"), put("is", {}, if_match='"77"')]

    answer = await send(store, *others[:index], refused, *others[index:], *later)

    content = problem(answer, status, slug)
    assert content["index"] == index
    assert content["instance"] == "/batch"
    assert await redis.xlen("items:events") == 4
    assert (await store.get("/items/one")).status_code == 404
    if refused["method"] != "HEAD":
        alone = await _alone(store, refused)
        for name in OF_ITS_OWN:
            assert content.get(name) == alone.json().get(name), name
        assert content["detail"] == alone.json()["detail"]
        for name in ("etag", "link", "accept", "accept-patch"):
            assert answer.headers.get(name) == alone.headers.get(name), name
    assert await redis.xlen("items:events") == 4


async def _alone(store: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    if "body" in request and "content-type" not in headers:
        kinds = {True: "application/json-patch+json", False: "application/merge-patch+json"}
        is_patch = request["method"] == "PATCH"
        kind = kinds[isinstance(request["body"], list)] if is_patch else "application/json"
        headers["content-type"] = kind
    content = json.dumps(request["body"]) if "body" in request else None
    return await store.request(request["method"], request["path"], headers=headers, content=content)


@pytest.mark.parametrize(
    ("before", "refused", "status", "slug"),
    [
        ([put("is", {})], put("is", {}, if_match='"1"'), 412, "unexpected-version"),
        ([put("new", {})], put("new", {}, if_none_match="*"), 412, "unexpected-version"),
        ([delete("is")], patch("is", {}), 404, "item-deleted"),
        ([delete("is")], delete("is"), 404, "item-deleted"),
        ([patch("is", {"size": 2})], check("is", if_match='"1"'), 412, "unexpected-version"),
        ([patch("is", {"size": 2}), delete("is")], patch("is", {}), 404, "item-deleted"),
    ],
)
async def test_what_the_batch_itself_did_before_is_said(  # noqa: PLR0917 - a case
    store: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    before: list[dict[str, Any]],
    refused: dict[str, Any],
    status: int,
    slug: str,
) -> None:
    """A version that was never reached is no entity tag that a client may take for one."""
    answer = await send(store, *before, refused)

    content = problem(answer, status, slug)
    assert content["index"] == len(before)
    assert content["detail"].endswith("nothing was carried out.")
    assert "etag" not in answer.headers
    assert await redis.xlen("items:events") == 4


@pytest.mark.parametrize(
    "change", [TEST_7, {"size": "large"}, {"colour": "red"}, [{"op": "remove", "path": "/a"}]]
)
async def test_a_patch_fails_on_what_the_batch_left(
    store: httpx.AsyncClient, redis: FakeAsyncRedis, change: Any
) -> None:
    """As on what is stored."""
    answer = await send(store, put("new", {"size": 3}), patch("new", {}), patch("new", change))

    assert answer.status_code in {409, 422}
    assert answer.json()["index"] == 2
    assert await redis.xlen("items:events") == 4


async def test_an_earlier_failure_counts_before_one_that_is_known_sooner(
    store: httpx.AsyncClient,
) -> None:
    """The patch is seen to fail before anything is sent; the condition before it fails first."""
    stale = put("large", {}, if_match='"9"')

    answer = await send(store, stale, patch("is", TEST_7))

    assert problem(answer, 412, "unexpected-version")["index"] == 0


async def test_all_that_a_batch_patches_has_a_bound(serve: Serve, redis: FakeAsyncRedis) -> None:
    """Small patches of many large items: 413 with the one that is too much."""
    store = serve()
    body = {"name": "x" * 1_000_000}
    for number in range(5):
        await store.put(f"/items/{number}", json=body)

    answer = await send(store, *(patch(str(number), {"size": 1}) for number in range(5)))

    content = problem(answer, 413, "content-too-large")
    assert (content["index"], content["limit"]) == (4, 4 * 2**20)
    assert await redis.xlen("items:events") == 5
    assert (await send(store, *(patch(str(n), {"size": 1}) for n in range(4)))).status_code == 200


@pytest.mark.parametrize(
    "unconditional", [put("is", {}), patch("is", {}), delete("is")], ids=lambda each: each["method"]
)
async def test_where_a_condition_is_demanded_each_write_needs_one(
    store: httpx.AsyncClient, serve: Serve, redis: FakeAsyncRedis, unconditional: dict[str, Any]
) -> None:
    """428 with the place of the first without; new items need none."""
    assert store is not None
    strict = serve(require_conditions=True)

    answer = await send(strict, put("new", {}), post({}), unconditional)

    content = problem(answer, 428, "precondition-required")
    assert (content["index"], content["version"]) == (2, 1)
    assert answer.headers["etag"] == '"1"'
    assert await redis.xlen("items:events") == 4
    tagged = unconditional | {"headers": {"If-Match": '"1"'}}
    assert (await send(strict, put("new", {}), tagged)).status_code == 200


async def test_a_bound_token_may_write_what_is_inside_and_no_batch_with_more(
    serve: Serve, redis: FakeAsyncRedis
) -> None:
    """403 with the place of the first that is outside; a reader may send no batch."""
    partition = Partition(redis, Keys())
    secret = await create(partition, "eu", Role.writer, Scope(prefixes=("eu/",)))
    eu = {"authorization": f"Bearer {secret}"}
    reader = {"authorization": f"Bearer {await create(partition, 'r', Role.reader)}"}
    inside, store = put("eu%2F1", {}), serve()

    assert (await send(store, inside, check("eu%2F2", if_none_match="*"), **eu)).status_code == 200
    for outside in (put("us", {}), check("is", if_match="*"), delete("never"), post({})):
        answer = await send(store, inside, outside, **eu)
        assert problem(answer, 403, "forbidden")["index"] == 1
        assert "insufficient_scope" in answer.headers["www-authenticate"]
    problem(await send(store, inside, **reader), 403, "forbidden")
    problem(await send(store, inside), 401, "unauthorized")
    assert await redis.xlen("items:events") == 1
