"""Trimming: what is not after the border goes out of stream and histories, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.archive import trimming
from itemstore.archive.trimming import Held, Keep, Stretch, next_border
from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.positions import key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.archive.streams import heads, trim
from tests.conftest import Unchanged, contents
from tests.eventlog.test_rights import limited


async def put(log: EventLog, *items: str, body: bytes = b"1") -> list[str]:
    """The positions of events of these items."""
    return [(await log.append(PutItem(item, body))).position for item in items]


async def set_border(partition: Partition, position: str) -> None:
    """As the archiver sets it."""
    await partition.client.hset(partition.keys.store.archive, "border", position)


async def positions(partition: Partition) -> list[str]:
    """Those of the stream."""
    found: Any = await partition.client.xrange(partition.keys.events)
    return [position.decode() for position, _ in found]


async def history(partition: Partition, item: str) -> list[str]:
    """Those of an item that are in the engine."""
    found: Any = await partition.client.lrange(partition.keys.history(item), 0, -1)
    return [position.decode() for position in found]


async def trimmed(partition: Partition) -> int:
    """How many events are noted as trimmed."""
    return int(await partition.client.get(partition.keys.trimmed) or 0)


def of(item: str, items: Iterable[str], given: Iterable[str]) -> list[str]:
    """The positions of one item's events."""
    return [place for name, place in zip(items, given, strict=True) if name == item]


async def test_what_is_not_after_the_border_goes_out_of_stream_and_histories(
    log: EventLog, partition: Partition
) -> None:
    """What is after it stays, and the rows stay as they are."""
    items = ["a", "b", "a", "c", "a", "b"]
    given = await put(log, *items)
    rows = await partition.client.hgetall(partition.keys.current)
    await set_border(partition, given[3])
    assert await trim(partition.client, [partition.keys]) == 4
    assert await positions(partition) == given[4:]
    assert await history(partition, "a") == given[4:5]
    assert await history(partition, "b") == given[5:]
    assert await history(partition, "c") == []
    assert await trimmed(partition) == 4
    assert await partition.client.hgetall(partition.keys.current) == rows


async def test_an_item_goes_on_at_its_next_version_though_all_of_its_events_are_trimmed(
    log: EventLog, partition: Partition
) -> None:
    """Its row has the version; its history begins anew."""
    given = await put(log, "a", "a", "b")
    await set_border(partition, given[1])
    await trim(partition.client, [partition.keys])
    recorded = await log.append(PutItem("a", b"2"))
    assert recorded.version == 3
    assert await history(partition, "a") == [recorded.position]


async def test_the_last_event_of_a_log_stays(log: EventLog, partition: Partition) -> None:
    """Also where the archive has it, and with its place in the history."""
    given = await put(log, "a", "a", "a")
    await set_border(partition, given[-1])
    assert await trim(partition.client, [partition.keys]) == 2
    assert await positions(partition) == given[-1:]
    assert await history(partition, "a") == given[-1:]
    assert await trim(partition.client, [partition.keys]) == 0
    assert await trimmed(partition) == 2


async def test_without_a_border_nothing_is_trimmed(
    log: EventLog, partition: Partition, unchanged: Unchanged
) -> None:
    """As without an archive."""
    await put(log, "a", "b")
    async with unchanged():
        assert await trim(partition.client, [partition.keys]) == 0


async def test_a_log_without_events_has_none_to_trim(
    partition: Partition, unchanged: Unchanged
) -> None:
    """It has no stream yet."""
    await set_border(partition, "5-0")
    async with unchanged():
        assert await trim(partition.client, [partition.keys]) == 0


