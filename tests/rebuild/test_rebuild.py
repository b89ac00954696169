"""A rebuild: what it tells, what it leaves alone, and when it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.scripts import Script
from itemstore.eventlog import stream
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import runs
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.progress import Progress
from itemstore.projections.rebuild.clear import begin
from itemstore.projections.rebuild.comparison import COMPARE, Comparison
from itemstore.projections.rebuild.errors import RebuildRunning, UnknownProjection
from itemstore.projections.rebuild.receipt import last_receipts
from itemstore.projections.rebuild.run import named, rebuild
from itemstore.projections.rebuild.shadow import REPLAY_IN_ORDER, Shadow
from itemstore.projections.verify.run import verify
from tests.conftest import Unchanged, assert_agreement, contents
from tests.rebuild.conftest import write


async def test_a_receipt_says_what_was_done_and_is_kept(
    partition: Partition, log: EventLog
) -> None:
    """Range, events, items, digests; in the engine it is JSON."""
    first = await log.append(PutItem("foo", b"{}"))
    await log.append(PutItem("bar", b"{}"))
    last = await log.append(DeleteItem("foo"))

    receipt = await rebuild(partition, CURRENT_ITEMS)

    found = receipt.findings
    assert (found.first, found.last) == (first.position, last.position)
    assert (found.events, found.skipped, found.items) == (3, 0, 1)
    assert found.digest_before == found.digest_after == (await verify(partition, BUILT_IN)).digest
    assert found.different == {"rows": 0, "ids": 0, "histories": 0}
    assert found.examples == []
    assert not receipt.dry_run
    assert receipt.seconds > 0
    assert await last_receipts([partition]) == [{"current-items": receipt}]


async def test_a_receipt_names_the_first_few_that_differ(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """And counts all of them."""
    rows = await redis.hlen(partition.keys.current)
    await redis.delete(partition.keys.current)

    found = (await rebuild(partition, CURRENT_ITEMS)).findings

    assert found.different["rows"] == rows
    assert len(found.examples) == 10
    assert all(await redis.hmget(partition.keys.current, found.examples))


async def test_a_rebuild_leaves_nothing_behind(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """The keys are those from before, and the receipt."""
    before = await contents(redis)

    await rebuild(partition, CURRENT_ITEMS)

    after = await contents(redis)
    assert after.pop(partition.keys.receipts.encode())
    assert after == before


@pytest.mark.usefixtures("replay")
async def test_a_dry_run_tells_the_same_and_changes_nothing(
    redis: Redis, partition: Partition, history: EventLog, unchanged: Unchanged
) -> None:
    """Not a key is different after it; the rebuild then finds what it said."""
    await redis.hdel(partition.keys.current, "kept")
    await redis.zrem(partition.keys.ids, "back")
    await redis.delete(partition.keys.history("gone"))
    await redis.rpush(partition.keys.history("never"), "1-1")

    async with unchanged():
        dry = await rebuild(partition, CURRENT_ITEMS, dry_run=True)

    assert dry.dry_run
    assert dry.findings.different == {"rows": 1, "ids": 1, "histories": 2}
    assert set(dry.findings.examples) == {"kept", "back", "gone", "never"}
    real = await rebuild(partition, CURRENT_ITEMS)
    assert real.findings.different == dry.findings.different
    assert real.findings.digest_before == dry.findings.digest_before
    assert real.findings.digest_after == dry.findings.digest_after


async def test_progress_goes_up_to_all_events(partition: Partition, history: EventLog) -> None:
    """It is told while it goes on, and the total is the length of the log."""
    told: list[Progress] = []

    await rebuild(partition, CURRENT_ITEMS, report=told.append)

    assert [each.events for each in told] == sorted(each.events for each in told)
    assert told[-1].events == told[-1].total == (await history.reader.extent()).length
    assert {each.stage for each in told} == {"replaying", "comparing", "swapping"}


def test_an_unknown_projection_is_refused() -> None:
    """The error names those that there are."""
    assert named("current-items", BUILT_IN) is CURRENT_ITEMS
    with pytest.raises(UnknownProjection, match="'nonsense'; there are current-items, statistics"):
        named("nonsense", BUILT_IN)


async def test_two_rebuilds_at_once_are_refused(partition: Partition, history: EventLog) -> None:
    """One goes on, and the other is told when it can be tried again."""
    outcomes = await asyncio.gather(
        rebuild(partition, CURRENT_ITEMS), rebuild(partition, CURRENT_ITEMS), return_exceptions=True
    )

    [refused] = [each for each in outcomes if isinstance(each, BaseException)]
    assert isinstance(refused, RebuildRunning)
    assert 0 < refused.seconds <= 10
    await rebuild(partition, CURRENT_ITEMS)


async def test_a_lease_that_nobody_renews_runs_out(redis: Redis, partition: Partition) -> None:
    """One that was cut off does not stand in the way for long."""
    lost, next_one = (Lease(partition, partition.keys.lease("rebuild"), 50) for _ in range(2))
    assert await lost.acquire()
    assert not await next_one.acquire()
    await asyncio.sleep(0.06)

    assert await next_one.acquire()
    with pytest.raises(LeaseLost):
        await lost.renew()
    await lost.release()
    assert await redis.get(next_one.key) is not None


async def test_a_rebuild_that_lost_its_lease_changes_nothing(
    redis: Redis, partition: Partition, history: EventLog, unchanged: Unchanged
) -> None:
    """Not a step is taken, the swap least of all, once the lease is somebody else's."""
    lease = Lease(partition, partition.keys.lease("rebuild"), 10_000)
    await lease.acquire()
    await redis.set(lease.key, "somebody else")
    late = Shadow(partition, lease, await partition.reader.extent(), DiskSpace())

    async with unchanged():
        with pytest.raises(LeaseLost):
            await late.swap()
        with pytest.raises(LeaseLost):
            await late.heal_histories()
        await late.replay(runs.Runs(), "0-0")
        with pytest.raises(LeaseLost):
            await Comparison(late, partition, lease).mark_histories()


