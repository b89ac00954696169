"""Whether a write would be taken: said before one is tried, by an engine that refuses it."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.engine.acknowledgement import Acknowledgement, NotYetDurable
from itemstore.engine.connect import connect
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.readiness import LogEnd, check_replicas, check_writable
from tests.conftest import Start, contents

ENGINES = pytest.mark.parametrize("engine", ["valkey", "redis"])

REFUSALS: dict[str, tuple[dict[str, str], type[Exception], str]] = {
    "too few replicas": ({"min-replicas-to-write": "1"}, LogUnavailable, "NOREPLICAS"),
    "no memory": ({"maxmemory": "100kb"}, LogFull, "out of memory"),
    "a replica": ({"replicaof": "127.0.0.1 1"}, LogUnavailable, "READONLY|MASTERDOWN|replica"),
    "a cluster without its slots": (
        {"cluster-enabled": "yes", "port": "0"}, LogUnavailable, "slot|hash tag",
    ),
}  # fmt: skip


async def refused(redis: Redis) -> Exception:
    """What an append is told."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the test says which
        await EventLog(Partition(redis, Keys())).append(PutItem("fox", b"{}"))
    return raised.value


@ENGINES
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_refuses_a_write_is_said_without_one(
    start: Start, engine: str, refusal: str
) -> None:
    """By the same words as an append would be refused with."""
    settings, kind, words = REFUSALS[refusal]
    server = start(engine, **settings)
    async with connect(server.url) as redis:
        with pytest.raises(kind, match=words) as raised:
            await check_writable(Partition(redis, Keys()))
        assert type(await refused(redis)) is type(raised.value)


