"""Fills a store fast: the append of a request, without HTTP, without waiting for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from redis.asyncio import Redis

from benchmarks.workloads import BODY
from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition

TOGETHER = 2_048
"""How many commands are under way at once; they share script calls."""


def fill(url: str, first: int, last: int) -> None:
    """PUTs `item-<first>` up to, and without, `item-<last>`: creates or updates."""
    uvloop.run(_fill(url, first, last))


async def _fill(url: str, first: int, last: int) -> None:
    redis = connect(url)
    log = EventLog(Partition(redis, Keys()))
    async with redis, without_fsync(redis):
        for start in range(first, last, TOGETHER):
            numbers = range(start, min(start + TOGETHER, last))
            commands = (PutItem(f"item-{number}", BODY) for number in numbers)
            await asyncio.gather(*(log.append(command) for command in commands))


@asynccontextmanager
async def without_fsync(redis: Redis) -> AsyncIterator[None]:
    """The engine leaves it to the system when the disk has it, for the block."""
    await redis.config_set("appendfsync", "no")
    try:
        yield
    finally:
        await redis.config_set("appendfsync", "always")
