"""Handlers: a function of the operator's own is called for each event, at least once."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable
from typing import Any

import pytest

from itemstore import HandlerProjection, RecordedEvent
from tests.own.conftest import Running, shown, until


async def test_a_function_is_called_for_each_event_in_a_thread_or_awaited(
    running: Running,
) -> None:
    """In the order of the log."""
    seen: list[tuple[str, int]] = []
    awaited: list[str] = []
    threads = set()

    def plain(recorded: RecordedEvent) -> None:
        threads.add(threading.current_thread())
        seen.append((recorded.item, recorded.version))

    async def coroutine(recorded: RecordedEvent) -> None:
        await asyncio.sleep(0)
        awaited.append(recorded.type)

    async with running(HandlerProjection("plain", plain), HandlerProjection("co", coroutine)) as (
        client
    ):
        await client.put("/items/a", json={})
        await client.put("/items/a", json={})
        await client.delete("/items/a")
        await until(lambda: len(seen) == len(awaited) == 3)
    assert seen == [("a", 1), ("a", 2), ("a", 3)]
    assert awaited == ["ItemCreated", "ItemUpdated", "ItemDeleted"]
    assert threading.main_thread() not in threads


async def test_one_that_raises_stands_at_that_event_until_it_no_longer_does(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """With its reason in `/projections` and in the log; nothing after it is handled before."""
    seen: list[str] = []
    is_broken = True

    def handle(recorded: RecordedEvent) -> None:
        if recorded.item == "b" and is_broken:
            message = "no such color"
            raise ValueError(message)
        seen.append(recorded.item)

    async with running(HandlerProjection("paint", handle)) as client:
        for name in "abc":
            await client.put(f"/items/{name}", json={})
        await until(lambda: _tries(shown(client, "paint"), 3))
        found = await shown(client, "paint")
        assert found["reason"] == "ValueError: no such color"
        assert (found["lag"], found["handled"], seen) == (2, 1, ["a"])
        is_broken = False
        await until(lambda: seen == ["a", "b", "c"])
    warned = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert {each.__dict__["who"] for each in warned} == {"paint"}
    assert all("ValueError: no such color" in each.__dict__["reason"] for each in warned)
    assert warned


async def test_one_that_gives_up_sets_the_event_aside(running: Running) -> None:
    """After as many tries as it says."""
    tried: list[str] = []

    async def handle(recorded: RecordedEvent) -> None:
        tried.append(recorded.item)
        if recorded.item == "a":
            raise LookupError

    async with running(HandlerProjection("paint", handle, give_up_after=2)) as client:
        for name in "ab":
            await client.put(f"/items/{name}", json={})
        await until(lambda: tried == ["a", "a", "b"])
        found = await shown(client, "paint")
    assert (found["dead_letters"], found["failures"]) == (1, 1)


async def test_one_that_takes_too_long_is_never_called_twice_at_once(running: Running) -> None:
    """A thread can't be ended, so the next call waits for it."""
    at_once, most = 0, 0

    def handle(recorded: RecordedEvent) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.15)
        at_once -= 1

    async with running(HandlerProjection("slow", handle, seconds=0.05)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _tries(shown(client, "slow"), 3))
        found = await shown(client, "slow")
    assert found["reason"] == "it took more than 0.05 seconds"
    assert most == 1


async def test_each_goes_on_where_it_was_when_the_store_is_started_again(running: Running) -> None:
    """What was handled is not handled again."""
    seen: list[str] = []

    def handle(recorded: RecordedEvent) -> None:
        seen.append(recorded.item)

    for name in "abc":
        async with running(HandlerProjection("plain", handle)) as client:
            await client.put(f"/items/{name}", json={})
            await until(lambda: seen and seen[-1] == name)  # noqa: B023 - it is called at once
            await until(lambda: _is_at_the_end(shown(client, "plain")))
    assert seen == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"types": ("ItemMade",)}, "types names 'ItemMade': there are ItemCreated, ItemUpdated"),
        ({"begin": "never"}, "begin is 'never': it takes 'now' or 'start'"),
        ({"give_up_after": 0}, "give_up_after is 0: it takes a number from 1, or None"),
    ],
)
def test_what_it_can_t_be_told_is_refused(wrong: dict[str, object], why: str) -> None:
    """Where it is made, so the start of the store says it."""
    with pytest.raises(ValueError, match=why):
        HandlerProjection("paint", print, **wrong)  # type: ignore[arg-type]


async def _tries(asked: Awaitable[dict[str, Any]], least: int) -> bool:
    return bool((await asked)["tries"] >= least)


async def _is_at_the_end(asked: Awaitable[dict[str, Any]]) -> bool:
    return bool((await asked)["lag"] == 0)
