"""What an admin does over HTTP about events that a projection has set aside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore import WebhookProjection
from tests.api.conftest import problem
from tests.own.conftest import Running, shown, until
from tests.own.receiver import Post, Receiver, taken

LETTERS = "/admin/projections/hook/dead-letters"


def choosy(post: Post) -> tuple[int, Mapping[str, str]]:
    """The answer of a receiver that refuses much, and is gone for `gone`."""
    return {"good": 204, "gone": 410}.get(post.item, 422), {}


@pytest.fixture
def receiver_that_refuses(receiver: Receiver) -> Receiver:
    """One that takes `good` alone."""
    receiver.answer = choosy
    return receiver


@pytest.mark.parametrize("partitions", [1, 4])
async def test_what_is_set_aside_is_listed_in_pages_the_oldest_first(
    running: Running, receiver_that_refuses: Receiver, partitions: int
) -> None:
    """Across partitions and collections, each event once."""
    hook = WebhookProjection("hook", receiver_that_refuses.url)
    async with running(hook, partitions=partitions, collections="a=any,b=any") as client:
        paths = [f"/{collection}/{number}" for number in range(4) for collection in "ab"]
        put = [await client.put(path, json={}) for path in paths]
        await until(lambda: _set_aside(client, 8))
        pages, path = [], f"{LETTERS}?limit=3"
        while path:
            page = await client.get(path)
            pages.append(page.json())
            link = re.search(r'<(.*)>; rel="next"', page.headers.get("link", ""))
            path = link[1] if link else ""
    assert [len(page["dead_letters"]) for page in pages] == [3, 3, 2]
    assert [page["total"] for page in pages] == [8, 8, 8]
    assert pages[-1]["next"] is None
    letters = [each for page in pages for each in page["dead_letters"]]
    assert [each["id"] for each in letters] == [each.headers["event-id"] for each in put]
    assert {(each["reason"], each["tries"], each["again"]) for each in letters} == {
        ("the receiver answers 422", 1, False)
    }


async def test_some_are_tried_again_some_are_dropped_and_one_that_stopped_goes_on(
    running: Running, receiver_that_refuses: Receiver
) -> None:
    """As the command does it; what is tried in vain says how often it was."""
    receiver = receiver_that_refuses
    async with running(WebhookProjection("hook", receiver.url)) as client:
        ids = {name: await _put(client, name) for name in ("x", "y", "z", "gone", "good")}
        await until(lambda: _is(client, "stopped"))

        again = await client.post(f"{LETTERS}/retry", json={"ids": [ids["x"], "1-0"]})
        assert (again.status_code, again.json()) == (202, {"count": 1, "missing": ["1-0"]})
        await until(lambda: _tried(client, 2))
        receiver.answer = taken
        await client.post(f"{LETTERS}/retry", json={"ids": [ids["x"]]})
        await until(lambda: receiver.items == ["x"])
        await until(lambda: _set_aside(client, 2))

        dropped = await client.post(f"{LETTERS}/drop", json={"all": True})
        assert (dropped.status_code, dropped.json()) == (200, {"count": 2, "missing": []})
        assert (await client.get(LETTERS)).json() == {"dead_letters": [], "next": None, "total": 0}
        resumed = await client.post("/admin/projections/hook/resume")
        assert (resumed.status_code, resumed.json()) == (202, {"resumed": True})
        await until(lambda: receiver.items == ["x", "gone", "good"])
        await until(lambda: _is(client, "following"))
        resumed = await client.post("/admin/projections/hook/resume")
        assert resumed.json() == {"resumed": False}


async def test_one_projection_is_told_of_alone(running: Running, receiver: Receiver) -> None:
    """With the same as in the list; what is not there is named with what is."""
    async with running(WebhookProjection("hook", receiver.url)) as client:
        answer = (await client.get("/projections/hook")).json()
        assert answer["projections"] == [await shown(client, "hook")]
        assert {*answer} == {"log", "projections"}
        lost = problem(await client.get("/projections/hok"), 404, "not-found")
        assert "there are current-items, statistics, hook" in lost["detail"]


async def test_events_are_handed_over_again_by_an_operation_that_says_from_where(
    running: Running, receiver: Receiver
) -> None:
    """Without a place, and with one where it means nothing, it is refused."""
    async with running(WebhookProjection("hook", receiver.url)) as client:
        ids = {name: await _put(client, name) for name in ("a", "b", "c")}
        await until(lambda: receiver.items == ["a", "b", "c"])
        wanted = {"operation": "rebuild", "projection": "hook"}
        for wrong, said in (
            (wanted, "say after which"),
            ({**wanted, "from": "yesterday"}, "It takes a position"),
            ({"operation": "rebuild", "from": "0-0"}, "from the first event on"),
            ({"operation": "verify", "from": "0-0"}, "from the first event on"),
        ):
            refused = problem(
                await client.post("/admin/operations", json=wrong), 422, "invalid-body"
            )
            assert said in refused["detail"]
        begun = await client.post("/admin/operations", json={**wanted, "from": ids["a"]})
        assert (begun.status_code, begun.json()["from"]) == (202, ids["a"])
        await until(lambda: receiver.items == ["a", "b", "c", "b", "c"])


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["1-0"], "all": True}, {"all": False}])
@pytest.mark.parametrize("what", ["retry", "drop"])
async def test_who_does_not_say_which_changes_none(
    running: Running, receiver_that_refuses: Receiver, what: str, body: dict[str, Any]
) -> None:
    """All are meant only where somebody says so."""
    async with running(WebhookProjection("hook", receiver_that_refuses.url)) as client:
        await client.put("/items/x", json={})
        await until(lambda: _set_aside(client, 1))
        problem(await client.post(f"{LETTERS}/{what}", json=body), 422, "invalid-body")
        assert (await client.get(LETTERS)).json()["total"] == 1


async def test_what_somebody_put_there_by_hand_is_passed_over(
    running: Running, receiver_that_refuses: Receiver, engine: FakeServer
) -> None:
    """And is no error of the server."""
    async with running(WebhookProjection("hook", receiver_that_refuses.url)) as client:
        await client.put("/items/x", json={})
        await until(lambda: _set_aside(client, 1))
        redis = FakeAsyncRedis(server=engine)
        [key] = [each for each in await redis.keys() if await _is_letters(redis, each)]
        await redis.hset(key, mapping={"soon": "x", "1-0": "[]", "2-0": "{}"})
        page = (await client.get(LETTERS)).json()
        assert [each["item"] for each in page["dead_letters"]] == ["x"]


async def test_a_projection_that_handles_nothing_has_nothing_set_aside(
    running: Running, receiver: Receiver
) -> None:
    """404, in every request."""
    async with running(WebhookProjection("hook", receiver.url)) as client:
        for path in ("statistics", "no-such"):
            lost = await client.get(f"/admin/projections/{path}/dead-letters")
            problem(lost, 404, "not-found")
            lost = await client.post(f"/admin/projections/{path}/resume")
            problem(lost, 404, "not-found")


async def _put(client: httpx.AsyncClient, name: str) -> str:
    return str((await client.put(f"/items/{name}", json={})).headers["event-id"])


async def _set_aside(client: httpx.AsyncClient, count: int) -> bool:
    answer = await client.get(LETTERS)
    return answer.status_code == 200 and answer.json()["total"] == count


async def _tried(client: httpx.AsyncClient, tries: int) -> bool:
    letters = (await client.get(LETTERS)).json()["dead_letters"]
    return any(each["tries"] == tries for each in letters)


async def _is(client: httpx.AsyncClient, state: str) -> bool:
    return bool((await shown(client, "hook"))["state"] == state)


async def _is_letters(redis: Any, key: bytes | str) -> bool:
    if await redis.type(key) != b"hash":
        return False
    return any(b'"reason"' in text for text in await redis.hvals(key))
