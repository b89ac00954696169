"""A real server that is out of memory: nothing is half written, and reads go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT
from itemstore.engine.errors import LogFull
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from tests.conftest import assert_agreement, contents


@pytest.fixture
async def full(real_redis: Redis, real_partition: Partition) -> AsyncIterator[Partition]:
    """An engine that holds `foo` at version 1 and has no memory left."""
    await EventLog(real_partition).append(PutItem("foo", b"1"))
    await real_redis.config_set("maxmemory", 1)
    try:
        yield real_partition
    finally:
        await real_redis.config_set("maxmemory", 0)


@pytest.mark.parametrize(
    "command",
    [PutItem("foo", b"2"), PutItem("bar", b"2"), PatchItem("foo", b"2"), DeleteItem("foo")],
)
async def test_nothing_is_appended_without_memory(full: Partition, command: Command) -> None:
    """LogFull, and log, rows, ids and histories are as they were."""
    before = await contents(full.client)
    with pytest.raises(LogFull, match="out of memory"):
        await EventLog(full).append(command)
    assert await contents(full.client) == before


async def test_reads_and_refusals_go_on_without_memory(full: Partition) -> None:
    """Only what would append needs any."""
    log, items = EventLog(full), CurrentItems(full)
    [created] = await log.reader.read()
    item = await items.get("foo")

    assert await log.reader.history("foo") == [created]
    assert await log.reader.version_at("foo", created.position) == 1
    assert item is not None
    assert item.body == b"1"
    assert (await items.page()).items == [item]
    with pytest.raises(UnexpectedVersion):
        await log.append(PutItem("foo", b"2", ABSENT))


async def test_an_engine_with_memory_again_takes_writes_again(full: Partition) -> None:
    """By itself: nothing has to be started again, and versions go on without a hole."""
    log = EventLog(full)
    with pytest.raises(LogFull):
        await log.append(PutItem("foo", b"2"))
    await full.client.config_set("maxmemory", 0)
    assert (await log.append(PutItem("foo", b"3"))).version == 2


async def test_memory_that_runs_out_under_way_leaves_whole_events(
    real_redis: Redis, real_partition: Partition
) -> None:
    """Somewhere in many batches: what was acknowledged is there, with its row, and no more."""
    log = EventLog(real_partition)
    used = (await real_redis.info("memory"))["used_memory"]
    await real_redis.config_set("maxmemory", used + 3_000_000)
    try:
        outcomes = await asyncio.gather(
            *(
                log.append(PutItem(f"item {number % 50}", b'"%s"' % (b"x" * 1000)))
                for number in range(3000)
            ),
            return_exceptions=True,
        )
    finally:
        await real_redis.config_set("maxmemory", 0)
    appended = [outcome for outcome in outcomes if isinstance(outcome, RecordedEvent)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, LogFull)]

    assert appended
    assert refused
    assert len(appended) + len(refused) == 3000
    assert sorted(await log.reader.read(limit=3000), key=str) == sorted(appended, key=str)
    await assert_agreement(real_partition)