async def test_a_step_is_bounded_in_events(
    log: EventLog, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is followed by others."""
    taken = []

    async def counted(*arguments: Any) -> int:
        taken.append(await trim_step(*arguments))
        return taken[-1]

    trim_step = trimming.trim_step
    monkeypatch.setattr(trimming, "STEP", 5)
    monkeypatch.setattr(trimming, "trim_step", counted)
    given = await put(log, *("a" for _ in range(14)))
    await set_border(partition, given[11])
    assert await trim(partition.client, [partition.keys]) == 12
    assert taken == [5, 5, 2]
    assert await positions(partition) == await history(partition, "a") == given[12:]


async def test_a_step_may_name_events_that_are_gone_and_the_last_one(
    log: EventLog, partition: Partition
) -> None:
    """One that was abandoned is done again, and the last event of the log stays."""
    given = await put(log, "a", "b", "a", "a")
    named = await heads(partition.client, partition.keys)
    await set_border(partition, given[-1])
    assert await trimming.trim_step(partition.client, partition.keys, named[:2]) == 2
    assert await trimming.trim_step(partition.client, partition.keys, named) == 1
    assert await trimming.trim_step(partition.client, partition.keys, named) == 0
    assert await positions(partition) == await history(partition, "a") == given[-1:]
    assert await history(partition, "b") == []


async def test_a_log_that_begins_before_the_events_that_are_named_stays_as_it_is(
    log: EventLog, partition: Partition, unchanged: Unchanged
) -> None:
    """After a failover it may: what was trimmed last on the other engine had not come here yet."""
    given = await put(log, "a", "b", "c", "d")
    await set_border(partition, given[2])
    named = await heads(partition.client, partition.keys)
    async with unchanged():
        assert await trimming.trim_step(partition.client, partition.keys, named[1:3]) == 0
    assert await trimming.trim_step(partition.client, partition.keys, named[:3]) == 3


async def test_each_log_is_trimmed_up_to_the_one_border_of_the_store(
    log: EventLog, partition: Partition
) -> None:
    """And counts for itself."""
    orders = EventLog(Partition(partition.client, Keys("orders")), appender=log.appender)
    first = await put(log, "a", "a")
    second = await put(orders, "a", "a", "a")
    await put(log, "a")
    await set_border(partition, second[1])
    assert await trim(partition.client, [partition.keys, Keys("orders")]) == 4
    assert await trimmed(partition) == len(first)
    assert await trimmed(Partition(partition.client, Keys("orders"))) == 2


async def test_deleted_items_and_their_events_are_trimmed_like_others(
    log: EventLog, partition: Partition
) -> None:
    """The row of a deleted item stays, so its versions go on."""
    await put(log, "a")
    deleted = await log.append(DeleteItem("a"))
    await put(log, "b")
    await set_border(partition, deleted.position)
    await trim(partition.client, [partition.keys])
    assert (await log.append(PutItem("a", b"1"))).version == 3


async def test_what_was_removed_by_hand_is_no_obstacle(log: EventLog, partition: Partition) -> None:
    """Its place in the history goes with the item's next event; only trimmed ones are counted."""
    given = await put(log, "a", "b", "a", "a", "b")
    await partition.client.xdel(partition.keys.events, given[0])
    await set_border(partition, given[2])
    assert await trim(partition.client, [partition.keys]) == 2
    assert await history(partition, "a") == given[3:4]
    assert await trimmed(partition) == 2


async def test_a_history_that_lacks_an_event_keeps_its_later_ones(
    log: EventLog, partition: Partition
) -> None:
    """Somebody took the first place out of it."""
    given = await put(log, "a", "a", "a")
    await partition.client.lpop(partition.keys.history("a"))
    await set_border(partition, given[0])
    await trim(partition.client, [partition.keys])
    assert await history(partition, "a") == given[1:]


async def test_a_history_that_is_no_list_stops_no_trimming(
    log: EventLog, partition: Partition
) -> None:
    """It is left as it is, for a rebuild to mend."""
    given = await put(log, "a", "b", "b")
    await partition.client.set(partition.keys.history("a"), "by hand")
    await set_border(partition, given[1])
    assert await trim(partition.client, [partition.keys]) == 2
    assert await partition.client.get(partition.keys.history("a")) == b"by hand"


async def test_a_count_that_is_none_stops_it_before_anything_is_trimmed(
    log: EventLog, partition: Partition, unchanged: Unchanged
) -> None:
    """Another program has put something else there."""
    given = await put(log, "a", "a")
    await set_border(partition, given[0])
    await partition.client.rpush(partition.keys.trimmed, "by hand")
    async with unchanged():
        with pytest.raises(LogBroken):
            await trim(partition.client, [partition.keys])


@pytest.mark.parametrize("right", ["-xtrim", "-lpop", "-lpush", "-incrby"])
async def test_a_user_who_may_not_do_all_of_it_does_none_of_it(
    real_redis: Redis, real_partition: Partition, right: str
) -> None:
    """And the reason is said."""
    given = await put(EventLog(real_partition), "a", "a", "a")
    await set_border(real_partition, given[1])
    before = await contents(real_redis)
    async with limited(real_redis, right) as client:
        with pytest.raises(LogUnavailable, match=f"may not run {right[1:].upper()}"):
            await trim(client, [real_partition.keys])
    assert await contents(real_redis) == before


async def test_an_engine_without_memory_can_be_trimmed(
    real_redis: Redis, real_partition: Partition
) -> None:
    """That is what makes room in it."""
    given = await put(EventLog(real_partition), *("a" for _ in range(20)))
    await set_border(real_partition, given[9])
    await real_redis.config_set("maxmemory", 1)
    try:
        assert await trim(real_redis, [real_partition.keys]) == 10
    finally:
        await real_redis.config_set("maxmemory", 0)
    assert await positions(real_partition) == given[10:]
    assert await trimmed(real_partition) == 10


async def test_two_that_trim_at_once_take_out_each_event_once(
    log: EventLog, partition: Partition
) -> None:
    """One of them is too late, and takes nothing that is after the border."""
    given = await put(log, *(f"{n % 3}" for n in range(50)))
    await set_border(partition, given[39])
    await asyncio.gather(*(trim(partition.client, [partition.keys]) for _ in range(3)))
    assert await positions(partition) == given[40:]
    assert await trimmed(partition) == 40
    for item in range(3):
        mine = of(f"{item}", [f"{n % 3}" for n in range(50)], given)
        assert await history(partition, f"{item}") == [each for each in mine if each in given[40:]]


async def test_an_entry_that_is_no_event_is_trimmed_like_others(
    log: EventLog, partition: Partition
) -> None:
    """Somebody wrote it by hand; the archive has it too."""
    await put(log, "a")
    added: Any = await partition.client.xadd(partition.keys.events, {"no": "event"})
    given = await put(log, "a", "b")
    await set_border(partition, given[0])
    assert await trim(partition.client, [partition.keys]) == 3
    assert added.decode() not in await positions(partition)


STRETCHES = [Stretch(f"{n}-0", 1000, 100_000) for n in (10, 20, 30, 40)]
NOTHING = Stretch("", 0, 0)
ENGINE = Held(4000, 400_000, 4000)


@pytest.mark.parametrize(
    ("events", "border"),
    [(10_000, None), (4000, None), (3999, "10-0"), (3000, "10-0"), (2999, "20-0"), (1, "40-0")],
)
def test_the_border_is_before_the_newest_events_that_are_kept(
    events: int, border: str | None
) -> None:
    """At the beginning of a stretch: so some more than those stay."""
    assert next_border(STRETCHES, NOTHING, ENGINE, Keep(events, 10**9)) == border


def test_events_that_are_not_archived_count_as_the_newest() -> None:
    """None of them goes, however many they are."""
    after = Stretch("50-0", 2500, 250_000)
    engine = Held(6500, 650_000, 6500)
    assert next_border(STRETCHES, after, engine, Keep(3000, 10**9)) == "40-0"
    assert next_border(STRETCHES, after, engine, Keep(4000, 10**9)) == "30-0"
    assert next_border([], after, engine, Keep(1, 1)) is None


def test_bytes_are_those_that_the_engine_takes() -> None:
    """What stands in the archive as 100 kB may take 50 kB there."""
    engine = Held(4000, 200_000, 4000)
    assert next_border(STRETCHES, NOTHING, engine, Keep(10_000, 200_000)) is None
    assert next_border(STRETCHES, NOTHING, engine, Keep(10_000, 100_000)) == "20-0"


def test_whichever_bound_is_narrower_counts() -> None:
    """Events and bytes."""
    found = next_border(STRETCHES, NOTHING, ENGINE, Keep(3500, 150_000))
    assert found is not None
    assert key_of(found) == (30, 0)
