"""PATCH in a batch: on what the batch left before it, and never on what is no longer there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.domain.evolve import Item
from itemstore.server.slow_work import SlowWork
from tests.api.batches import check, delete, patch, put, responses, send, statuses
from tests.api.conftest import Events, Serve, problem

LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"
TEST_1 = [{"op": "test", "path": "/size", "value": 1}, {"op": "add", "path": "/name", "value": "x"}]

Between = Callable[[Callable[[], Awaitable[Any]]], None]


@pytest.fixture
def between(app: ItemStore, monkeypatch: pytest.MonkeyPatch) -> Between:
    """Lets another writer come between, once: after the batch has read an item."""

    def between(write: Callable[[], Awaitable[Any]]) -> None:
        assert app.context is not None
        items = app.context.store.collections["items"].items
        get, is_done = items.get, False

        async def read(item: str) -> Item | None:
            nonlocal is_done
            found = await get(item)
            if not is_done:
                is_done = True
                await write()
            return found

        monkeypatch.setattr(type(items), "get", lambda _, item: read(item))

    return between


async def test_another_writer_in_between_is_no_failure(
    client: httpx.AsyncClient, between: Between, events: Events
) -> None:
    """The batch begins again, on what the other one left."""
    await client.put("/items/a", json={"size": 1})
    between(lambda: client.put("/items/a", json={"size": 5}))

    got = responses(await send(client, put("b", {}), patch("a", {"name": "x"})))

    assert got[1]["body"] == {"name": "x", "size": 5}
    assert [each.item for each in await events()] == ["a", "a", "b", "a"]


async def test_an_item_that_is_deleted_in_between_is_404(
    client: httpx.AsyncClient, between: Between, events: Events
) -> None:
    """As if the batch had come later."""
    await client.put("/items/a", json={"size": 1})
    between(lambda: client.delete("/items/a"))

    answer = await send(client, put("b", {}), patch("a", {"name": "x"}))

    assert problem(answer, 404, "item-deleted")["index"] == 1
    assert len(await events()) == 2


async def test_an_item_that_is_made_in_between_is_patched(
    client: httpx.AsyncClient, between: Between
) -> None:
    """What was not there when the batch looked is no 404."""
    between(lambda: client.put("/items/a", json={"size": 5}))

    assert statuses(await send(client, patch("a", {"name": "x"}))) == [200]


async def test_a_patch_that_no_longer_fails_goes_through(
    client: httpx.AsyncClient, between: Between
) -> None:
    """Whether it fits is decided at the moment of the batch."""
    await client.put("/items/a", json={"size": 7})
    between(lambda: client.put("/items/a", json={"size": 1}))

    [_, got] = responses(await send(client, put("b", {}), patch("a", TEST_1)))

    assert got["body"] == {"name": "x", "size": 1}


async def test_a_patch_that_fails_meanwhile_fails(
    client: httpx.AsyncClient, between: Between, events: Events
) -> None:
    """And the other way round."""
    await client.put("/items/a", json={"size": 1})
    between(lambda: client.put("/items/a", json={"size": 7}))

    answer = await send(client, put("b", {}), patch("a", TEST_1))

    assert problem(answer, 409, "patch-conflict")["index"] == 1
    assert len(await events()) == 2


@pytest.mark.parametrize("request_", [patch("a", {}, if_match='"1"'), put("a", {}, if_match='"1"')])
async def test_a_condition_is_not_tried_again(
    client: httpx.AsyncClient, between: Between, request_: dict[str, Any]
) -> None:
    """412 with what is there now."""
    await client.put("/items/a", json={"size": 1})
    await client.put("/items/c", json={"size": 1})
    between(lambda: client.put("/items/a", json={"size": 7}))

    answer = await send(client, patch("c", {}), request_)

    assert problem(answer, 412, "unexpected-version")["version"] == 2
    assert (answer.json()["index"], answer.headers["etag"]) == (1, '"2"')


async def test_a_condition_that_holds_only_since_counts(
    client: httpx.AsyncClient, between: Between
) -> None:
    """What the patch was to be refused for is no more."""
    await client.put("/items/a", json={"size": 1})
    between(lambda: client.put("/items/a", json={"size": 7}))

    assert statuses(await send(client, patch("a", {}, if_match='"2"'))) == [200]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (put("a", {}, if_unmodified_since=FAR_AHEAD), 200),
        (patch("a", {}, if_unmodified_since=FAR_AHEAD), 200),
        (check("a", if_unmodified_since=FAR_AHEAD), 200),
        (delete("a", if_unmodified_since=FAR_AHEAD), 204),
    ],
    ids=lambda case: case["method"] if isinstance(case, dict) else None,
)
async def test_a_date_is_read_and_held_to_the_moment(
    client: httpx.AsyncClient, between: Between, request_: dict[str, Any], status: int
) -> None:
    """Another writer in between: it is looked at once more, and holds."""
    await client.put("/items/a", json={"size": 1})
    between(lambda: client.put("/items/a", json={"size": 7}))

    assert statuses(await send(client, put("b", {}), request_)) == [201, status]


async def test_patches_of_one_item_by_many_writers_lose_nothing(serve: Serve) -> None:
    """Batches that patch two items, and single patches of each: every member is there at last."""
    client = serve(model="any")
    await send(client, put("a", {}), put("b", {}))

    async def by_batch(number: int) -> None:
        answer = await send(
            client,
            patch("a", {f"b{number}": 1}),
            patch("b", {f"b{number}": 1}),
            patch("a", {f"c{number}": 1}),
        )
        assert statuses(answer) == [200, 200, 200]

    async def alone(number: int) -> None:
        merge = {"content-type": "application/merge-patch+json"}
        for item in "ab":
            answer = await client.patch(
                f"/items/{item}", content=f'{{"s{number}":1}}', headers=merge
            )
            assert answer.status_code == 200

    await asyncio.gather(*(by_batch(n) for n in range(12)), *(alone(n) for n in range(12)))

    a, b = (await client.get("/items/a")).json(), (await client.get("/items/b")).json()
    assert {name[0] for name in a} == {"b", "c", "s"}
    assert (len(a), len(b)) == (36, 24)


async def test_large_patches_are_worked_out_beside_the_event_loop(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop answers others meanwhile; the outcome is the same."""
    store = serve(model="any")
    worked: list[str] = []
    run = SlowWork.run

    async def counted(self: SlowWork, work: Callable[[], Any]) -> Any:
        worked.append("away")
        return await run(self, work)

    monkeypatch.setattr(SlowWork, "run", counted)
    await store.put("/items/small", json={"n": 1})
    assert statuses(await send(store, patch("small", {"n": 2}))) == [200]
    assert not worked
    await store.put("/items/large", json={"text": "x" * 40_000})
    worked.clear()
    got = responses(await send(store, patch("large", {"n": 2}), patch("small", {"n": 3})))
    assert worked == ["away"]
    assert got[0]["body"] == {"text": "x" * 40_000, "n": 2}


async def test_a_batch_of_many_patches_reads_all_their_items(
    serve: Serve, redis: FakeAsyncRedis
) -> None:
    """More than are read at a time."""
    store = serve(model="any")
    await send(store, *(put(str(n), {"n": n}) for n in range(60)))

    changes = [patch(str(n % 60), {f"m{n}": n}) for n in range(120)]
    got = responses(await send(store, *changes))

    assert [each["status"] for each in got] == [200] * 120
    assert got[119]["body"] == {"n": 59, "m59": 59, "m119": 119}
    assert await redis.xlen("items:events") == 180
