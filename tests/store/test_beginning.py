"""What is done before a store is served: also where some of its partitions are away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from itemstore.domain.commands import PutItem
from itemstore.engine.clients import Clients
from itemstore.engine.errors import LogUnavailable
from itemstore.store import opening
from itemstore.store.beginning import begun, promise_of, reach
from itemstore.store.half_restored import HalfRestored
from itemstore.store.opening import open_store, open_to_serve
from itemstore.store.settings import Settings
from tests.apart import Apart, store_apart
from tests.store.test_health import items_in

PARTITIONS = 4

SEVERAL = Settings(redis_url="redis://a-cluster", partitions=PARTITIONS, sql_url="off")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Apart:
    """An engine for each partition; where a store is opened by its URL, it is there."""
    apart = Apart()

    @asynccontextmanager
    async def clients_of(url: str, *, is_served: bool) -> AsyncIterator[Clients]:
        yield apart

    monkeypatch.setattr(opening, "clients_of", clients_of)
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    monkeypatch.setattr("itemstore.store.beginning.PAUSE", 0.01)
    for number in range(PARTITIONS):
        apart.of(str(number))
    return apart


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of what is wrong."""
    return [each.__dict__["reason"] for each in caplog.records if hasattr(each, "reason")]


async def test_a_store_is_served_while_partitions_are_away(
    apart: Apart, caplog: pytest.LogCaptureFixture
) -> None:
    """What is in the others is read and written, and what is away is said once."""
    apart.servers["1"].connected = False
    async with open_to_serve(SEVERAL) as store:
        log = store.collections["items"].log
        for number in range(PARTITIONS):
            command = PutItem(items_in(number, PARTITIONS), b"{}")
            if number == 1:
                with pytest.raises(LogUnavailable):
                    await log.append(command)
            else:
                assert (await log.append(command)).version == 1
    [said] = reasons(caplog)
    assert said.startswith("1 of 4 partitions takes no write now. 1 at no node: ")


async def test_a_partition_that_comes_back_gets_what_the_others_have(apart: Apart) -> None:
    """Its collections are written down, by themselves."""
    apart.servers["3"].connected = False
    async with open_to_serve(SEVERAL, names=["notes"]), asyncio.timeout(10):
        assert await apart.of("2").hexists("{2}:itemstore:layout", "collection:notes")
        apart.servers["3"].connected = True
        while not await apart.of("3").hexists("{3}:itemstore:layout", "collection:notes"):
            await asyncio.sleep(0.01)


async def test_without_its_first_partition_no_store_is_served(apart: Apart) -> None:
    """There is what belongs to the whole store, such as its tokens."""
    store = store_apart(apart, PARTITIONS)
    apart.servers["0"].connected = False
    with pytest.raises(LogUnavailable):
        await reach(store)
    with pytest.raises(LogUnavailable):
        async with open_to_serve(SEVERAL):
            pytest.fail("it was opened")


async def test_a_half_restored_partition_stops_the_start(apart: Apart) -> None:
    """Also where another one is away."""
    await apart.of("2").set("{2}:itemstore:restoring", "1")
    apart.servers["3"].connected = False
    with pytest.raises(HalfRestored):
        async with open_to_serve(SEVERAL):
            pytest.fail("it was opened")


async def test_a_partition_that_comes_back_half_restored_is_said(
    apart: Apart, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is written down there, until it is whole."""
    store = store_apart(apart, PARTITIONS)
    await apart.of("3").set("{3}:itemstore:restoring", "1")
    apart.servers["3"].connected = False
    away = await reach(store)
    assert [*away] == [3]
    assert (await promise_of(store, away)).fsync == "unknown"
    async with begun(store, away), asyncio.timeout(10):
        apart.servers["3"].connected = True
        while "restore" not in "".join(reasons(caplog)):
            await asyncio.sleep(0.01)
        assert not await apart.of("3").hkeys("{3}:itemstore:layout")
        await apart.of("3").delete("{3}:itemstore:restoring")
        while not await apart.of("3").hkeys("{3}:itemstore:layout"):
            await asyncio.sleep(0.01)


async def test_a_command_says_which_partitions_are_away(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence; one that can do with what is there is given that."""
    async with open_to_serve(SEVERAL):
        pass
    for number in (1, 2):
        apart.servers[str(number)].connected = False
    with pytest.raises(LogUnavailable, match=r"2 of 4 partitions are away\. 1, 2 at no node: "):
        async with open_store(SEVERAL):
            pytest.fail("it was opened")
    async with open_store(SEVERAL, partly=True) as store:
        assert await store.collections["items"].items.get(items_in(0, PARTITIONS)) is None
