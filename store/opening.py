"""The store that settings name, opened: for one command, or for a process that serves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from itemstore.engine.connect import connect, connect_to_primary
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.durability import Durability, promised
from itemstore.engine.embedded import attach, embedded_in, holds_data, run, run_in_turn
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.store.archive_place import archive_of
from itemstore.store.half_restored import refuse_half_restored
from itemstore.store.health import check_writable
from itemstore.store.known_collections import names_for_a_command, remember, unnamed_collections
from itemstore.store.settings import Settings
from itemstore.store.store import Store

logger = logging.getLogger("itemstore")

PATIENCE = 10.0
"""Seconds for which a process that starts waits for its engine."""


class NoStore(Exception):
    """The data directory has no store in it."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"There is no store in {data_dir}: name its directory with --data-dir, or its engine "
            "with --redis-url. `itemstore serve` makes a new one."
        )


@asynccontextmanager
async def open_store(
    settings: Settings,
    *,
    names: Iterable[str] | None = None,
    new: bool = False,
    half_restored: bool = False,
) -> AsyncIterator[Store]:
    """The store for one command, which may take its time.

    `names` are those of its collections; without them the settings say, or the store itself. Only
    with `half_restored` may it be one whose restore has not come to its end.

    Without a URL the engine is the embedded one: where another process runs it, that one, else one
    for the block. Only with `new` may the data directory be one that has no store yet. Raises
    NoStore, NotAnEngineUrl, NotAnArchive, UnknownName, EngineError, HalfRestored, LogUnavailable
    and LogBroken.
    """
    if settings.redis_url is not None:
        archive = archive_of(settings, embedded_in(settings.data_dir, settings.redis_url))
        async with connect(settings.redis_url) as client:
            if not half_restored:
                await refuse_half_restored(client, settings.namespace)
            names = names or await names_for_a_command(client, settings)
            yield Store.on(client, settings, DiskSpace(), names=names, archive=archive)
        return
    archive = archive_of(settings, settings.data_dir)
    if not (new or holds_data(settings.data_dir)):
        raise NoStore(settings.data_dir)
    with attach(settings.data_dir) as engine:
        async with connect(engine.url) as client:
            if not half_restored:
                await refuse_half_restored(client, settings.namespace)
            disk, is_own = DiskSpace(engine.data_dir), not engine.is_borrowed
            names = names or await names_for_a_command(client, settings)
            yield Store.on(client, settings, disk, names=names, archive=archive, is_own=is_own)


@asynccontextmanager
async def open_to_serve(
    settings: Settings, names: Iterable[str] | None = None
) -> AsyncIterator[Store]:
    """The store for a process that serves it: it asks no replica, and waits for nothing for long.

    `names` are those of its collections, where the settings don't say.

    Without a URL the embedded engine runs for the block. What the engine promises is logged, and
    waited for where it is just being started again. Raises NotAnEngineUrl, NotAnArchive,
    EngineError, UnsafeEngine and LogUnavailable.
    """
    with engine_for(settings) as url:
        async with connect_to_primary(url) as client:
            data_dir = embedded_in(settings.data_dir, url)
            archive = archive_of(settings, data_dir)
            store = Store.on(client, settings, DiskSpace(data_dir), names=names, archive=archive)
            promise = await _promise_in_time(store)
            log = logger.info if promise.is_on_disk else logger.warning
            log("Durability (fsync %s): %s", promise.fsync, promise.sentence)
            await _warn(store)
            await begin_to_serve(store)
            yield replace(store, url=url)


@contextmanager
def engine_for(settings: Settings, waiting: Callable[[int], None] | None = None) -> Iterator[str]:
    """The URL of the engine that the settings name; without one, of the embedded one.

    That one runs for the block. Where a command holds the data directory for its own while,
    `waiting` is called with its process, and its end is waited for. Raises EngineError.
    """
    if settings.redis_url is not None:
        yield settings.redis_url
        return
    data_dir = settings.data_dir
    with run_in_turn(data_dir, waiting) if waiting else run(data_dir) as engine:
        yield engine.url


async def promise_of(store: Store) -> Durability:
    """What the engine promises, and that it keeps what the settings want, as it is tried.

    Raises UnsafeEngine, NotYetDurable, LogFull and LogUnavailable.
    """
    promise = await promised(store.partition.client, store.settings.acknowledgement)
    await store.appender.settle()
    return promise


async def begin_to_serve(store: Store) -> None:
    """Writes down which collections the store has, and logs which it had and does not serve.

    Where the engine takes no writes now, the next start writes it down. Raises LogBroken, and
    HalfRestored where the store is not complete.
    """
    redis, namespace = store.partition.client, store.settings.namespace
    with suppress(LogUnavailable, LogFull):
        await refuse_half_restored(redis, namespace)
        await remember(redis, namespace, store.collections)
        for name, count in (await unnamed_collections(store)).items():
            logger.warning("%s", not_served(name, count))


def not_served(name: str, count: int) -> str:
    """What is said of a collection that has events and is not served."""
    return (
        f"The collection {name} is not served: it has {events_of(count)} and is not among those "
        "that are named (ITEMSTORE_COLLECTIONS). Its data stays as it is."
    )


def events_of(count: int) -> str:
    """A number of events in words."""
    return "1 event" if count == 1 else f"{count:,} events"


async def _promise_in_time(store: Store) -> Durability:
    """What the engine promises, asked again while it is away, for PATIENCE at most."""
    until = perf_counter() + PATIENCE
    while True:
        try:
            return await promise_of(store)
        except LogUnavailable:
            if perf_counter() > until:
                raise
        await asyncio.sleep(0.1)


async def _warn(store: Store) -> None:
    """Logs why no write would be taken now, or that the log is ahead. Raises UnsafeEngine."""
    try:
        end = await check_writable(store)
    except (LogUnavailable, LogFull, LogBroken) as error:
        logger.warning("No write would be taken now: %s", error)
    else:
        if end.sentence is not None:
            logger.warning(end.sentence)
