"""The store that settings name, opened: for one command, or for a process that serves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from itemstore.engine.clients import Clients, clients_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.durability import Durability
from itemstore.engine.embedded import attach, embedded_in, holds_data, run, run_in_turn
from itemstore.engine.patience import answered
from itemstore.engine.version import check_version
from itemstore.eventlog.side_by_side import SECONDS, in_time
from itemstore.store.archive_place import archive_of, archives_of
from itemstore.store.beginning import begun, promise_of, reach
from itemstore.store.half_restored import refuse_half_restored
from itemstore.store.known_collections import names_for_a_command
from itemstore.store.layout import client_of, keys_of, numbers_of, with_partitions
from itemstore.store.nodes import away_from
from itemstore.store.settings import Settings
from itemstore.store.sharing import Sharing
from itemstore.store.start_warnings import warn_of_stale_reads, warn_of_writes
from itemstore.store.store import Store

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds for which a process that starts waits for its engine."""

COMMAND_SECONDS = 30.0
"""How long each of several partitions may take to answer a command: clients of commands ask again
for as long as a failover lasts."""


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
            first, *_ = numbers_of(settings)
            client, keys = client_of(clients, settings, first), keys_of(settings, first)
            if settings.redis_url is not None:
                await check_version(client)
            names = names or await names_for_a_command(client, keys, settings)
            store = store_on(clients, settings, data_dir, names=names, is_own=is_own)
            if not half_restored:
                await _refuse_half_restored(store, partly=partly)
            yield store


@asynccontextmanager
async def open_to_serve(
    settings: Settings, names: Iterable[str] | None = None
) -> AsyncIterator[Store]:
    """The store for a process that serves it: it asks no replica, and waits for nothing for long.

    `names` are those of its collections, where the settings don't say.

    Without a URL the embedded engine runs for the block. What the engine promises is logged, and
    waited for where it is just being started again; of several partitions, only the first has to
    answer. Raises NotAnEngineUrl, NotAnArchive, WrongPartitions, EngineError, UnsafeEngine,
    HalfRestored and LogUnavailable.
    """
    with engine_for(settings) as url:
        async with clients_of(url, is_served=True) as clients:
            settings = await answered(lambda: with_partitions(clients, settings), PATIENCE)
            data_dir = embedded_in(settings.data_dir, url)
            store = store_on(clients, settings, data_dir, names=names, url=url)
            away = await answered(lambda: reach(store), PATIENCE)
            _tell(await answered(lambda: promise_of(store, away), PATIENCE))
            await warn_of_writes(store, away)
            await warn_of_stale_reads(store, away)
            async with begun(store, away):
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


async def _refuse_half_restored(store: Store, *, partly: bool) -> None:
    """Raises HalfRestored where a partition says so; with `partly` those that are away may be."""
    if not store.has_partitions:
        await refuse_half_restored(store.partition.client, store.keys)
        return
    seconds = SECONDS if partly else COMMAND_SECONDS
    asked = (
        in_time(refuse_half_restored(each.partition.client, each.keys), seconds)
        for each in store.sections
    )
    found = enumerate(await asyncio.gather(*asked))
    errors = {number: error for number, error in found if error is not None}
    if errors and not partly:
        raise away_from(store, errors)


def _tell(promise: Durability) -> None:
    told = {"fsync": promise.fsync, "meaning": promise.sentence}
    if promise.is_on_disk:
        logger.info("What is acknowledged is on the engine's disk", extra=told)
    else:
        logger.warning("What is acknowledged may not be on the engine's disk", extra=told)