async def test_a_step_sent_twice_is_done_once(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """A client library that sends the swap again after a lost reply would swap nothing in."""
    lease = Lease(partition, partition.keys.lease("rebuild"), 10_000)
    await lease.acquire()
    late = Shadow(partition, lease, await partition.reader.extent(), DiskSpace())
    await late.swap()
    before = await contents(redis)

    lease._number -= 1
    with pytest.raises(LeaseLost):
        await late.swap()

    assert await contents(redis) == before


async def abandoned(partition: Partition) -> None:
    """Goes as far as the swap, and is gone: nothing is cleared away but, with time, the lease."""
    lease = Lease(partition, partition.keys.lease("rebuild"), 10_000)
    await lease.acquire()
    await begin(partition, lease)
    left = Shadow(partition, lease, await partition.reader.extent(), DiskSpace())
    comparison = Comparison(left, partition, lease)
    _ = [page async for page in comparison.pages()]
    await comparison.mark_histories()
    await partition.client.delete(lease.key)


async def test_what_a_rebuild_left_is_removed_by_the_next(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """Its rows, ids and histories are there until then, and the live ones as they were."""
    await redis.delete(partition.keys.history("kept"))
    await redis.rpush(partition.keys.history("gone"), "1-1")
    before = set(await redis.keys("*"))
    await abandoned(partition)
    left = {key for key in set(await redis.keys("*")) - before if b":rebuild:" in key}
    assert len(left) == 5  # rows, ids, and which two histories are wrong

    await rebuild(partition, CURRENT_ITEMS)

    assert not [key for key in await redis.keys("*") if b":rebuild" in key]
    await assert_agreement(partition)


async def test_a_cancelled_rebuild_clears_up_after_itself(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """Ctrl-C leaves the live keys as they were, and the next rebuild can begin at once."""
    before = await contents(redis)

    def cancel(_: Progress) -> None:
        task.cancel()

    task = asyncio.create_task(rebuild(partition, CURRENT_ITEMS, report=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await contents(redis) == before
    await rebuild(partition, CURRENT_ITEMS)


@pytest.mark.parametrize("cut_off", [REPLAY_IN_ORDER, COMPARE], ids=["replay_in_order", "compare"])
async def test_a_rebuild_cancelled_before_a_reply_clears_up_after_itself(
    redis: Redis,
    partition: Partition,
    history: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    cut_off: Script,
) -> None:
    """Whether or not the step that it waited for has renewed the lease."""
    before = await contents(redis)
    run = Script.run

    async def late(self: Script, *arguments: Any) -> Any:
        reply = await run(self, *arguments)
        if self is cut_off:
            raise asyncio.CancelledError
        return reply

    with monkeypatch.context() as patched:
        patched.setattr(Script, "run", late)
        with pytest.raises(asyncio.CancelledError):
            await rebuild(partition, CURRENT_ITEMS)

    assert await contents(redis) == before
    await rebuild(partition, CURRENT_ITEMS)


async def test_an_item_with_thousands_of_events_is_rebuilt(
    redis: Redis, partition: Partition
) -> None:
    """Its history is replayed in parts, none of which is long."""
    log = EventLog(partition)
    await asyncio.gather(*(log.append(PutItem("hot", b"%d" % number)) for number in range(1800)))
    await log.append(DeleteItem("hot"))
    await log.append(PutItem("hot", b"{}"))
    await redis.lset(partition.keys.history("hot"), 900, "1-1")
    await redis.delete(partition.keys.current, partition.keys.ids)
    assert (await verify(partition, BUILT_IN)).counted == {
        "row": 1,
        "index": 1,
        "total": 1,
        "history": 1,
    }

    await rebuild(partition, CURRENT_ITEMS)

    assert (await verify(partition, BUILT_IN)).clean
    await assert_agreement(partition)


@pytest.mark.usefixtures("replay")
async def test_long_logs_are_replayed_in_stretches(
    redis: Redis, partition: Partition, history: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an item was before a stretch is in the shadow already: its creation, its history."""
    await redis.delete(partition.keys.current, partition.keys.ids, partition.keys.history("kept"))
    await redis.lpop(partition.keys.history("back"))
    monkeypatch.setattr(runs, "MOST_EVENTS", 7)
    monkeypatch.setattr(stream, "FIRST", 5)
    monkeypatch.setattr(stream, "MOST", 5)

    found = (await rebuild(partition, CURRENT_ITEMS)).findings

    assert found.events == (await history.reader.extent()).length
    assert (await verify(partition, BUILT_IN)).clean
    await assert_agreement(partition)


async def test_large_bodies_make_small_slices(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """Rows of a megabyte are digested, compared and verified like others."""
    for number in range(12):
        await log.append(PutItem(f"large {number % 8}", b'"%s"' % (b"x" * 1_000_000)))
    await redis.hdel(partition.keys.current, "large 3")

    found = (await rebuild(partition, CURRENT_ITEMS)).findings

    assert found.different == {"rows": 1, "ids": 0, "histories": 0}
    verdict = await verify(partition, BUILT_IN)
    assert verdict.clean
    assert verdict.digest == found.digest_after


async def test_another_namespace_is_left_alone(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """Also where its name begins or ends alike, or would be a pattern."""
    others = [Keys("items2"), Keys("item"), Keys("{items}"), Keys("it?ms"), Keys("*")]
    for other in others:
        await write(EventLog(Partition(redis, other)), 10)
        await redis.rpush(other.history("never"), "1-1")
    before = {
        key: value for key, value in (await contents(redis)).items() if not_of(partition.keys, key)
    }

    await rebuild(partition, CURRENT_ITEMS)

    after = {
        key: value for key, value in (await contents(redis)).items() if not_of(partition.keys, key)
    }
    assert after == before
    for other in others:
        assert (await rebuild(Partition(redis, other), CURRENT_ITEMS)).findings.different[
            "histories"
        ] == 1
        assert (await verify(Partition(redis, other), BUILT_IN)).clean


def not_of(keys: Keys, key: bytes) -> bool:
    """Whether a key is of another namespace."""
    return not key.startswith(f"{keys.prefix}:".encode())
