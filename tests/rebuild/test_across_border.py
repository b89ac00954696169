"""Rebuild and verify where a part of the log is in the archive only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.evolve import Item, fold
from itemstore.domain.positions import START
from itemstore.engine.scripts import Script
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastUnavailable
from itemstore.eventlog.reader import Entry
from itemstore.projections import row, states
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.counts import Counts, CountsStore
from itemstore.projections.fold import Fold
from itemstore.projections.progress import Progress
from itemstore.projections.projection import Projection, Status
from itemstore.projections.rebuild import shadow
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.rebuild.shadow import Shadow
from itemstore.projections.runner import Runner
from itemstore.projections.statistics import STATISTICS, read_statistics
from itemstore.projections.verdict import Verdict
from itemstore.projections.verify import histories
from itemstore.projections.verify.run import verify
from tests.archive.streams import trim
from tests.conftest import PATIENCE, Unchanged, contents
from tests.eventlog.memory_past import MemoryPast
from tests.rebuild.conftest import cancelled, write

Damage = Callable[[Redis, Keys, "Archived"], Awaitable[object]]


class Archived:
    """A log with an archive: what is in the log can be archived, and trimmed."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self.redis = redis
        self.keys = keys
        self.past = MemoryPast()
        self.partition = Partition(redis, keys, self.past)
        self.log = EventLog(self.partition)
        self.elsewhere = 0

    async def archive(self) -> None:
        """Archives what the log has got."""
        entries: Any = await self.redis.execute_command(  # type: ignore[no-untyped-call]
            b"XRANGE", self.keys.events, "(" + self.past.end, "+"
        )
        self.past.kept += [(self.keys.collection, entry) for entry in entries]

    async def set_border(self, left: int) -> None:
        """Archives all, and sets the border so that so many of the last events are after it."""
        await self.archive()
        position = self.past.kept[-1 - left][1][0]
        await self.redis.hset(self.keys.store.archive, "border", position)

    async def trim(self, left: int) -> None:
        """Archives all, and trims but so many of the last events."""
        await self.set_border(left)
        await trim(self.redis, [self.keys])

    async def history(self, item: str) -> list[bytes]:
        """The positions of an item's events that are in the engine."""
        found: Any = await self.redis.lrange(self.keys.history(item), 0, -1)
        return list(found)


@pytest.fixture
def archived(redis: Redis, keys: Keys) -> Archived:
    """A log with an archive on each engine, with nothing in it."""
    return Archived(redis, keys)


@pytest.fixture
async def trimmed(archived: Archived) -> Archived:
    """One of which the older part is in the archive only.

    Of its items, `old` was changed last before that, `new` was made after it, and `both` has events
    on either side; so has `again`, which was deleted before and made again after it.
    """
    log = archived.log
    for name in ("old", "both", "again", "deleted"):
        await log.append(PutItem(name, b'{"n":1}'))
        await log.append(PutItem(name, b'"%s"' % (b"x" * 100)))
    await log.append(DeleteItem("again"))
    await log.append(DeleteItem("deleted"))
    await write(log, 150)
    await archived.trim(60)
    await log.append(PutItem("both", b'{"n":3}'))
    await log.append(PutItem("again", b'{"n":4}'))
    await log.append(PutItem("again", b'{"n":5}'))
    await log.append(PutItem("new", b"1"))
    await write(log, 40, seed=2)
    await log.append(PutItem("both", b'{"n":4}'))
    return archived


def folded_log(archived: Archived) -> dict[str, Item]:
    """What the items of all that is archived are."""
    return fold(decode_flat(*entry) for _, entry in archived.past.kept)


