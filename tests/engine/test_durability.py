"""What an acknowledgement waits for: the engine's word, its disk, or its replicas."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.engine.acknowledgement import ENGINE, Acknowledgement, NotYetDurable
from itemstore.engine.connect import connect
from itemstore.engine.durability import Durability, UnsafeEngine, promised, settle
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from tests.conftest import Server, Start, stopped
from tests.wire import wire_of

FSYNC = Acknowledgement(fsync=True)
REPLICA = Acknowledgement(replicas=1)


@asynccontextmanager
async def store_on(
    server: Server, wanted: Acknowledgement
) -> AsyncIterator[tuple[EventLog, Redis]]:
    """A log on the server that waits for what is wanted, and a client."""
    async with connect(server.url) as redis:
        yield EventLog(Partition(redis, Keys()), Terms(acknowledgement=wanted)), redis


def replicas_of(start: Start, count: int) -> tuple[Server, list[Server]]:
    """A primary, and so many replicas that are in step with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    primary = start("valkey", port=port, bind="127.0.0.1", **{"repl-diskless-sync-delay": "0"})
    return primary, [start("valkey", replicaof=f"127.0.0.1 {port}") for _ in range(count)]


async def kept(redis: Redis, wanted: Acknowledgement = ENGINE) -> Durability:
    """What the engine promises, as it is tried."""
    promise = await promised(redis, wanted)
    await settle(redis, Keys().store.writer("settle"), wanted)
    return promise


async def until_kept(redis: Redis, wanted: Acknowledgement) -> None:
    """Waits for replicas that are starting."""
    async with asyncio.timeout(10):
        while True:
            try:
                await kept(redis, wanted)
            except NotYetDurable:
                continue
            return


@pytest.mark.parametrize("setting", ["engine", "fsync", "replicas:1", "replicas:12"])
def test_a_setting_is_read_and_said_as_it_stands(setting: str) -> None:
    """What /readyz says is what the operator wrote."""
    assert str(Acknowledgement.of(setting)) == setting


@pytest.mark.parametrize("setting", ["", "disk", "fsync:1", "replicas", "replicas:0", "replicas:x"])
def test_what_is_no_durability_is_refused(setting: str) -> None:
    """With the three words that are."""
    with pytest.raises(ValueError, match="engine, fsync or replicas:<number>"):
        Acknowledgement.of(setting)


async def test_a_write_waits_for_the_disk_of_an_engine_that_syncs_each_second(
    start: Start,
) -> None:
    """It is acknowledged by WAITAOF, on the connection that wrote, and is there after a kill."""
    server = start("valkey", appendfsync="everysec")
    async with store_on(server, FSYNC) as (log, _):
        with wire_of("WAITAOF", "EVALSHA") as wire:
            recorded = await log.append(PutItem("fox", b"{}"))
        # The first of a writer only finds out what time it is there, and waits for nothing.
        assert [command[0] for command in wire.commands] == ["EVALSHA", "EVALSHA", "WAITAOF"]
    server.kill()
    async with store_on(start("valkey", server.directory), FSYNC) as (log, _):
        assert await log.reader.read() == [recorded]


async def test_a_write_that_reaches_no_disk_is_not_acknowledged(start: Start) -> None:
    """An engine that never syncs: an error within the time limit, and the event once."""
    server = start("valkey", appendfsync="no")
    async with store_on(server, FSYNC) as (log, _):
        began = time.monotonic()
        with pytest.raises(NotYetDurable, match="disk"):
            await log.append(PutItem("fox", b"{}"))
        assert time.monotonic() - began < 2
        assert len(await log.reader.read()) == 1


async def test_a_batch_that_is_sent_again_waits_on_its_new_connection_too(start: Start) -> None:
    """An engine answers for what a connection wrote, so the repetition has to write something."""
    server = start("valkey", appendfsync="no")
    async with store_on(server, FSYNC) as (log, redis):
        with wire_of("EVALSHA", "EVAL") as wire:
            wire.lost_replies = 2
            appending = asyncio.create_task(log.append(PutItem("fox", b"{}")))
            await asyncio.sleep(0.005)
            await redis.client_kill_filter(_type="normal", skipme=True)
            with pytest.raises(NotYetDurable):
                await appending
        assert len(await log.reader.read()) == 1


