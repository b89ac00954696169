"""A rebuild: what it tells, what it leaves alone, and who may do it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog import entries
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.projections import runs
from itemstore.projections.current_items import APPLY
from itemstore.projections.lease import Lease, LeaseLost
from itemstore.projections.rebuild import RebuildRunning, UnknownProjection, last_receipt, rebuild
from itemstore.projections.rebuild.clear import begin
from itemstore.projections.rebuild.shadow import Shadow
from itemstore.projections.verify import verify
from tests.conftest import assert_agreement, contents
from tests.rebuild.conftest import write

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from itemstore.projections.progress import Progress
    from tests.conftest import Unchanged


async def test_a_receipt_says_what_was_done_and_is_kept(
    redis: Redis, keys: Keys, log: EventLog
) -> None:
    """Range, events, items, digests; in the engine it is JSON."""
    first = await log.append(PutItem("foo", b"{}"))
    await log.append(PutItem("bar", b"{}"))
    last = await log.append(DeleteItem("foo"))

    receipt = await rebuild(redis, keys)

    found = receipt.findings
    assert (found.first, found.last) == (first.position, last.position)
    assert (found.events, found.skipped, found.items) == (3, 0, 1)
    assert found.digest_before == found.digest_after == (await verify(redis, keys)).digest
    assert found.different == {"rows": 0, "ids": 0, "histories": 0}
    assert found.examples == []
    assert not receipt.dry_run
    assert receipt.seconds > 0
    assert await last_receipt(redis, keys, "current-items") == receipt


async def test_a_receipt_names_the_first_few_that_differ(
    redis: Redis, keys: Keys, history: EventLog
) -> None:
    """And counts all of them."""
    rows = await redis.hlen(keys.current)
    await redis.delete(keys.current)

    found = (await rebuild(redis, keys)).findings

    assert found.different["rows"] == rows
    assert len(found.examples) == 10
    assert all(await redis.hmget(keys.current, found.examples))


async def test_a_rebuild_leaves_nothing_behind(redis: Redis, keys: Keys, history: EventLog) -> None:
    """The keys are those from before, and the receipt."""
    before = await contents(redis)

    await rebuild(redis, keys)

    after = await contents(redis)
    assert after.pop(keys.receipts.encode())
    assert after == before


async def test_a_dry_run_tells_the_same_and_changes_nothing(
    redis: Redis, keys: Keys, history: EventLog, unchanged: Unchanged
) -> None:
    """Not a key is different after it; the rebuild then finds what it said."""
    await redis.hdel(keys.current, "kept")
    await redis.zrem(keys.ids, "back")
    await redis.delete(keys.history("gone"))
    await redis.rpush(keys.history("never"), "1-1")

    async with unchanged():
        dry = await rebuild(redis, keys, dry_run=True)

    assert dry.dry_run
    assert dry.findings.different == {"rows": 1, "ids": 1, "histories": 2}
    assert set(dry.findings.examples) == {"kept", "back", "gone", "never"}
    real = await rebuild(redis, keys)
    assert real.findings.different == dry.findings.different
    assert real.findings.digest_before == dry.findings.digest_before
    assert real.findings.digest_after == dry.findings.digest_after


async def test_progress_goes_up_to_all_events(redis: Redis, keys: Keys, history: EventLog) -> None:
    """It is told while it goes on, and the total is the length of the log."""
    told: list[Progress] = []

    await rebuild(redis, keys, report=told.append)

    assert [each.events for each in told] == sorted(each.events for each in told)
    assert told[-1].events == told[-1].total == await history.length()
    assert {each.stage for each in told} == {"replaying", "comparing", "swapping"}


async def test_an_unknown_projection_is_refused(
    redis: Redis, keys: Keys, unchanged: Unchanged
) -> None:
    """The error names those that there are."""
    async with unchanged():
        with pytest.raises(UnknownProjection, match="current-items, statistics"):
            await rebuild(redis, keys, "nonsense")


async def test_two_rebuilds_at_once_are_refused(
    redis: Redis, keys: Keys, history: EventLog
) -> None:
    """One goes on, and the other is told when it can be tried again."""
    outcomes = await asyncio.gather(
        rebuild(redis, keys), rebuild(redis, keys), return_exceptions=True
    )

    [refused] = [each for each in outcomes if isinstance(each, BaseException)]
    assert isinstance(refused, RebuildRunning)
    assert 0 < refused.seconds <= 10
    await rebuild(redis, keys)


async def test_a_lease_that_nobody_renews_runs_out(redis: Redis, keys: Keys) -> None:
    """Whoever was cut off stands in nobody's way for long."""
    lost, next_one = (Lease(redis, keys.lease("rebuild"), 50) for _ in range(2))
    assert await lost.acquire()
    assert not await next_one.acquire()
    await asyncio.sleep(0.06)

    assert await next_one.acquire()
    with pytest.raises(LeaseLost):
        await lost.renew()
    await lost.release()
    assert await redis.get(next_one.key) is not None


async def test_a_rebuild_that_lost_its_lease_changes_nothing(
    redis: Redis, keys: Keys, history: EventLog, unchanged: Unchanged
) -> None:
    """Not a step is taken, the swap least of all, once the lease is somebody else's."""
    lease = Lease(redis, keys.lease("rebuild"), 10_000)
    await lease.acquire()
    await redis.set(lease.key, "somebody else")
    late = Shadow(redis, keys, lease, 0, DiskSpace())

    async with unchanged():
        with pytest.raises(LeaseLost):
            await late.swap()
        with pytest.raises(LeaseLost):
            await late.heal_histories()
        await late.replay(runs.Runs(), "0-0")
        with pytest.raises(LeaseLost):
            await late.mark_histories()