async def assert_right(archived: Archived) -> None:
    """Rows and ids are what archive and stream say together, histories what the stream says."""
    held, keys = await contents(archived.redis), archived.keys
    await archived.archive()
    folded = folded_log(archived)
    histories: dict[bytes, list[bytes]] = {}
    for position, fields in held[keys.events.encode()]:
        histories.setdefault(keys.histories.encode() + fields[b"item"], []).append(position)
    ids = sorted(name.encode() for name, item in folded.items() if item.exists)

    assert held[keys.current.encode()] == {
        name.encode(): row.encode(item) for name, item in folded.items()
    }
    assert held[keys.ids.encode()] == [(name, 0) for name in ids]
    prefix = keys.histories.encode()
    assert {key: held[key] for key in held if key.startswith(prefix)} == histories


async def test_a_trimmed_log_is_sound(trimmed: Archived) -> None:
    """What was trimmed on purpose is no damage, and the digest is that of the whole log."""
    found = await verify(trimmed.partition, BUILT_IN)
    receipt = await rebuild(trimmed.partition, CURRENT_ITEMS)

    assert found.clean, found.differences
    log = await trimmed.partition.reader.extent()
    assert found.events == log.events > log.length
    assert receipt.findings.digest_before == receipt.findings.digest_after == found.digest
    assert (receipt.findings.events, receipt.findings.first) == (
        log.events,
        trimmed.past.kept[0][1][0].decode(),
    )
    assert receipt.findings.last == log.last
    assert not any(receipt.findings.different.values())
    await assert_right(trimmed)


async def test_the_digest_is_that_of_the_same_history_kept_in_memory(
    redis: Redis, archived: Archived
) -> None:
    """Trimming changes nothing that is verified."""
    await write(archived.log, 120)
    before = await verify(archived.partition, BUILT_IN)

    await archived.trim(0)

    after = await verify(archived.partition, BUILT_IN)
    assert (after.digest, after.events, after.items) == (
        before.digest,
        before.events,
        before.items,
    )
    assert after.clean
    assert await redis.xlen(archived.keys.events) == 1


async def lset(redis: Redis, keys: Keys, archived: Archived) -> None:
    """Puts another position in the middle of a history."""
    await redis.lset(keys.history("both"), 0, "1-1")


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "all rows deleted": (lambda redis, keys, _: redis.delete(keys.current), {"row"}),
    "the row of an old item deleted": (
        lambda redis, keys, _: redis.hdel(keys.current, "old"),
        {"row"},
    ),
    "the row of an item on either side deleted": (
        lambda redis, keys, _: redis.hdel(keys.current, "again"),
        {"row"},
    ),
    "a row of nothing": (lambda redis, keys, _: redis.hset(keys.current, "never", "{}"), {"row"}),
    "all ids deleted": (lambda redis, keys, _: redis.delete(keys.ids), {"index", "total"}),
    "the id of an old item": (
        lambda redis, keys, _: redis.zrem(keys.ids, "old"),
        {"index", "total"},
    ),
    "the id of an old deleted item": (
        lambda redis, keys, _: redis.zadd(keys.ids, {"deleted": 0}),
        {"index", "total"},
    ),
    "a history deleted": (lambda redis, keys, _: redis.delete(keys.history("both")), {"history"}),
    "a history without its end": (
        lambda redis, keys, _: redis.rpop(keys.history("both")),
        {"history"},
    ),
    "a history without its beginning": (
        lambda redis, keys, _: redis.lpop(keys.history("both")),
        {"history"},
    ),
    "a history with another position": (lset, {"history"}),
    "a history with what was trimmed": (
        lambda redis, keys, archived: redis.lpush(
            keys.history("both"), archived.past.kept[3][1][0]
        ),
        {"history"},
    ),
    "a history too long": (
        lambda redis, keys, _: redis.rpush(keys.history("both"), "1-1"),
        {"history"},
    ),
    "a history with its last position twice": (
        lambda redis, keys, _: double(redis, keys.history("both")),
        {"history"},
    ),
    "a history of an old item": (
        lambda redis, keys, archived: redis.rpush(keys.history("old"), archived.past.kept[1][1][0]),
        {"history"},
    ),
    "a history of nothing": (
        lambda redis, keys, _: redis.rpush(keys.history("never"), "1-1"),
        {"history"},
    ),
    "a history of one position deleted": (
        lambda redis, keys, _: redis.delete(keys.history("new")),
        {"history"},
    ),
    "a history of one position too long": (
        lambda redis, keys, _: redis.lpush(keys.history("new"), "1-1"),
        {"history"},
    ),
    "a history of another type": (
        lambda redis, keys, _: redis.set(keys.history("both"), "?"),
        {"history"},
    ),
    "an old history of another type": (
        lambda redis, keys, _: redis.set(keys.history("old"), "?"),
        {"history"},
    ),
}

