"""GET and HEAD of one item, and what is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from tests.api.conftest import SEVERAL, problem, sent_by
from tests.api.history import CREATED, http_date, position_at, write_history

pytestmark = pytest.mark.partitions(1, SEVERAL)


async def test_an_item_is_what_the_write_stored_and_nothing_around_it(
    client: httpx.AsyncClient,
) -> None:
    """The body is the item, and everything about it is in the headers."""
    put = await client.put("/items/foo", json={"name": "Fighters", "size": 6})

    answer = await client.get("/items/foo")

    assert (answer.status_code, answer.json()) == (200, {"name": "Fighters", "size": 6})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.content))
    for name in ("etag", "last-modified"):
        assert answer.headers[name] == put.headers[name]


async def test_an_item_may_be_kept_but_is_asked_for_again(client: httpx.AsyncClient) -> None:
    """A cache has to revalidate, and knows that Accept-Datetime is another question."""
    await client.put("/items/foo", json={})

    answer = await client.get("/items/foo")

    assert answer.headers["cache-control"] == "no-cache"
    assert "accept-datetime" in answer.headers["vary"]


async def test_a_get_sees_the_write_before_it(client: httpx.AsyncClient) -> None:
    """Twenty writes, each read back at once."""
    for size in range(20):
        await client.put("/items/foo", json={"size": size})
        assert (await client.get("/items/foo")).json()["size"] == size


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "tags", ['"2"', 'W/"2"', "*", '"1", "2"', '"x", W/"2", "y"', '"a,b","2"', '"2",']
)
async def test_a_client_that_has_the_item_is_told_so(
    client: httpx.AsyncClient, method: str, tags: str
) -> None:
    """304 without a body, with the headers that 200 would have (RFC 9110 §15.4.5)."""
    await client.put("/items/foo", json={})
    await client.put("/items/foo", json={})
    full = await client.get("/items/foo")

    answer = await client.request(method, "/items/foo", headers={"If-None-Match": tags})

    assert (answer.status_code, answer.content) == (304, b"")
    for name in ("etag", "last-modified", "cache-control", "vary"):
        assert answer.headers[name] == full.headers[name]
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '"22"', '"two"', '""'])
async def test_a_client_that_has_another_version_gets_the_item(
    client: httpx.AsyncClient, tags: str
) -> None:
    """200 where no tag is the current one."""
    await client.put("/items/foo", json={})
    await client.put("/items/foo", json={})

    answer = await client.get("/items/foo", headers={"If-None-Match": tags})

    assert answer.status_code == 200


async def test_the_tag_of_a_deleted_version_never_comes_back(client: httpx.AsyncClient) -> None:
    """An item that was made again is not what a client kept of the one before."""
    kept = await client.put("/items/foo", json={})
    await client.delete("/items/foo")
    await client.put("/items/foo", json={})

    answer = await client.get("/items/foo", headers={"If-None-Match": kept.headers["etag"]})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


@pytest.mark.parametrize("path", ["/items/foo", "/items/none", "/items/gone", "/items/%00"])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    """The same status and headers, Content-Length included (§9.3.2), also of errors."""
    await client.put("/items/foo", json={"name": "Fighters"})
    await client.put("/items/gone", json={})
    await client.delete("/items/gone")

    get, head = await client.get(path), await client.head(path)

    assert head.content == b""
    assert (head.status_code, head.headers) == (get.status_code, get.headers)


@pytest.mark.parametrize("path", [b"/items/foo", b"/items/none", b"/items", b"/"])
async def test_no_body_is_sent_to_head(
    app: ItemStore, client: httpx.AsyncClient, path: bytes
) -> None:
    """Not even to a server or a client that would take it off."""
    await client.put("/items/foo", json={"name": "Fighters"})

    start, body = await sent_by(app, "HEAD", path)

    assert body["body"] == b""
    assert int(dict(start["headers"])[b"content-length"]) > 0


async def test_what_never_existed_is_not_found(client: httpx.AsyncClient) -> None:
    """404 `item-not-found`."""
    content = problem(await client.get("/items/foo"), 404, "item-not-found")

    assert "'foo'" in content["detail"]
    assert "version" not in content


async def test_what_was_deleted_says_at_which_version(client: httpx.AsyncClient) -> None:
    """404 `item-deleted`, with the version that deleted it and the way to its history."""
    await client.put("/items/foo", json={})
    await client.put("/items/foo", json={})
    await client.delete("/items/foo")

    answer = await client.get("/items/foo")

    assert problem(answer, 404, "item-deleted")["version"] == 3
    assert "etag" not in answer.headers
    assert answer.links["version-history"]["url"] == "/items/foo/versions"


@pytest.mark.parametrize("accept", ["text/plain", "application/xml", "image/png;q=1", ""])
async def test_an_item_is_json_whatever_is_asked_for(
    client: httpx.AsyncClient, accept: str
) -> None:
    """A server may disregard Accept (§12.5.1): JSON is better than 406."""
    await client.put("/items/foo", json={})

    answer = await client.get("/items/foo", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_a_range_is_answered_with_the_whole(client: httpx.AsyncClient) -> None:
    """Range is optional (§14.2), and an item is small."""
    await client.put("/items/foo", json={"name": "Fighters"})

    answer = await client.get("/items/foo", headers={"Range": "bytes=0-3"})

    assert (answer.status_code, answer.json()["name"]) == (200, "Fighters")


@pytest.mark.partitions(1)
async def test_a_row_that_was_edited_by_hand_is_no_item(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """500 `store-damaged`, which says that a rebuild mends it; other items are not touched."""
    await client.put("/items/foo", json={})
    await client.put("/items/bar", json={})
    await redis.hset("items:current", "foo", "{}")

    damaged, whole = await client.get("/items/foo"), await client.get("/items/bar")

    assert "rebuild" in problem(damaged, 500, "store-damaged")["detail"]
    assert whole.status_code == 200


@pytest.mark.partitions(1)
async def test_nothing_was_modified_after_its_answer_was_made(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """RFC 9110 §8.8.2.1: now instead, where a clock was ahead; Memento-Datetime is the event's."""
    await write_history(redis, [(position_at("2099-01-01T00:00:00"), CREATED, "foo", b"{}")])

    item, version = await client.get("/items/foo"), await client.get("/items/foo/versions/1")

    now = datetime.now(UTC) + timedelta(seconds=1)
    for answer in (item, version):
        assert parsedate_to_datetime(answer.headers["last-modified"]) <= now
    assert version.headers["memento-datetime"] == http_date("2099-01-01T00:00:00")
    since = {"if-modified-since": item.headers["last-modified"]}
    assert (await client.get("/items/foo", headers=since)).status_code == 200