@ENGINES
async def test_on_a_cluster_the_namespace_needs_a_hash_tag(start: Start, engine: str) -> None:
    """Its keys would be in several slots, and the sentence says how they get into one."""
    server = start(engine, **{"cluster-enabled": "yes"})
    async with connect(server.url) as redis:
        execute: Any = redis.execute_command
        await execute("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in await execute("CLUSTER", "INFO"):
            pass
        with pytest.raises(LogUnavailable, match="needs a namespace with a hash tag"):
            await check_writable(Partition(redis, Keys()))
        keys = Keys(namespace="{items}")
        assert (await check_writable(Partition(redis, keys))).position == "0-0"
        await EventLog(Partition(redis, keys)).append(PutItem("fox", b"{}"))


@ENGINES
async def test_a_disk_that_fails_is_said(start: Start, tmp_path: Path, engine: str) -> None:
    """The engine could not save, and is set to take no more writes then."""
    place = tmp_path / "place"
    place.mkdir()
    server = start(engine, appendonly="no", save="3600 1", dir=str(place))
    async with connect(server.url) as redis:
        await redis.set("a", "b")
        place.rmdir()
        await redis.bgsave()
        while (await redis.info("persistence"))["rdb_bgsave_in_progress"]:
            pass
        with pytest.raises(LogUnavailable, match="MISCONF"):
            await check_writable(Partition(redis, Keys()))
        assert "MISCONF" in str(await refused(redis))


@pytest.mark.parametrize("command", ["xadd", "hset", "zadd", "rpush", "zrem", "set"])
async def test_a_right_that_is_missing_is_named(real_redis: Redis, command: str) -> None:
    """Also one that only some writes take, before the first of them comes."""
    await give(real_redis, "~items*:*", "+@all", f"-{command}")
    async with ann(real_redis) as redis:
        with pytest.raises(UnsafeEngine, match=rf"may not run .*{command.upper()}"):
            await check_writable(Partition(redis, Keys()))


async def test_several_partitions_take_one_right_more(real_redis: Redis) -> None:
    """A request with an Idempotency-Key clears away a claim that another one left."""
    await give(real_redis, "~*", "+@all", "-del")
    async with ann(real_redis) as redis:
        await check_writable(Partition(redis, Keys()))
        with pytest.raises(UnsafeEngine, match="may not run DEL, which"):
            await check_writable(Partition(redis, Keys(partition=1)))


async def test_a_user_of_other_keys_may_not_write(real_redis: Redis) -> None:
    """Its rights end at its own namespace, in which all is well."""
    await give(real_redis, "~mine:*", "+@all", "-config")
    async with ann(real_redis) as redis:
        assert (await check_writable(Partition(redis, Keys(namespace="mine")))).position == "0-0"
        with pytest.raises(LogUnavailable, match=r"(?i)permission"):
            await check_writable(Partition(redis, Keys()))


async def test_a_user_who_may_run_no_scripts_may_not_write(
    real_redis: Redis, real_partition: Partition
) -> None:
    """The store writes in one, and an engine that knows it today may forget it."""
    await give(real_redis, "~*", "+@all", "-eval")
    async with ann(real_redis) as redis:
        await real_redis.script_flush()
        with pytest.raises(LogUnavailable, match=r"(?i)eval"):
            await check_writable(Partition(redis, Keys()))
        await check_writable(real_partition)
        with pytest.raises(UnsafeEngine, match="may not run EVAL, which"):
            await check_writable(Partition(redis, Keys()))


CALL = r"redis\.p?call\('([A-Z]+)'"


async def give(redis: Redis, *rights: str) -> None:
    """Makes a user of the server, with these rights."""
    execute: Any = redis.execute_command
    await execute("ACL", "SETUSER", "ann", "reset", "on", ">secret", *rights)


def ann(redis: Redis) -> Redis:
    """A client of the same server, for that user."""
    path = redis.connection_pool.connection_kwargs["path"]
    return connect(f"unix://{path}?username=ann&password=secret")


@pytest.mark.parametrize("key", ["items:events", "items:current", "items:ids"])
async def test_a_key_that_holds_something_else_is_damage(
    redis: Redis, partition: Partition, key: str
) -> None:
    """On each engine, as an append finds it."""
    await redis.set(key, "something else")
    with pytest.raises(LogBroken):
        await check_writable(partition)


async def test_to_ask_writes_nothing(redis: Redis, partition: Partition, log: EventLog) -> None:
    """Nothing is there that was not, and the log's end and the clock are told."""
    assert (await check_writable(partition)).position == "0-0"
    recorded = await log.append(PutItem("fox", b"{}"))
    before = await contents(redis)
    end = await check_writable(partition)
    assert (end.position, end.sentence) == (recorded.position, None)
    assert await contents(redis) == before


async def test_to_ask_leaves_nothing_for_the_disk_or_a_replica(
    real_redis: Redis, real_partition: Partition
) -> None:
    """The engine's own count of what it hands on stays where it was."""
    before = (await real_redis.info("replication"))["master_repl_offset"]
    changes = (await real_redis.info("persistence"))["rdb_changes_since_last_save"]
    await check_writable(real_partition)
    assert (await real_redis.info("replication"))["master_repl_offset"] == before
    assert (await real_redis.info("persistence"))["rdb_changes_since_last_save"] == changes


def test_every_command_of_the_append_script_is_asked_for_and_no_other() -> None:
    """Before a write, and of those that write also within it, before the first of them."""
    append = "".join(
        Path(f"eventlog/{name}.lua").read_text() for name in ("apply", "order", "append")
    )
    claims = "".join(Path(f"eventlog/{name}.lua").read_text() for name in ("claim", "close_key"))
    would_write = Path("eventlog/would_write.lua").read_text()
    called, claiming = (set(re.findall(CALL, text)) for text in (append, claims))
    listed = set(re.findall(r"\{ '([A-Z]+)', ", would_write))
    assert listed == (called | claiming) - {"TIME"} | {"EVALSHA", "EVAL"}
    checked = set(re.findall(r" (?:may|redis\.acl_check_cmd)\('([A-Z]+)', ", append))
    assert checked == {"XADD", "HSET", "ZADD", "ZREM", "RPUSH", "SET"}
    assert checked <= called


async def test_too_few_replicas_are_said_without_a_write(start: Start) -> None:
    """A durability of replicas:1, with none, and with one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    wanted = Acknowledgement(replicas=1)
    settings: dict[str, Any] = {"repl-diskless-sync-delay": "0"}
    primary = start("valkey", port=port, bind="127.0.0.1", **settings)
    async with connect(primary.url) as redis:
        await check_replicas(redis, Acknowledgement())
        with pytest.raises(NotYetDurable, match="0 of 1 replicas"):
            await check_replicas(redis, wanted)
        start("valkey", replicaof=f"127.0.0.1 {port}")
        while (await redis.info("replication")).get("slave0", {}).get("state") != "online":
            pass
        await check_replicas(redis, wanted)


@pytest.mark.parametrize(
    ("position", "now", "seconds", "words"),
    [
        ("0-0", 10_000, 0, None),
        ("15000-0", 10_000, 0, None),
        ("15001-0", 10_000, 5, "5 seconds ahead"),
        ("190000-0", 10_000, 180, "3 minutes ahead"),
        ("94608010000-7", 10_000, 94_608_000, "1,095 days ahead"),
        ("18446744073709551615-18446744073709551615", 10_000, None, "days ahead"),
    ],
)
def test_how_far_a_log_is_ahead(
    position: str, now: int, seconds: int | None, words: str | None
) -> None:
    """A few seconds are nothing; more are said in words."""
    end = LogEnd(position, now)
    assert seconds in (None, end.ahead_seconds)
    assert (end.sentence is None) == (words is None)
    assert words is None or words in (end.sentence or "")
