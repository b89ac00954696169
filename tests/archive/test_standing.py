"""What the engine notes of an archive: what is claimed and sealed, and where the border is."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from itemstore.archive.standing import (
    claim,
    have_events,
    progress,
    raise_border,
    raise_sealed,
    standing,
)
from itemstore.domain.commands import PutItem
from itemstore.domain.positions import START
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from tests.conftest import Unchanged

ORDERS = Keys("orders")


async def put(log: EventLog, *items: str) -> list[Entry]:
    """The entries of new events of these items."""
    entries = []
    for item in items:
        position = (await log.append(PutItem(item, b"1"))).position.encode()
        found, _ = await log.reader.entries_at([position])
        entries += found
    return entries


async def test_a_store_without_an_archive_has_nothing_noted(partition: Partition) -> None:
    """All of its positions are before the first."""
    noted = await standing(partition.client, partition.keys)
    assert (noted.archive, noted.claimed, noted.sealed, noted.border) == (None, *[START] * 3)


async def test_a_claim_covers_all_that_the_logs_have_and_counts_it(
    log: EventLog, partition: Partition
) -> None:
    """Of all collections, with what was trimmed before."""
    entries = await put(log, "a", "b", "a")
    await partition.client.set(partition.keys.trimmed, 7)
    claimed = await claim(partition.client, [partition.keys, ORDERS], "A")
    assert claimed.up_to == entries[-1][0].decode()
    assert claimed.counts == {"items": 10, "orders": 0}
    noted = await standing(partition.client, partition.keys)
    assert (noted.archive, noted.claimed) == ("A", claimed.up_to)


async def test_a_claim_never_goes_back(log: EventLog, partition: Partition) -> None:
    """Where the last position of the store was lost, what is claimed stays so."""
    await put(log, "a")
    before = await claim(partition.client, [partition.keys], "A")
    await partition.client.delete(partition.keys.store.position)
    assert await claim(partition.client, [partition.keys], "A") == before


async def test_a_store_has_one_archive(
    log: EventLog, partition: Partition, unchanged: Unchanged
) -> None:
    """Another one claims nothing in it, and moves nothing."""
    [entry] = await put(log, "a")
    await claim(partition.client, [partition.keys], "A")
    async with unchanged():
        with pytest.raises(LogBroken, match="has the id A"):
            await claim(partition.client, [partition.keys], "B")
        with pytest.raises(LogBroken, match="has the id A"):
            await raise_border(partition.client, partition.keys, "B", entry, 1)


async def test_the_border_moves_to_an_event_that_the_log_has(
    log: EventLog, partition: Partition
) -> None:
    """And not back."""
    first, second = await put(log, "a", "b")
    await claim(partition.client, [partition.keys], "A")
    for entry in (second, first):
        assert await raise_border(partition.client, partition.keys, "A", entry, 1)
        noted = await standing(partition.client, partition.keys)
        assert noted.border == second[0].decode()


@pytest.mark.parametrize("change", ["position", "body", "log"])
async def test_the_border_does_not_move_to_an_event_that_the_log_has_not(
    log: EventLog, partition: Partition, unchanged: Unchanged, change: str
) -> None:
    """After a failover there may be none at its position, or another one."""
    [(position, fields)] = await put(log, "a")
    await claim(partition.client, [partition.keys], "A")
    if change == "position":
        position = position[:-1] + b"7"
    if change == "body":
        fields = [*fields[:7], b"2", *fields[8:]]
    keys = ORDERS if change == "log" else partition.keys
    async with unchanged():
        assert not await raise_border(partition.client, keys, "A", (position, fields), 1)
    [is_there] = await have_events(partition.client, [(keys, (position, fields))])
    assert not is_there


async def test_many_events_are_looked_for_at_once(log: EventLog, partition: Partition) -> None:
    """Each in the log of its own collection."""
    orders = EventLog(Partition(partition.client, ORDERS), appender=log.appender)
    entries = await put(log, *(f"{n}" for n in range(20)))
    others = await put(orders, *(f"{n}" for n in range(20)))
    asked = [(partition.keys, entry) for entry in entries]
    asked += [(ORDERS, entry) for entry in (*others, *entries)]
    assert await have_events(partition.client, asked) == [True] * 40 + [False] * 20


async def test_progress_says_what_is_not_archived(log: EventLog, partition: Partition) -> None:
    """How many events, and how old the first of them is."""
    logs = [partition.keys, ORDERS]
    assert (await progress(partition.client, logs)).events == 0
    entries = await put(log, "a", "b", "c")
    now = await progress(partition.client, logs)
    assert (now.events, now.standing.sealed) == (3, START)
    assert 0 <= now.seconds < 100
    await claim(partition.client, logs, "A")
    assert await raise_sealed(partition.client, partition.keys, "A", entries[1], 2)
    now = await progress(partition.client, logs)
    assert (now.events, now.standing.sealed) == (1, entries[1][0].decode())
    assert await raise_sealed(partition.client, partition.keys, "A", entries[2], 3)
    now = await progress(partition.client, logs)
    assert (now.events, now.seconds) == (0, 0.0)


async def test_an_engine_without_memory_lets_the_border_move(
    real_redis: Redis, real_partition: Partition
) -> None:
    """So that it can be trimmed."""
    entries = await put(EventLog(real_partition), "a", "b")
    await real_redis.config_set("maxmemory", 1)
    try:
        await claim(real_redis, [real_partition.keys], "A")
        assert await raise_sealed(real_redis, real_partition.keys, "A", entries[1], 2)
        assert await raise_border(real_redis, real_partition.keys, "A", entries[0], 1)
    finally:
        await real_redis.config_set("maxmemory", 0)
    noted = await standing(real_redis, real_partition.keys)
    assert (noted.border, noted.counted) == (entries[0][0].decode(), 2)
