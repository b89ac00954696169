"""A power cut at any point, on a real server: a batch is in the log as a whole, or not at all."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from redis import exceptions

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.engine.connect import connect
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import Server, Start, assert_agreement, program_of, running

CUTS = 60
"""How many places of the batch the file is cut at, besides its first and last bytes."""

BEFORE: list[Command] = [
    PutItem("updated", b'{"size":1}'),
    PutItem("deleted", b"[]"),
    PutItem("recreated", b"1"),
    DeleteItem("recreated"),
]
BATCH: list[Command] = [
    PutItem("created", '{"name":"é😀"}'.encode()),
    PutItem("updated", b'{"size":2}'),
    PatchItem("updated", b'{"size":3}'),
    DeleteItem("deleted"),
    PutItem("recreated", b'{"deleted":true}'),
    PutItem("fleeting", b"1"),
    DeleteItem("fleeting"),
]


def append_only_file(directory: Path) -> Path:
    """What the server writes to disk before it answers."""
    [file] = (directory / "appendonlydir").glob("*.incr.aof")
    return file


async def test_a_batch_cut_off_at_any_byte_appends_nothing_or_everything(
    start: Start, keys: Keys
) -> None:
    """The file on disk, cut within the batch: the server starts, and all of it agrees."""
    server = start("valkey")
    file = append_only_file(server.directory)
    async with connect(server.url) as redis:
        log = EventLog(Partition(redis, keys))
        for command in BEFORE:
            await log.append(command)
        first = file.stat().st_size
        await asyncio.gather(*(log.append(command) for command in BATCH))
        last = file.stat().st_size
    server.kill()

    step = (last - first) // CUTS
    cuts = sorted({first, first + 1, *range(first, last, step), last - 1, last})
    lengths = {cut: await length_after(server, cut, keys) for cut in cuts}
    nothing, everything = len(BEFORE), len(BEFORE) + len(BATCH)
    assert lengths == {cut: everything if cut == last else nothing for cut in cuts}


async def length_after(server: Server, cut: int, keys: Keys) -> int:
    """How many events a server finds in the file cut at a byte; they, and the rest, must agree."""
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        shutil.copytree(server.directory / "appendonlydir", directory / "appendonlydir")
        with append_only_file(directory).open("r+b") as file:
            file.truncate(cut)
        with running(program_of("valkey"), directory) as survivor:
            async with connect(survivor.url) as redis:
                await assert_agreement(Partition(redis, keys))
                return (await EventLog(Partition(redis, keys)).reader.extent()).length


async def test_what_was_acknowledged_survives_a_kill_under_load(start: Start, keys: Keys) -> None:
    """SIGKILL among many writers: every event that was answered is there, and all agrees."""
    server = start("valkey")
    acknowledged: list[RecordedEvent] = []
    under_load = asyncio.Event()

    async def write(log: EventLog, name: str) -> None:
        number = 0
        while True:
            number += 1
            command = DeleteItem(name) if number % 5 == 0 else PutItem(name, b"%d" % number)
            acknowledged.append(await log.append(command))
            if len(acknowledged) == 3000:
                under_load.set()

    async with connect(server.url) as one, connect(server.url) as other:
        logs = [EventLog(Partition(redis, keys)) for redis in (one, other)]
        writers = asyncio.gather(
            *(write(logs[number % 2], f"item {number}") for number in range(40)),
            return_exceptions=True,
        )
        await under_load.wait()
        server.kill()
        outcomes = await writers
    assert {type(outcome) for outcome in outcomes} == {LogUnavailable}

    async with connect(start("valkey", server.directory).url) as redis:
        log = EventLog(Partition(redis, keys))
        survived = {event.position: event for event in await log.reader.read(limit=100_000)}
        assert [survived.get(event.position) for event in acknowledged] == acknowledged
        await assert_agreement(Partition(redis, keys))


async def test_a_batch_asked_for_again_after_a_kill_is_not_appended_again(
    start: Start, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a writer's last batch was is on disk with the batch itself."""
    server = start("valkey")
    async with connect(server.url) as redis:
        call = DedicatedConnection.call

        async def killed_before_the_reply(connection: DedicatedConnection, *command: Any) -> None:
            monkeypatch.undo()
            await call(connection, *command)
            server.kill()
            start("valkey", server.directory)
            raise exceptions.ConnectionError

        log = EventLog(Partition(redis, keys))
        before = await log.append(PutItem("bar", b"1"))
        monkeypatch.setattr(DedicatedConnection, "call", killed_before_the_reply)
        answer = await log.append(PutItem("foo", b"1"))

        assert (answer.type, answer.version) == ("ItemCreated", 1)
        assert await log.reader.read() == [before, answer]
        await assert_agreement(Partition(redis, keys))