WHERE = {"rows": "row", "ids": "index", "histories": "history"}
"""What a receipt calls the places that verify names."""


async def double(redis: Redis, history: str) -> None:
    """Puts the last position of a history there once more."""
    last: Any = await redis.lindex(history, -1)
    await redis.rpush(history, last)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_is_named_by_verify_and_healed_by_rebuild(
    redis: Redis, trimmed: Archived, damage: str
) -> None:
    """In what is in the archive only as in what is in the stream."""
    do_damage, places = DAMAGES[damage]
    digest = (await verify(trimmed.partition, BUILT_IN)).digest
    await do_damage(redis, trimmed.keys, trimmed)

    found = await verify(trimmed.partition, BUILT_IN)
    assert set(found.counted) == places, found.differences
    receipt = await rebuild(trimmed.partition, CURRENT_ITEMS)

    different = receipt.findings.different
    assert {WHERE[kind] for kind, count in different.items() if count} == places - {"total"}
    healed = await verify(trimmed.partition, BUILT_IN)
    assert healed.clean, healed.differences
    assert healed.digest == digest == receipt.findings.digest_after
    await assert_right(trimmed)


async def test_everything_damaged_at_once_heals(redis: Redis, trimmed: Archived) -> None:
    """Rows, ids and all histories are made again from archive and stream."""
    keys = trimmed.keys
    histories: Any = await redis.keys(keys.histories + "*")
    await redis.delete(keys.current, keys.ids, *histories)

    await rebuild(trimmed.partition, CURRENT_ITEMS)

    assert (await verify(trimmed.partition, BUILT_IN)).clean
    await assert_right(trimmed)