async def test_a_write_waits_for_as_many_replicas_as_are_wanted(start: Start) -> None:
    """One hangs: two are not reached. The event is in the log, once, and comes to be durable."""
    primary, replicas = replicas_of(start, 2)
    wanted = Acknowledgement(replicas=2)
    key = IdempotencyKey("a", hashlib.sha256(b"").hexdigest())
    async with store_on(primary, wanted) as (log, redis):
        await until_kept(redis, wanted)
        await log.append(PutItem("fox", b"1"))
        with stopped(replicas[1]):
            with pytest.raises(NotYetDurable, match="1 of 2 replicas"):
                await log.append(PutItem("fox", b"2"), key=key)
            with pytest.raises(NotYetDurable):
                await kept(redis, wanted)
            with pytest.raises(NotYetDurable):  # a repetition is not acknowledged either
                await log.outcome(key)
        again = await log.outcome(key)
        assert again is not None
        assert again.version == 2
        await log.append(PutItem("fox", b"3"))
        assert [each.version for each in await log.reader.read()] == [1, 2, 3]


async def test_what_a_replica_confirmed_survives_the_primary(start: Start) -> None:
    """Killed in the middle of writes, with all acknowledged ones at the replica."""
    primary, (replica,) = replicas_of(start, 1)
    acknowledged = []
    async with store_on(primary, REPLICA) as (log, redis):
        await until_kept(redis, REPLICA)

        async def write(number: int) -> None:
            while True:
                recorded = await log.append(PutItem(f"item-{number}", b"{}"))
                acknowledged.append(recorded)

        writers = [asyncio.create_task(write(number)) for number in range(20)]
        async with asyncio.timeout(20):
            while len(acknowledged) < 100:
                await asyncio.sleep(0.01)
        primary.kill()
        await asyncio.gather(*writers, return_exceptions=True)
    assert acknowledged
    async with store_on(replica, Acknowledgement()) as (log, _):
        kept = {each.position: each for each in await log.reader.read(limit=1_000_000)}
        assert all(kept.get(each.position) == each for each in acknowledged)


@pytest.mark.parametrize(
    ("engine", "settings", "wanted", "why"),
    [
        ("redis", {}, FSYNC, "Redis 7.2 or Valkey"),
        ("valkey", {"appendonly": "no"}, FSYNC, "appendonly"),
        ("valkey", {}, REPLICA, "0 of 1 replicas"),
        ("redis", {}, REPLICA, "0 of 1 replicas"),
    ],
)
async def test_what_the_engine_can_not_keep_is_refused(
    start: Start, engine: str, settings: dict[str, Any], wanted: Acknowledgement, why: str
) -> None:
    """Before the first write."""
    async with store_on(start(engine, **settings), wanted) as (_, redis):
        with pytest.raises((UnsafeEngine, NotYetDurable), match=why):
            await kept(redis, wanted)


async def test_a_fake_can_not_keep_anything(keys: Keys) -> None:
    """It has neither a disk nor replicas."""
    async with FakeAsyncRedis() as redis:
        for wanted in (FSYNC, REPLICA):
            with pytest.raises(UnsafeEngine, match=f"ITEMSTORE_DURABILITY={wanted}"):
                await kept(redis, wanted)
        log = EventLog(Partition(redis, keys))
        assert (await log.append(PutItem("fox", b"{}"))).version == 1


async def test_a_file_that_is_not_synced_while_it_is_rewritten_is_no_promise(start: Start) -> None:
    """Appendfsync always, and no-appendfsync-on-rewrite: the word of the weaker one counts."""
    server = start("valkey", **{"no-appendfsync-on-rewrite": "yes"})
    async with connect(server.url) as redis:
        assert (await kept(redis)).fsync == "no"
        assert (await kept(redis, FSYNC)).is_on_disk
