"""What the tests of rebuild and verify share: a store with a history, and ways to damage it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import Command, DeleteItem, PutItem
from itemstore.domain.errors import ItemNotFound
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog, Log
from itemstore.projections.rebuild import shadow

Damage = Callable[[Redis, Keys], Awaitable[object]]


async def write(log: Log, count: int, items: int = 20, seed: int = 1) -> None:
    """Puts and deletes items at random; each item exists at the end but every fifth."""
    chance = random.Random(seed)
    for number in range(count):
        name = f"item {chance.randrange(items)}"
        body = b'{"size":%d,"name":"%s"}' % (number, b"x" * (number % 90))
        command: Command = PutItem(name, body)
        if chance.random() < 0.2:
            command = DeleteItem(name)
        try:
            await log.append(command)
        except ItemNotFound:
            continue


@pytest.fixture
async def history(log: EventLog) -> EventLog:
    """A log in which items were created, updated, deleted and created again."""
    await write(log, 200)
    for body in (b"[]", b'{"size":12345678901234567890}', '{"name":"é😀"}'.encode()):
        await log.append(PutItem("kept", body))
    await log.append(PutItem("a/b:c*[?", b"1"))
    await log.append(PutItem("gone", b"1"))
    await log.append(DeleteItem("gone"))
    await log.append(PutItem("back", b"1"))
    await log.append(DeleteItem("back"))
    await log.append(PutItem("back", b"2"))
    return log


@pytest.fixture(params=[400, 1], ids=["in order", "gathered"])
def replay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which a log is replayed: event by event, and sorted by items."""
    monkeypatch.setattr(shadow, "EVENTS", request.param)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Ends a task."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
