"""Many collections, and one loop that follows them: each is counted, whatever becomes of others."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.engine import reminders
from itemstore.engine.connect import connect
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.all_logs import have_more
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections import following, pace, runner, turns
from itemstore.projections.counting import CountingProjection, CountsFollower
from itemstore.projections.counts import CountsStore
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Projection
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.runner import Runner
from itemstore.projections.statistics import STATISTICS
from itemstore.projections.verify.run import verify
from tests.conftest import Start
from tests.logged import all_told
from tests.rebuild.conftest import cancelled, write

NAMES = ("products", "orders", "notes")

NOT_FOLLOWED = "The log is not followed"


def count_collections(numbers: Counter[str], recorded: RecordedEvent) -> None:
    """Counts where events happen."""
    numbers[recorded.collection] += 1


WHERE = CountingProjection("where", count_collections)


class Hanging(CountingProjection):
    """A projection that never ends with an event of orders."""

    def follower(self, partition: Partition) -> CountsFollower:
        """What hangs."""
        found = super().follower(partition)
        if partition.keys.collection == "orders":
            found.apply = self._hang  # type: ignore[method-assign]
        return found

    async def _hang(self, entries: Sequence[Entry], after: str) -> bool:
        await asyncio.Event().wait()
        return bool(entries and after)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runners that do not let a test wait."""
    monkeypatch.setattr(runner, "PATIENCE", 0.002)
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, long_pause=0.002))
    monkeypatch.setattr(turns, "LONG", 0.01)


@pytest.fixture
def partitions(redis: Redis) -> list[Partition]:
    """Those of three collections of one store."""
    return [Partition(redis, Keys(name)) for name in NAMES]


@asynccontextmanager
async def following_them(
    partitions: Sequence[Partition], *projections: Projection
) -> AsyncIterator[None]:
    """A runner of projections for the block."""
    task = asyncio.create_task(Runner(partitions, projections).run())
    yield
    await cancelled(task)


async def counted(partition: Partition, projection: str = "statistics") -> Counter[str]:
    """The numbers of a projection, once they are those of the whole log."""
    store, end = CountsStore(partition, projection), await partition.reader.last_position()
    async with asyncio.timeout(10):
        while (counts := await store.load()).position != end:
            await asyncio.sleep(0.001)
    return counts.numbers


async def until(holds: Callable[[], object]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.001)


async def test_each_collection_is_counted_by_itself(partitions: list[Partition]) -> None:
    """Events from before and those that come, and each says whose it is."""
    logs = [EventLog(partition) for partition in partitions]
    await write(logs[0], 30)
    async with following_them(partitions, STATISTICS, WHERE):
        for number, log in enumerate(logs):
            await write(log, 20 + number, seed=number)
        for name, partition in zip(NAMES, partitions, strict=True):
            length = (await partition.reader.extent()).length
            assert await counted(partition, "where") == {name: length}
            numbers = await counted(partition)
            types = [numbers[f"type:Item{kind}"] for kind in ("Created", "Updated", "Deleted")]
            assert sum(types) == length
            assert (await verify(partition, [STATISTICS, WHERE])).clean
            assert (await rebuild(partition, WHERE)).findings.different == {"numbers": 0}


async def test_a_projection_may_be_for_some_collections_only(partitions: list[Partition]) -> None:
    """Those that it names; the others have no counts of it."""
    some = CountingProjection("some", count_collections, collections=("orders",))
    for partition in partitions:
        await EventLog(partition).append(PutItem("a", b"{}"))
    async with following_them(partitions, STATISTICS, some):
        assert await counted(partitions[1], "some") == {"orders": 1}
        for partition in partitions:
            await counted(partition)
    redis = partitions[0].client
    assert not await redis.exists(*(Keys(name).counts("some") for name in ("products", "notes")))


def test_one_name_is_no_list_of_names() -> None:
    """Its letters would be taken for collections."""
    with pytest.raises(TypeError, match="write \\('orders',\\)"):
        CountingProjection("some", count_collections, collections="orders")


async def test_one_that_hangs_holds_up_nothing_else(partitions: list[Partition]) -> None:
    """Neither the other collections nor the other projections, now and when more comes."""
    async with following_them(partitions, Hanging("hanging", count_collections), STATISTICS):
        for seed in range(3):
            for partition in partitions:
                await write(EventLog(partition), 10, seed=seed)
            for partition in partitions:
                await counted(partition)
            for partition in (partitions[0], partitions[2]):
                await counted(partition, "hanging")
    assert await CountsStore(partitions[1], "hanging").position() == "0-0"


