"""Stores of several partitions beside their archives, and what these have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from itemstore.archive.all_events import all_events
from itemstore.archive.archive import Archive
from itemstore.archive.lines import Placed
from itemstore.domain.commands import PutItem
from itemstore.domain.positions import START, key_of
from itemstore.engine.clients import OneEngine
from itemstore.store.archiver import archiving_of
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.archive.stores import begin_to_serve
from tests.conftest import PATIENCE

NAMES = ("items", "orders")


def divided(redis: Redis, place: object, partitions: int = 4, **others: object) -> Store:
    """A store of several partitions on one engine, whose archive is at a place."""
    settings = Settings.model_validate(
        {"archive": str(place), "archive_seconds": 0.02, "partitions": partitions, **others}
    )
    return store_on(OneEngine(redis), settings, names=NAMES)


async def fill(store: Store, events: int, *, seed: int = 1, items: int = 20) -> None:
    """That many events of items that are in all of its partitions, and of two collections."""
    await begin_to_serve(store)
    chance = random.Random(seed)
    for n in range(events):
        name, item = chance.choice(NAMES), f"item {chance.randrange(items)}"
        await store.collections[name].log.append(PutItem(item, b'{"n":%d}' % n))


@asynccontextmanager
async def at_work(store: Store) -> AsyncIterator[None]:
    """A block in which the store is archived."""
    task = asyncio.create_task(archiving_of(store).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)


async def in_logs(section: Store) -> list[Placed]:
    """All events of a partition that is all in its engine, in their order."""
    found: list[Placed] = []
    for name, each in section.collections.items():
        async for entries in each.partition.reader.slices():
            found += [(name, (position, fields)) for position, fields in entries]
    return sorted(found, key=lambda placed: key_of(placed[1][0].decode()))


async def in_archive(archive: Archive) -> list[Placed]:
    """All events of an archive, as a process sees it that has read nothing yet."""
    fresh = Archive(archive.objects, 0)
    manifest = await fresh.refreshed()
    assert manifest is not None, archive.place
    parts = [part async for part in all_events(fresh, START, manifest.last)]
    return [placed for part in parts for placed in part]


async def has_all(store: Store) -> bool:
    """Whether the archive of each partition has what its log has."""
    for section in store.sections:
        archive = section.archive
        assert archive is not None
        if await Archive(archive.objects, 0).refreshed() is None:
            return False
        if await in_archive(archive) != await in_logs(section):
            return False
    return True


def bodies(entries: Iterable[Placed]) -> Mapping[tuple[str, bytes], list[bytes]]:
    """The bodies of each item in their order."""
    found: dict[tuple[str, bytes], list[bytes]] = {}
    for name, (_, fields) in entries:
        found.setdefault((name, fields[3]), []).append(fields[7])
    return found
