"""Several partitions, each on an engine of its own: what is asked, and who follows them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import partition_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.all_logs import extents_or_reasons, have_more, last_positions
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import replies_of
from itemstore.projections import pace, runner, runners
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.pace import Pace
from itemstore.projections.runners import Runners
from itemstore.projections.statistics import read_statistics
from itemstore.store.store import Store
from tests.apart import Apart, store_apart
from tests.rebuild.conftest import cancelled, write

PARTITIONS = 4


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that do not let a test wait."""
    monkeypatch.setattr(runner, "PATIENCE", 0.002)
    monkeypatch.setattr(runners, "TRIES", 10_000)
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, long_pause=0.002))


@pytest.fixture
def apart() -> Apart:
    """The engines."""
    return Apart()


@pytest.fixture
def store(apart: Apart) -> Store:
    """A store of two collections on them."""
    return store_apart(apart, PARTITIONS, collections="products=any,orders=any")


def logs_of(store: Store) -> list[Partition]:
    """All of them."""
    return [one for each in store.collections.values() for one in each.partitions]


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[Runners]:
    """Runners for the block."""
    logs = logs_of(store)
    found = Runners(logs, BUILT_IN)
    for section in store.sections:
        section.appender.tell(found.woken(section.partition))
    task = asyncio.create_task(found.run())
    yield found
    await cancelled(task)


async def counted(logs: list[Partition]) -> Counter[str]:
    """The events by type, once all are counted."""
    async with asyncio.timeout(10):
        while True:
            extents = await extents_or_reasons(logs)
            found = await read_statistics(logs)
            ends = [each.last for each in extents if isinstance(each, Extent)]
            if [each.position for each in found] == ends:
                break
            await asyncio.sleep(0.002)
    types: Counter[str] = Counter()
    for each in found:
        types.update(each.types)
    return types


def item_in(partition: int) -> str:
    """An id that belongs there."""
    return next(f"i{n}" for n in range(1000) if partition_of(f"i{n}", PARTITIONS) == partition)


async def test_each_is_asked_at_its_own_engine_and_answers_in_its_place(
    apart: Apart, store: Store
) -> None:
    """Whatever order they are asked in, and whichever of them is away or broken."""
    for each in store.collections.values():
        await write(each.log, 40)
    logs = logs_of(store)[::-1]
    lengths = [await each.client.xlen(each.keys.events) for each in logs]

    found = await replies_of([(each, ("XLEN", each.keys.events)) for each in logs])
    assert found == lengths
    extents = await extents_or_reasons(logs)
    assert [each.length for each in extents if isinstance(each, Extent)] == lengths
    assert await have_more([(each, "0-0") for each in logs]) == [True] * len(logs)

    apart.servers["2"].connected = False
    broken = logs[0]
    assert broken.keys.partition == 3
    await broken.client.set(broken.keys.events, "no log")
    kinds = [
        LogUnavailable if each.keys.partition == 2 else LogBroken if each == broken else Extent
        for each in logs
    ]
    assert [type(each) for each in await extents_or_reasons(logs)] == kinds
    ends = await last_positions([section.partition for section in store.sections])
    assert [isinstance(each, str) for each in ends] == [True, True, False, True]


async def test_all_partitions_are_followed_and_nothing_crosses(apart: Apart, store: Store) -> None:
    """What was there and what comes; the keys of each are in its own engine, leases among them."""
    products, orders = store.collections.values()
    await write(products.log, 60)
    async with following(store):
        await write(orders.log, 60, seed=2)
        await write(products.log, 30, seed=3)
        types = await counted(logs_of(store))
        keys = await apart.keys()
    events = [await each.client.xlen(each.keys.events) for each in logs_of(store)]
    assert types.total() == sum(events)
    assert min(events) > 0
    for tag, names in keys.items():
        assert all(name.startswith(f"{{{tag}}}:") for name in names)
        assert [name for name in names if ":lease:following-" in name]


async def test_a_partition_that_is_away_holds_up_no_other(apart: Apart, store: Store) -> None:
    """It is followed again as soon as it is there, with what it got before."""
    products = store.collections["products"]
    async with following(store):
        await write(products.log, 40)
        await counted(logs_of(store))
        apart.servers["1"].connected = False
        others = [each for each in logs_of(store) if each.keys.partition != 1]
        before = (await counted(others)).total()
        for partition in (0, 2, 3):
            await products.log.append(PutItem(item_in(partition), b"{}"))
        assert (await counted(others)).total() == before + 3
        apart.servers["1"].connected = True
        await products.log.append(PutItem(item_in(1), b"{}"))
        assert (await counted(logs_of(store))).total() > before + 3


async def test_idle_partitions_are_looked_at_less_often_all_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that many cost a process no more than a few do."""
    monkeypatch.setattr(runners, "LOOKS", 20)
    asked: Counter[str] = Counter()
    execute: Any = FakeAsyncRedis.execute_command

    async def noted(self: FakeAsyncRedis, *command: Any, **options: Any) -> Any:
        asked[command[0]] += 1
        return await execute(self, *command, **options)

    async with following(store):
        await write(store.collections["products"].log, 40)
        await counted(logs_of(store))
        await asyncio.sleep(1)  # they have slowed down
        monkeypatch.setattr(FakeAsyncRedis, "execute_command", noted)
        began = monotonic()
        await asyncio.sleep(1)
        seconds = monotonic() - began
    assert 0 < asked["GET"] <= 20 * seconds + PARTITIONS


async def test_a_write_of_this_process_wakes_who_follows_its_partition(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted at once, however long the pauses have become."""
    monkeypatch.setattr(runners, "LOOKS", 0.01)
    products = store.collections["products"]
    async with following(store):
        await write(products.log, 40)
        before = (await counted(logs_of(store))).total()
        await asyncio.sleep(0.5)
        for partition in range(PARTITIONS):
            await products.log.append(PutItem(item_in(partition), b"{}"))
        assert (await counted(logs_of(store))).total() == before + PARTITIONS


def test_one_that_nobody_wakes_rests_for_a_second_at_most(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many partitions there are: a write is waited for in the read model."""
    monkeypatch.setattr(runners, "LOOKS", 0.01)
    found = Runners(logs_of(store), BUILT_IN, is_alone=True)
    assert {each._pace.longest_pause for each in found._runners.values()} == {1.0}