async def test_one_that_hangs_is_given_up_and_tried_again(
    partitions: list[Partition], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the reason is logged, with where it is."""
    monkeypatch.setattr(following, "TOO_LONG", 0.02)
    monkeypatch.setattr(reminders, "SECONDS", 0.0)
    await EventLog(partitions[1]).append(PutItem("a", b"{}"))
    said = "hanging fails on the events after 0-0: it"

    def times() -> int:
        told = all_told(caplog, event=NOT_FOLLOWED, who="hanging", collection="orders")
        return sum(each["reason"].startswith(said) for each in told)

    async with following_them(partitions, Hanging("hanging", count_collections)):
        await until(lambda: times() > 1)


async def test_one_that_fails_in_a_collection_goes_on_in_the_others(
    partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """The message says in which it fails."""

    def count(numbers: Counter[str], recorded: RecordedEvent) -> None:
        numbers["x"] += 1 // (recorded.collection != "orders")

    async with following_them(partitions, CountingProjection("failing", count), STATISTICS):
        for partition in partitions:
            await write(EventLog(partition), 10)
        for partition in (partitions[0], partitions[2]):
            await counted(partition, "failing")
        for partition in partitions:
            await counted(partition)
        told = {"event": NOT_FOLLOWED, "who": "failing"}
        await until(lambda: all_told(caplog, **told, collection="orders"))
    assert not all_told(caplog, collection="products")


async def test_a_log_that_is_none_holds_up_no_other(
    redis: Redis, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """Another program wrote in its place; it is said as well that it is gone again."""
    caplog.set_level(logging.INFO)
    await redis.set(partitions[0].keys.events, "?")
    async with following_them(partitions, STATISTICS):
        for partition in partitions[1:]:
            await write(EventLog(partition), 10)
            await counted(partition)
        told = {"event": NOT_FOLLOWED, "who": "statistics", "collection": "products"}
        await until(lambda: all_told(caplog, **told))
        await redis.delete(partitions[0].keys.events)
        await until(lambda: all_told(caplog, **told | {"event": "The log is followed again"}))


async def test_what_ails_all_collections_is_said_once(
    redis: Redis, partitions: list[Partition], caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred of them would say it a hundred times."""
    for partition in partitions:
        await EventLog(partition).append(PutItem("a", b"{}"))
        await redis.set(partition.keys.counts("statistics"), "?")
    async with following_them(partitions, STATISTICS):
        await until(lambda: caplog.text)
        await asyncio.sleep(0.05)
    assert len(all_told(caplog, event=NOT_FOLLOWED)) == 1


async def test_of_several_partitions_the_one_is_named_that_is_not_followed(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """On a cluster each has a runner of its own, and they would all say the same."""
    partition = Partition(redis, Keys("orders", partition=3))
    await EventLog(partition).append(PutItem("a", b"{}"))
    await redis.set(partition.keys.counts("statistics"), "?")
    async with following_them([partition], STATISTICS):
        await until(lambda: all_told(caplog, who="statistics", collection="orders", partition=3))
    away = Partition(connect("redis://127.0.0.1:1"), Keys("orders", partition=3))
    async with following_them([away], STATISTICS):
        await until(lambda: all_told(caplog, who="this process", partition=3))


async def test_an_emptied_engine_is_counted_anew(
    redis: Redis, partitions: list[Partition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of what was is in the numbers of what comes."""
    monkeypatch.setattr(runner, "LEASE_MS", 30)
    async with following_them(partitions, STATISTICS):
        for partition in partitions:
            await write(EventLog(partition), 30)
            await counted(partition)
        await redis.flushall()
        for partition in partitions:
            await EventLog(partition).append(PutItem("a", b"{}"))
            assert (await counted(partition))["items"] == 1
            assert (await verify(partition, [STATISTICS])).clean


async def test_what_somebody_took_away_by_hand_is_seen_without_a_new_event(
    redis: Redis, partitions: list[Partition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By and by: one that has nothing to do is looked at now and then."""
    monkeypatch.setattr(pace, "USUAL", replace(pace.USUAL, recheck=0.05))
    for partition in partitions:
        await write(EventLog(partition), 10)
    async with following_them(partitions, STATISTICS):
        before = [await counted(partition) for partition in partitions]
        await redis.delete(*(partition.keys.counts("statistics") for partition in partitions))
        assert [await counted(partition) for partition in partitions] == before


async def test_processes_that_follow_different_things_leave_nothing_out(
    partitions: list[Partition],
) -> None:
    """While a store gets a new collection or projection, old and new processes run at once."""
    async with (
        following_them(partitions[:1], STATISTICS),
        following_them(partitions, STATISTICS),
        following_them(partitions, STATISTICS, WHERE),
    ):
        for partition in partitions:
            await write(EventLog(partition), 50)
        for partition in partitions:
            await counted(partition, "where")
            await counted(partition)
            assert (await verify(partition, [STATISTICS, WHERE])).clean


async def test_a_look_at_all_logs_is_bounded_by_what_they_have(redis: Redis) -> None:
    """Large entries are looked at in several steps; the answer is the same."""
    partitions = [Partition(redis, Keys(f"c{number}")) for number in range(8)]
    for number, partition in enumerate(partitions):
        if number % 3:
            await EventLog(partition).append(PutItem("a", b'"%s"' % (b"x" * 600_000)))
    asked = []
    run = Partition.run

    async def noted(self: Partition, *arguments: Any, **named: Any) -> Any:
        asked.append(len(named["keys"]))
        return await run(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Partition, "run", noted)
        found = await have_more([(partition, "0-0") for partition in partitions])
    assert found == [bool(number % 3) for number in range(8)]
    assert asked == [8, 5, 2]
    assert await have_more([]) == []


async def test_an_engine_that_is_started_again_is_followed_again(start: Start) -> None:
    """Nothing is missed or counted twice."""
    server = start("valkey")
    async with connect(server.url) as redis:
        partitions = [Partition(redis, Keys(name)) for name in NAMES]
        logs = [EventLog(partition) for partition in partitions]
        async with following_them(partitions, STATISTICS):
            for log in logs:
                await write(log, 20)
            await counted(partitions[0])
            server.kill()
            start("valkey", server.directory)
            for log in logs:
                with suppress(LogUnavailable):  # that its connection was closed
                    await write(log, 1)
                await write(log, 20, seed=2)
            for partition in partitions:
                await counted(partition)
                assert (await verify(partition, [STATISTICS])).clean
