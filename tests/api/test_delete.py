"""DELETE: the item is gone, its history is not (RFC 9110 §9.3.5)."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.conftest import ON_A_CLUSTER, SEVERAL, Events, Serve, problem
from tests.conftest import Unchanged

pytestmark = pytest.mark.partitions(1, SEVERAL, ON_A_CLUSTER)


async def test_a_delete_ends_the_item(client: httpx.AsyncClient, events: Events) -> None:
    """204 without a body, and an ItemDeleted that the headers name."""
    await client.put("/items/foo", json={"size": 6})

    answer = await client.delete("/items/foo")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    assert "content-type" not in answer.headers
    created, deleted = await events()
    assert (deleted.type, deleted.version) == ("ItemDeleted", 2)
    assert answer.headers["event-type"] == "ItemDeleted"
    assert answer.headers["event-id"] == deleted.id != created.id


@pytest.mark.partitions(1)
async def test_a_deleted_item_is_nowhere_but_in_the_log(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Not by GET, not in the list; its row says `deleted`, for a person with redis-cli to see."""
    created = await client.put("/items/foo", json={})
    deleted = await client.delete("/items/foo")

    problem(await client.get("/items/foo"), 404, "item-deleted")
    assert (await client.get("/items")).json() == {"items": [], "next": None, "total": 0}
    position, start = deleted.headers["event-id"], created.headers["event-id"]
    assert await redis.hget("items:current", "foo") == (
        f'{{"version":2,"position":"{position}","created":"{start}","deleted":true}}'.encode()
    )


async def test_there_is_nothing_to_delete_where_nothing_was(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """404 for an id that never existed."""
    async with unchanged():
        answer = await client.delete("/items/foo")

    problem(answer, 404, "item-not-found")


async def test_there_is_nothing_to_delete_twice(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """404 for a deleted item, with the version that deleted it."""
    await client.put("/items/foo", json={})
    await client.delete("/items/foo")

    async with unchanged():
        answer = await client.delete("/items/foo")

    assert problem(answer, 404, "item-deleted")["version"] == 2


@pytest.mark.parametrize("tags", ['"1"', "*", '"1", "7"'])
async def test_a_delete_under_a_condition_that_holds(
    client: httpx.AsyncClient, events: Events, tags: str
) -> None:
    """`If-Match` with the current version: 204."""
    await client.put("/items/foo", json={})

    answer = await client.delete("/items/foo", headers={"If-Match": tags})

    assert answer.status_code == 204
    assert len(await events()) == 2


async def test_a_delete_of_a_stale_version_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """412: somebody changed what the caller wants to delete."""
    await client.put("/items/foo", json={})
    await client.put("/items/foo", json={})

    async with unchanged():
        answer = await client.delete("/items/foo", headers={"If-Match": '"1"'})

    assert problem(answer, 412, "unexpected-version")["version"] == 2


async def test_a_delete_without_the_demanded_condition_is_refused(
    client: httpx.AsyncClient, serve: Serve, unchanged: Unchanged
) -> None:
    """428 where there is an item, 404 where there is none."""
    await client.put("/items/foo", json={})
    strict = serve(require_conditions=True)

    async with unchanged():
        present = await strict.delete("/items/foo")
        absent = await strict.delete("/items/bar")

    assert 'If-Match: "1"' in problem(present, 428, "precondition-required")["detail"]
    problem(absent, 404, "item-not-found")


async def test_a_body_of_a_delete_does_not_count(client: httpx.AsyncClient) -> None:
    """Content in a DELETE has no meaning (§9.3.5), whatever it is."""
    await client.put("/items/foo", json={})

    answer = await client.request("DELETE", "/items/foo", content=b"{")

    assert answer.status_code == 204


async def test_only_the_item_itself_is_deleted(client: httpx.AsyncClient) -> None:
    """Items whose ids begin alike stay."""
    for name in ("foo", "foo%2Fbar", "fo"):
        await client.put(f"/items/{name}", json={})

    await client.delete("/items/foo")

    listed = (await client.get("/items")).json()
    assert [item["id"] for item in listed["items"]] == ["fo", "foo/bar"]
