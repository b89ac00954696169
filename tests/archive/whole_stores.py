"""A store with a history, and the archive of all of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.lines import Placed
from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.positions import START, key_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.transaction import Addressed
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.known_collections import remember
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.archive.archives import fill, in_parts
from tests.archive.streams import trim
from tests.conftest import contents

NAMES = ("orders", "products", "quiet")

PREPARED = Settings(collections=",".join(f"{name}=any" for name in NAMES))


def store_on(redis: Redis, archive: Archive | None = None, settings: Settings = PREPARED) -> Store:
    """The store of an engine."""
    return Store.on(redis, settings, DiskSpace(), archive=archive)


async def with_history(events: int, seed: int = 1) -> Store:
    """A store of several collections, one of which had its only event long ago.

    Items are updated, deleted and created again; some events are together in a transaction.
    """
    store = store_on(FakeAsyncRedis(server=FakeServer()))
    chance, there = random.Random(seed), set[tuple[str, str]]()
    await store.collections["quiet"].log.append(PutItem("alone", b'{"n":0}'))
    for n in range(1, events):
        name, item = chance.choice(NAMES[:2]), f"item {chance.randrange(max(2, events // 8))}"
        if (name, item) in there and chance.random() < 0.2:
            await store.collections[name].log.append(DeleteItem(item))
            there.remove((name, item))
            continue
        body = b'{"n":%d,"text":"%b"}' % (n, b"x" * chance.choice([0, 5, 300]))
        if n % 10:
            there.add((name, item))
            meta = {"actor": "ann"} if n % 3 else {}
            await store.collections[name].log.append(PutItem(item, body), meta)
        else:
            both = [Addressed(Keys(each), PutItem("both", body)) for each in NAMES[:2]]
            await store.appender.append_together(both)
    await remember(store, NAMES)
    await identity(store.partition)
    return store


async def entries_of(store: Store) -> list[Placed]:
    """All events of a store that is all in its engine, in their order."""
    found: list[Placed] = []
    for name, each in store.collections.items():
        async for entries in each.partition.reader.slices():
            found += [(name, (position, fields)) for position, fields in entries]
    return sorted(found, key=lambda placed: key_of(placed[1][0].decode()))


async def archived(store: Store, archive: Archive, size: int = 40) -> list[Placed]:
    """Fills an archive with all events of a store, and gives these."""
    entries = await entries_of(store)
    await fill(archive, in_parts(entries, size))
    return entries


async def trimmed(store: Store, archive: Archive, border: str, up_to: str, counted: int) -> None:
    """Makes the store what an archiver and its trimming would leave of it."""
    manifest = await archive.current()
    assert manifest is not None
    noted: dict[Any, Any] = {"archive": manifest.archive, "claimed": up_to, "sealed": up_to}
    noted |= {"counted": counted} | ({} if border == START else {"border": border})
    await store.partition.client.hset("itemstore:archive", mapping=noted)
    await trim(store.partition.client, [Keys(name) for name in store.collections])


async def held(redis: Redis) -> dict[bytes, Any]:
    """What an engine holds of a store, without what differs from one to another on purpose."""
    found = await contents(redis)
    layout = found.pop(b"itemstore:layout", {})
    assert set(layout) >= {b"log"} | {f"collection:{name}".encode() for name in NAMES}
    return {key: value for key, value in found.items() if b":writers:" not in key}


async def digests(store: Store) -> list[str]:
    """The digest of each collection, which has to be clean."""
    found = []
    for each in store.collections.values():
        verdict = await verify(each.partition, BUILT_IN)
        assert verdict.clean, verdict
        found.append(verdict.digest)
    return found


def positions(entries: Iterable[Placed]) -> list[str]:
    """Their positions."""
    return [position.decode() for _, (position, _) in entries]
