"""What a person sees with redis-cli: entries and rows are a contract, to the byte."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.domain.evolve import fold
from itemstore.eventlog.codec import FIELDS
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import row

FIGHTERS = b'{"name":"Fighters","size":6}'

RedisCli = Callable[..., str]


async def story(log: EventLog) -> list[RecordedEvent]:
    """An item that is created, changed and deleted, and one that stays."""
    return [
        await log.append(PutItem("foo", FIGHTERS), {"actor": "ann"}),
        await log.append(PutItem("foo", b'{"name":"Fighters","size":null}')),
        await log.append(PutItem("a/b é", b"[]")),
        await log.append(DeleteItem("foo")),
    ]


async def test_an_entry_has_the_five_fields_in_their_order(redis: Redis, log: EventLog) -> None:
    """Every type of event: the same fields, so that the engine can pack them."""
    events = await story(log)
    values = [
        (b"ItemCreated", b"foo", b"1", FIGHTERS, b'{"actor":"ann"}'),
        (b"ItemUpdated", b"foo", b"2", b'{"name":"Fighters","size":null}', b"{}"),
        (b"ItemCreated", "a/b é".encode(), b"1", b"[]", b"{}"),
        (b"ItemDeleted", b"foo", b"3", b"", b"{}"),
    ]
    entries: Any = await redis.xrange("items:events")
    assert [position.decode() for position, _ in entries] == [event.position for event in events]
    assert [tuple(fields) for _, fields in entries] == [FIELDS] * 4
    assert [tuple(fields.values()) for _, fields in entries] == values


async def test_a_row_has_its_keys_in_their_order(redis: Redis, log: EventLog) -> None:
    """Created, updated, deleted and created again; nothing but what the form says."""
    rows, positions = [], []
    for command in (
        PutItem("foo", FIGHTERS),
        PutItem("foo", b"1.0"),
        DeleteItem("foo"),
        PutItem("foo", b"[]"),
    ):
        positions.append((await log.append(command)).position)
        row: Any = await redis.hget("items:current", "foo")
        rows.append(row.decode())

    a, b, c, d = positions
    assert rows == [
        f'{{"version":1,"position":"{a}","created":"{a}","data":{{"name":"Fighters","size":6}}}}',
        f'{{"version":2,"position":"{b}","created":"{a}","data":1.0}}',
        f'{{"version":3,"position":"{c}","created":"{a}","deleted":true}}',
        f'{{"version":4,"position":"{d}","created":"{d}","data":[]}}',
    ]


async def test_lua_writes_the_rows_that_python_would(redis: Redis, log: EventLog) -> None:
    """Two readings of the same log, in two languages, to the byte."""
    await story(log)
    rows = {name.encode(): row.encode(item) for name, item in fold(await log.reader.read()).items()}
    assert await redis.hgetall("items:current") == rows


@pytest.fixture
def redis_cli(real_redis: Redis) -> RedisCli:
    """Runs redis-cli on each real server, and gives what it shows a person."""
    program = shutil.which("redis-cli")
    if program is None:
        pytest.skip("redis-cli is not installed: `apt-get install redis-tools` brings it")
    socket = real_redis.connection_pool.connection_kwargs["path"]

    def run(*words: str) -> str:
        command = [program, "-s", socket, "--no-raw", *words]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=20
        ).stdout

    return run


async def test_redis_cli_shows_the_log_and_the_rows(
    real_partition: Partition, redis_cli: RedisCli
) -> None:
    """The very commands of the documentation."""
    created, updated, _, deleted = await story(EventLog(real_partition))

    assert redis_cli("XRANGE", "items:events", created.position, updated.position) == (
        f'1) 1) "{created.position}"\n'
        '   2)  1) "type"\n'
        '       2) "ItemCreated"\n'
        '       3) "item"\n'
        '       4) "foo"\n'
        '       5) "version"\n'
        '       6) "1"\n'
        '       7) "data"\n'
        '       8) "{\\"name\\":\\"Fighters\\",\\"size\\":6}"\n'
        '       9) "meta"\n'
        '      10) "{\\"actor\\":\\"ann\\"}"\n'
        f'2) 1) "{updated.position}"\n'
        '   2)  1) "type"\n'
        '       2) "ItemUpdated"\n'
        '       3) "item"\n'
        '       4) "foo"\n'
        '       5) "version"\n'
        '       6) "2"\n'
        '       7) "data"\n'
        '       8) "{\\"name\\":\\"Fighters\\",\\"size\\":null}"\n'
        '       9) "meta"\n'
        '      10) "{}"\n'
    )
    assert redis_cli("--raw", "HGET", "items:current", "foo") == (
        f'{{"version":3,"position":"{deleted.position}",'
        f'"created":"{created.position}","deleted":true}}\n'
    )
    assert redis_cli("--raw", "LRANGE", "items:history:foo", "0", "-1").split() == [
        event.position for event in (created, updated, deleted)
    ]
    assert redis_cli("--raw", "ZRANGE", "items:ids", "0", "-1") == "a/b é\n"