async def test_a_step_sent_twice_is_done_once(redis: Redis, keys: Keys, history: EventLog) -> None:
    """A client library that sends the swap again after a lost reply would swap nothing in."""
    lease = Lease(redis, keys.lease("rebuild"), 10_000)
    await lease.acquire()
    late = Shadow(redis, keys, lease, 0, DiskSpace())
    await late.swap()
    before = await contents(redis)

    lease._number -= 1
    with pytest.raises(LeaseLost):
        await late.swap()

    assert await contents(redis) == before


async def abandoned(redis: Redis, keys: Keys) -> None:
    """Goes as far as the swap, and is gone: nothing is cleared away but, with time, the lease."""
    lease = Lease(redis, keys.lease("rebuild"), 10_000)
    await lease.acquire()
    await begin(redis, keys, lease)
    shadow = Shadow(redis, keys, lease, 0, DiskSpace())
    await shadow.mark_histories()
    await redis.delete(lease.key)


async def test_what_a_rebuild_left_is_removed_by_the_next(
    redis: Redis, keys: Keys, history: EventLog
) -> None:
    """Its rows, ids and histories are there until then, and the live ones as they were."""
    await redis.delete(keys.history("kept"))
    await redis.rpush(keys.history("gone"), "1-1")
    before = set(await redis.keys("*"))
    await abandoned(redis, keys)
    left = {key for key in set(await redis.keys("*")) - before if b":rebuild:" in key}
    assert len(left) == 5  # rows, ids, and which two histories are wrong

    await rebuild(redis, keys)

    assert not [key for key in await redis.keys("*") if b":rebuild" in key]
    await assert_agreement(redis, keys)


async def test_a_cancelled_rebuild_clears_up_after_itself(
    redis: Redis, keys: Keys, history: EventLog
) -> None:
    """Ctrl-C leaves the live keys as they were, and the next rebuild can begin at once."""
    before = await contents(redis)

    def cancel(_: Progress) -> None:
        task.cancel()

    task = asyncio.create_task(rebuild(redis, keys, report=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await contents(redis) == before
    await rebuild(redis, keys)


async def test_an_item_with_thousands_of_events_is_rebuilt(redis: Redis, keys: Keys) -> None:
    """Its history is replayed in parts, none of which is long."""
    log = EventLog(redis, keys, APPLY)
    await asyncio.gather(*(log.append(PutItem("hot", b"%d" % number)) for number in range(1800)))
    await log.append(DeleteItem("hot"))
    await log.append(PutItem("hot", b"{}"))
    await redis.lset(keys.history("hot"), 900, "1-1")
    await redis.delete(keys.current, keys.ids)
    assert (await verify(redis, keys)).counted == {"row": 1, "index": 1, "total": 1, "history": 1}

    await rebuild(redis, keys)

    assert (await verify(redis, keys)).clean
    await assert_agreement(redis, keys)


async def test_long_logs_are_replayed_in_stretches(
    redis: Redis, keys: Keys, history: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an item was before a stretch is in the shadow already: its creation, its history."""
    await redis.delete(keys.current, keys.ids, keys.history("kept"))
    await redis.lpop(keys.history("back"))
    monkeypatch.setattr(runs, "MOST_EVENTS", 7)
    monkeypatch.setattr(entries, "FIRST", 5)
    monkeypatch.setattr(entries, "MOST", 5)

    found = (await rebuild(redis, keys)).findings

    assert found.events == await history.length()
    assert (await verify(redis, keys)).clean
    await assert_agreement(redis, keys)


async def test_large_bodies_make_small_slices(redis: Redis, keys: Keys, log: EventLog) -> None:
    """Rows of a megabyte are digested, compared and verified like others."""
    for number in range(12):
        await log.append(PutItem(f"large {number % 8}", b'"%s"' % (b"x" * 1_000_000)))
    await redis.hdel(keys.current, "large 3")

    found = (await rebuild(redis, keys)).findings

    assert found.different == {"rows": 1, "ids": 0, "histories": 0}
    verdict = await verify(redis, keys)
    assert verdict.clean
    assert verdict.digest == found.digest_after


async def test_another_namespace_is_left_alone(redis: Redis, keys: Keys, history: EventLog) -> None:
    """Also where its name begins or ends alike, or would be a pattern."""
    others = [Keys("items2"), Keys("item"), Keys("{items}"), Keys("it?ms"), Keys("*")]
    for other in others:
        await write(EventLog(redis, other, APPLY), 10)
        await redis.rpush(other.history("never"), "1-1")
    before = {key: value for key, value in (await contents(redis)).items() if not_of(keys, key)}

    await rebuild(redis, keys)

    after = {key: value for key, value in (await contents(redis)).items() if not_of(keys, key)}
    assert after == before
    for other in others:
        assert (await rebuild(redis, other)).findings.different["histories"] == 1
        assert (await verify(redis, other)).clean


def not_of(keys: Keys, key: bytes) -> bool:
    """Whether a key is of another namespace."""
    return not key.startswith(f"{keys.namespace}:".encode())
