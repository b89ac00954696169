"""A store of two collections beside an archive, and records of what they hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving, Logs
from itemstore.archive.lines import Placed
from itemstore.archive.reading_back import content_of
from itemstore.archive.segments import entries_of
from itemstore.domain.commands import PutItem
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.store.beginning import begun, reach
from itemstore.store.store import Store

ITEMS, ORDERS = Keys(), Keys("orders")
LOGS = [ITEMS, ORDERS]


async def begin_to_serve(store: Store) -> None:
    """Does for a store what is done before it is served."""
    async with begun(store, await reach(store)):
        pass


def archiving_of(redis: Redis, archive: Archive) -> Archiving:
    """What archives both collections."""

    async def names() -> Sequence[str]:
        return ["items", "orders"]

    return Archiving(Logs(redis, StoreKeys(), names), archive)


def again(archive: Archive) -> Archive:
    """The same archive as another process sees it, which has read nothing yet."""
    return Archive(archive.objects, 1 << 20)


async def put(appender: Appender, keys: Keys, *items: str, body: bytes = b'{"a":[]}') -> None:
    """An event of each of these items."""
    await asyncio.gather(*(appender.append(keys, PutItem(item, body)) for item in items))


async def in_logs(redis: Redis, after: str = START) -> list[Placed]:
    """All entries of both streams after a position, in one order."""
    found: list[Placed] = []
    for keys in LOGS:
        command = (b"XRANGE", keys.events, f"({after}", "+")
        entries: Any = await redis.execute_command(*command)  # type: ignore[no-untyped-call]
        found += [(keys.collection, (position, list(fields))) for position, fields in entries]
    return in_order(found)


async def in_archive(archive: Archive) -> list[Placed]:
    """All entries of the segments that the newest manifest names."""
    manifest = await archive.refreshed()
    if manifest is None:
        return []
    return [
        placed
        for segment in manifest.segments
        for entries in entries_of(segment, await content_of(archive, segment))
        for placed in entries
    ]


def in_order(entries: Sequence[Placed]) -> list[Placed]:
    """Sorted by position."""
    return sorted(entries, key=lambda placed: key_of(placed[1][0].decode()))


async def snapshot(redis: Redis) -> dict[bytes, bytes]:
    """All that an engine has, as a replica has it that gets no more."""
    names: Any = await redis.keys("*")
    dumped: Any = {name: await redis.dump(name) for name in names}
    return dict(dumped)


async def fail_over(redis: Redis, replica: dict[bytes, bytes]) -> None:
    """The engine is another one now, with what its replica had."""
    await redis.flushall()
    for name, value in replica.items():
        await redis.restore(name, 0, value)