STAGES = ["replaying", "comparing", "swapping"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("damage", [(), ("ids", "histories")], ids=["sound", "damaged"])
async def test_a_rebuild_is_right_though_the_border_moves_and_the_log_is_trimmed_meanwhile(
    redis: Redis, trimmed: Archived, stage: str, damage: tuple[str, ...]
) -> None:
    """Whatever it has read before."""
    keys = trimmed.keys
    if damage:
        histories: Any = await redis.keys(keys.histories + "*")
        await redis.delete(keys.ids, *histories[::2])

    await rebuild_while(trimmed, stage, lambda: moved_on(trimmed))

    assert (await verify(trimmed.partition, BUILT_IN)).clean
    await assert_right(trimmed)


async def moved_on(archived: Archived) -> None:
    """Writes more, and trims nearly all of the log."""
    await write(archived.log, 20, seed=3)
    await archived.trim(2)
    await archived.log.append(PutItem("last", b"1"))


async def rebuild_while(
    archived: Archived, stage: str, work: Callable[[], Awaitable[object]]
) -> None:
    """Rebuilds, and does something at the end of each step of a stage."""
    steps = 0
    step = Shadow._step

    async def stepping(self: Shadow, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        nonlocal steps
        reply = await step(self, script, keys, arguments)
        if told == stage and steps < 3:
            steps += 1
            await work()
        return reply

    told = "replaying"

    def report(progress: Progress) -> None:
        nonlocal told
        told = progress.stage

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shadow, "_step", stepping)
        await rebuild(archived.partition, CURRENT_ITEMS, report=report)
    assert steps


@pytest.mark.usefixtures("replay")
async def test_a_log_that_is_trimmed_first_while_it_is_rebuilt_is_rebuilt(
    redis: Redis, archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no border when the rebuild began, which read it from the stream."""
    await write(archived.log, 150)
    await archived.log.append(PutItem("both", b"1"))
    histories: Any = await redis.keys(archived.keys.histories + "*")
    await redis.delete(archived.keys.ids, *histories[::3])
    monkeypatch.setattr(shadow, "RUNS", 3)

    await rebuild_while(archived, "replaying", lambda: moved_on(archived))

    healed = await verify(archived.partition, BUILT_IN)
    assert healed.clean, healed.differences
    await assert_right(archived)


async def test_verify_raises_no_false_alarm_while_the_log_is_trimmed(trimmed: Archived) -> None:
    """At no moment of it."""
    told: list[str] = []

    async def verified_while(stage: str) -> Verdict:
        fold = Fold.take

        async def taking(self: Fold, entries: Sequence[Entry]) -> None:
            await fold(self, entries)
            if told[-1:] == [stage] and told.count(stage) < 4:
                told.append(stage)
                await moved_on(trimmed)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Fold, "take", taking)
            return await verify(
                trimmed.partition, BUILT_IN, report=lambda progress: told.append(progress.stage)
            )

    for stage in ("folding", "comparing"):
        found = await verified_while(stage)
        assert found.clean, (stage, found.differences)
        assert stage in told
        told.clear()


async def test_events_that_were_removed_by_hand_are_missed(
    redis: Redis, trimmed: Archived, unchanged: Unchanged
) -> None:
    """What the archive does not have either is lost, and no rebuild goes over that."""
    await redis.xtrim(trimmed.keys.events, maxlen=3, approximate=False)

    found = await verify(trimmed.partition, BUILT_IN)

    assert found.counted["log"] > 0
    async with unchanged():
        with pytest.raises(LogIncomplete, match="and so does the archive"):
            await rebuild(trimmed.partition, CURRENT_ITEMS)


async def test_events_that_the_archive_has_are_named_when_they_are_removed_by_hand(
    redis: Redis, trimmed: Archived
) -> None:
    """It was nobody's purpose; but nothing is lost, so a rebuild goes on."""
    await trimmed.set_border(2)
    await redis.xtrim(trimmed.keys.events, maxlen=30, approximate=False)
    assert (await verify(trimmed.partition, BUILT_IN)).counted["log"] == 1

    await rebuild(trimmed.partition, CURRENT_ITEMS)

    assert (await verify(trimmed.partition, BUILT_IN)).counted == {"log": 1}
    await assert_right(trimmed)


async def test_events_that_the_archive_lacks_are_missed(
    redis: Redis, trimmed: Archived, unchanged: Unchanged
) -> None:
    """Verify counts them, also where no item has a gap; a rebuild leaves the projection alone."""
    gone = {b"old"}
    trimmed.past.kept = [each for each in trimmed.past.kept if each[1][1][3] not in gone]

    found = await verify(trimmed.partition, BUILT_IN)

    assert found.counted["log"] == 1
    assert "in stream and archive together" in str(found.differences[-1])
    async with unchanged():
        with pytest.raises(LogIncomplete):
            await rebuild(trimmed.partition, CURRENT_ITEMS)


async def test_a_gap_between_archive_and_stream_is_named(trimmed: Archived) -> None:
    """Versions are dense across the border."""
    border = next(
        number for number, (_, entry) in enumerate(trimmed.past.kept) if entry[1][3] == b"both"
    )
    del trimmed.past.kept[border + 1 : border + 2]

    found = await verify(trimmed.partition, BUILT_IN)

    assert found.counted["log"] >= 1
    assert not found.clean


async def test_a_log_that_was_begun_anew_is_not_rebuilt_from(
    redis: Redis, trimmed: Archived, unchanged: Unchanged
) -> None:
    """What came after the border is lost with it."""
    await redis.delete(trimmed.keys.events)
    await trimmed.log.append(PutItem("new", b"1"))

    assert not (await verify(trimmed.partition, BUILT_IN)).clean
    async with unchanged():
        with pytest.raises(LogIncomplete, match="begun anew"):
            await rebuild(trimmed.partition, CURRENT_ITEMS)


@pytest.mark.parametrize("projection", BUILT_IN, ids=lambda each: each.name)
async def test_an_archive_that_can_t_be_reached_ends_a_rebuild_and_changes_nothing(
    trimmed: Archived, unchanged: Unchanged, projection: Projection
) -> None:
    """Likewise where this process knows of none."""
    without = Partition(trimmed.redis, trimmed.keys)

    async with unchanged():
        with pytest.raises(PastUnavailable, match="ITEMSTORE_ARCHIVE"):
            await rebuild(without, projection)
        with pytest.raises(PastUnavailable):
            await verify(without, BUILT_IN)


async def test_numbers_are_counted_through_archive_and_stream(
    redis: Redis, trimmed: Archived
) -> None:
    """By a rebuild, which is right whatever was counted before, and by the one that follows."""
    runner = Runner([trimmed.partition], [STATISTICS])
    task = asyncio.create_task(runner.run())
    log = await trimmed.partition.reader.extent()
    try:
        async with asyncio.timeout(PATIENCE):
            while (await read_statistics([trimmed.partition]))[0].events < log.events:
                await asyncio.sleep(0.01)
    finally:
        await cancelled(task)
    assert (await verify(trimmed.partition, BUILT_IN)).clean
    counted = await redis.hgetall(trimmed.keys.counts("statistics"))
    await redis.hset(trimmed.keys.counts("statistics"), "items", 7)

    found = (await rebuild(trimmed.partition, STATISTICS)).findings

    assert (found.events, found.last) == (log.events, log.last)
    assert await redis.hgetall(trimmed.keys.counts("statistics")) == counted
    assert (await verify(trimmed.partition, BUILT_IN)).clean


async def test_counts_may_end_where_the_log_was_trimmed(trimmed: Archived) -> None:
    """They were right then; they go on from there."""
    [first, *_] = trimmed.past.kept
    store = CountsStore(trimmed.partition, "statistics")

    assert await store.add(Counts(first[1][0].decode(), 1), START)

    log = await trimmed.partition.reader.extent()
    [status] = await STATISTICS.statuses([(trimmed.partition, log)])
    assert isinstance(status, Status)
    assert status.lag == log.events - 1


async def test_items_with_long_histories_are_rebuilt_across_the_border(
    redis: Redis, archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is replayed of one item in a step is bounded, and so is what is kept in memory."""
    monkeypatch.setattr(states, "MOST_TEXT", 100)
    monkeypatch.setattr(histories, "MOST_BYTES", 100)
    monkeypatch.setattr(states, "MOST_EVENTS", 70)
    monkeypatch.setattr(states, "MOST_BYTES", 5000)
    await write(archived.log, 300, items=2)
    await archived.trim(150)
    assert (await verify(archived.partition, BUILT_IN)).clean
    await redis.delete(archived.keys.current, archived.keys.history("item 0"))
    middle = len(await archived.history("item 1")) // 2
    await redis.lset(archived.keys.history("item 1"), middle, "1-1")
    assert (await verify(archived.partition, BUILT_IN)).counted == {"row": 2, "history": 2}

    found = (await rebuild(archived.partition, CURRENT_ITEMS)).findings

    assert found.different == {"rows": 2, "ids": 0, "histories": 2}
    healed = await verify(archived.partition, BUILT_IN)
    assert healed.clean, healed.differences
    await assert_right(archived)
