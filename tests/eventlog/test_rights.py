"""A user of the engine who may not do all that a write takes: nothing of it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import ITEMS, RecordedEvent
from itemstore.engine.connect import connect
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import ForeignEvent, write_step
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.transaction import Addressed
from tests.conftest import assert_agreement

NO_HISTORIES = (
    "resetkeys ~items:events ~items:current ~items:ids ~itemstore:writers:* ~itemstore:position "
    "~itemstore:archive %R~items:history:*"
)

NO_HISTORIES_OF_ORDERS = (
    "resetkeys ~items:* ~itemstore:* ~orders:events ~orders:current ~orders:ids %R~orders:history:*"
)


@asynccontextmanager
async def limited(redis: Redis, rules: str) -> AsyncIterator[Redis]:
    """A client of a user who may do all, but for these rules, for the block."""
    path = redis.connection_pool.connection_kwargs["path"]
    words = ("reset", "on", "nopass", "~*", "+@all", *rules.split())
    await redis.execute_command("ACL", "SETUSER", "limited", *words)  # type: ignore[no-untyped-call]
    try:
        async with connect(f"unix://limited:any@{path}") as client:
            yield client
    finally:
        await redis.acl_deluser("limited")


@pytest.mark.parametrize("rules", ["-xadd", "-hset", "-zadd", "-zrem", "-rpush", NO_HISTORIES])
async def test_a_user_who_may_not_write_all_of_an_event_writes_nothing_of_it(
    real_redis: Redis, real_partition: Partition, rules: str
) -> None:
    """Neither by an append nor by an import, and the reason is said."""
    log = EventLog(real_partition)
    recorded = await log.append(PutItem("foo", b"1"))
    async with limited(real_redis, rules) as client:
        partition = Partition(client, real_partition.keys)
        with pytest.raises(LogUnavailable, match="may not run"):
            await EventLog(partition).append(PutItem("foo", b"2"))
        check = ImportCheck(0, keep=False)
        check.exists[ITEMS, "foo"] = True
        [step] = check.checked([ForeignEvent(1, "ItemUpdated", "foo", b"3")])
        with pytest.raises(LogUnavailable, match="may not run"):
            await write_step({ITEMS: partition}, step, {ITEMS: recorded.position})
    assert await log.reader.read() == [recorded]
    await assert_agreement(real_partition)


async def test_a_user_who_may_not_write_all_of_one_collection_writes_nothing_to_another(
    real_redis: Redis, real_partition: Partition
) -> None:
    """In a transaction whose first command is to the one that it may write."""
    commands = [Addressed(Keys(name), PutItem("foo", b"1")) for name in ("items", "orders")]
    async with limited(real_redis, NO_HISTORIES_OF_ORDERS) as client:
        appender = Appender(client, real_partition.keys.store)
        with pytest.raises(LogUnavailable, match="may not run"):
            await appender.append_together(commands)
    assert await real_redis.exists("items:events", "orders:events") == 0


async def test_a_user_who_may_not_write_one_collection_writes_to_another(
    real_redis: Redis, real_partition: Partition
) -> None:
    """In the same script call; each is told of its own."""
    async with limited(real_redis, NO_HISTORIES_OF_ORDERS) as client:
        appender = Appender(client, real_partition.keys.store)
        await appender.append(Keys("items"), PutItem("foo", b"1"))
        closed, written = await asyncio.gather(
            appender.append(Keys("orders"), PutItem("foo", b"2")),
            appender.append(Keys("items"), PutItem("foo", b"2")),
            return_exceptions=True,
        )
    assert isinstance(closed, LogUnavailable)
    assert "may not run RPUSH" in str(closed)
    assert isinstance(written, RecordedEvent)
    assert appender.counts.batch_sizes == {1: 1, 2: 1}
    assert await real_redis.exists("orders:events") == 0
    await assert_agreement(real_partition)
