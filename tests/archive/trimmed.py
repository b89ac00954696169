"""Stores whose logs are in the archive, but for their last events."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving, Logs
from itemstore.archive.standing import raise_border
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.merged import MergedLogs
from itemstore.eventlog.reader import Within
from tests.archive.streams import trim


async def leave(redis: Redis, archive: Archive, names: Sequence[str], count: int) -> None:
    """Archives all, and takes all but the last `count` events out of the engine.

    The last event of each log stays, as ever.
    """

    async def all_names() -> Sequence[str]:
        return names

    manifest = await Archiving(Logs(redis, StoreKeys(), all_names), archive).seal()
    assert manifest is not None
    keys = {name: Keys(name) for name in names}
    logs = MergedLogs(redis, [*keys.values()])
    part = await logs.part_after(await logs.before_last(count + 1), Within(1))
    log = keys[part.collections[0]]
    assert await raise_border(redis, log, manifest.archive, part.entries[0], manifest.number)
    assert await trim(redis, [*keys.values()])
