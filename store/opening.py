"""The store that settings name, opened: for one command, or for a process that serves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from redis.asyncio import Redis

from itemstore.engine.clients import Clients, clients_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.durability import Durability
from itemstore.engine.embedded import attach, embedded_in, holds_data, run, run_in_turn
from itemstore.engine.errors import LogFull, LogUnavailable
from itemstore.eventlog.keys import StoreKeys
from itemstore.store.archive_place import archive_of, archives_of
from itemstore.store.half_restored import refuse_half_restored
from itemstore.store.known_collections import names_for_a_command, remember, unnamed_collections
from itemstore.store.layout import client_of, keys_of, numbers_of, with_partitions, write_down
from itemstore.store.look import LOOK_SECONDS, promise_of_all
from itemstore.store.settings import Settings
from itemstore.store.sharing import Sharing
from itemstore.store.start_warnings import warn_of_stale_reads, warn_of_writes
from itemstore.store.store import Store

T = TypeVar("T")

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
    partly: bool = False,
) -> AsyncIterator[Store]:
    """The store for one command, which may take its time.

    `names` are those of its collections; without them the settings say, or the store itself. Only
    with `half_restored` may it be one whose restore has not come to its end; only with `partly` may
    the nodes of some of several partitions be away.

    Without a URL the engine is the embedded one: where another process runs it, that one, else one
    for the block. Only with `new` may the data directory be one that has no store yet. Raises
    NoStore, NotAnEngineUrl, NotAnArchive, UnknownName, WrongPartitions, EngineError, HalfRestored,
    LogUnavailable and LogBroken.
    """
    with ExitStack() as stack:
        url, is_own = settings.redis_url, False
        if url is not None:
            data_dir = embedded_in(settings.data_dir, url)
        else:
            archive_of(settings, settings.data_dir)  # it may be no place: before anything is opened
            if not (new or holds_data(settings.data_dir)):
                raise NoStore(settings.data_dir)
            engine = stack.enter_context(attach(settings.data_dir))
            url, data_dir, is_own = engine.url, engine.data_dir, not engine.is_borrowed
        async with clients_of(url, is_served=False) as clients:
            settings = await with_partitions(clients, settings)
            places = [
                (client_of(clients, settings, number), keys_of(settings, number))
                for number in numbers_of(settings)
            ]
            if not half_restored:
                await _refuse_half_restored(places, partly=partly)
            names = names or await names_for_a_command(*places[0], settings)
            yield store_on(clients, settings, data_dir, names=names, is_own=is_own)


@asynccontextmanager
async def open_to_serve(
    settings: Settings, names: Iterable[str] | None = None
) -> AsyncIterator[Store]:
    """The store for a process that serves it: it asks no replica, and waits for nothing for long.

    `names` are those of its collections, where the settings don't say.

    Without a URL the embedded engine runs for the block. What the engine promises is logged, and
    waited for where it is just being started again. Raises NotAnEngineUrl, NotAnArchive,
    WrongPartitions, EngineError, UnsafeEngine and LogUnavailable.
    """
    with engine_for(settings) as url:
        async with clients_of(url, is_served=True) as clients:
            settings = await _in_time(lambda: with_partitions(clients, settings))
            data_dir = embedded_in(settings.data_dir, url)
            store = store_on(clients, settings, data_dir, names=names, url=url)
            promise = await _in_time(lambda: promise_of(store))
            log = logger.info if promise.is_on_disk else logger.warning
            log("Durability (fsync %s): %s", promise.fsync, promise.sentence)
            await warn_of_writes(store)
            await warn_of_stale_reads(store)
            await begin_to_serve(store)
            yield store


def store_on(  # noqa: PLR0913 - what is opened, and what is known of it
    clients: Clients,
    settings: Settings,
    data_dir: Path | None = None,
    *,
    names: Iterable[str] | None = None,
    is_own: bool = False,
    url: str | None = None,
) -> Store:
    """The store that these clients reach, with as many partitions as the settings say.

    `data_dir` is that of the embedded engine, None for another. Raises NotAnArchive.
    """
    sharing, disk = Sharing(settings.max_waiting), DiskSpace(data_dir)
    names = None if names is None else [*names]
    sections = [
        Store.on(
            client_of(clients, settings, number),
            settings,
            disk,
            names=names,
            archive=archive,
            is_own=is_own,
            url=url,
            number=number,
            sharing=sharing,
        )
        for number, archive in zip(
            numbers_of(settings), archives_of(settings, data_dir), strict=True
        )
    ]
    return replace(Store.of(sections), clients=clients)


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

    Of several nodes, what the weakest does. Raises UnsafeEngine, NotYetDurable, LogFull and
    LogUnavailable.
    """
    promise = await promise_of_all(store, store.settings.acknowledgement)
    await store.appender.settle()
    return promise


async def begin_to_serve(store: Store) -> None:
    """Writes down which collections the store has, and logs which it had and does not serve.

    Where the engine takes no writes now, the next start writes it down. Raises LogBroken, what
    `begin` does, and HalfRestored where the store is not complete.
    """
    with suppress(LogUnavailable, LogFull):
        for section in store.sections:
            await refuse_half_restored(section.partition.client, section.keys)
    await begin(store)
    with suppress(LogUnavailable, LogFull):
        await remember(store, store.collections)
        for name, count in (await unnamed_collections(store)).items():
            logger.warning("%s", not_served(name, count))


async def begin(store: Store) -> None:
    """Writes down how many partitions a new store has, before there is anything in it.

    Raises WrongPartitions where another process was faster, with another number; LogUnavailable or
    LogFull where it is to have several and that can't be written down; LogBroken.
    """
    client = store.partition.client
    is_one_engine = all(each.partition.client is client for each in store.sections)
    try:
        await write_down(client, store.settings, is_one_engine=is_one_engine)
    except (LogUnavailable, LogFull):
        if len(store.sections) > 1:
            raise


def not_served(name: str, count: int) -> str:
    """What is said of a collection that has events and is not served."""
    return (
        f"The collection {name} is not served: it has {events_of(count)} and is not among those "
        "that are named (ITEMSTORE_COLLECTIONS). Its data stays as it is."
    )


def events_of(count: int) -> str:
    """A number of events in words."""
    return "1 event" if count == 1 else f"{count:,} events"


async def _refuse_half_restored(places: Sequence[tuple[Redis, StoreKeys]], *, partly: bool) -> None:
    """Raises HalfRestored where a partition says so; with `partly` those that are away may be."""

    async def ask(client: Redis, keys: StoreKeys) -> None:
        if not (partly and len(places) > 1):
            await refuse_half_restored(client, keys)
            return
        with suppress(LogUnavailable, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await refuse_half_restored(client, keys)

    await asyncio.gather(*(ask(*place) for place in places))


async def _in_time(asked: Callable[[], Awaitable[T]]) -> T:
    """What the engine says, asked again while it is away, for PATIENCE at most."""
    until = perf_counter() + PATIENCE
    while True:
        try:
            return await asked()
        except LogUnavailable:
            if perf_counter() > until:
                raise
        await asyncio.sleep(0.1)
