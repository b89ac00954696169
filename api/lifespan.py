"""What runs for as long as the application does: the engine, and the work beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter

from redis.asyncio import Redis

from itemstore.api.context import Context
from itemstore.engine.connect import connect_to_primary
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.durability import Acknowledgement, Durability, durability
from itemstore.engine.embedded import embedded_in, run
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.writable import check_writable
from itemstore.projections.runner import Runner
from itemstore.server.stop_signal import on_stop_signal
from itemstore.store.settings import Settings

logger = logging.getLogger("itemstore")

PATIENCE = 10.0
"""Seconds for which a process that starts waits for its engine."""


@asynccontextmanager
async def engine_of(settings: Settings) -> AsyncIterator[tuple[Redis, DiskSpace]]:
    """A client of the engine that the settings name, and the room that this has, for the block.

    Where they name none, the embedded one runs for that long. Raises EngineError, UnsafeEngine and
    LogUnavailable.
    """
    async with _engine_url(settings) as url:
        redis = connect_to_primary(url)
        try:
            promise = await _promise(redis, settings, Acknowledgement.of(settings.durability))
            log = logger.info if promise.is_on_disk else logger.warning
            log("Durability (fsync %s): %s", promise.fsync, promise.sentence)
            await _warn(Partition(redis, Keys(settings.namespace)))
            yield redis, DiskSpace(embedded_in(settings.data_dir, url))
        finally:
            await redis.aclose()


async def _promise(redis: Redis, settings: Settings, wanted: Acknowledgement) -> Durability:
    """What the engine promises; waited for where it is just being started again.

    Raises UnsafeEngine, and LogUnavailable after PATIENCE.
    """
    until = perf_counter() + PATIENCE
    while True:
        try:
            return await durability(redis, Keys(settings.namespace).writer("settle"), wanted)
        except LogUnavailable:
            if perf_counter() > until:
                raise
        await asyncio.sleep(0.1)


async def _warn(partition: Partition) -> None:
    """Logs why no write would be taken now, or that the log is ahead. Raises UnsafeEngine."""
    try:
        end = await check_writable(partition)
    except (LogUnavailable, LogFull, LogBroken) as error:
        logger.warning("No write would be taken now: %s", error)
    else:
        if end.sentence is not None:
            logger.warning(end.sentence)


@asynccontextmanager
async def running(context: Context) -> AsyncIterator[None]:
    """What goes on beside the requests: projections follow the log, streams end in time."""
    store = context.store
    with suppress(LogUnavailable, LogFull):  # then the first to read it does this
        await store.log.identity()
    tasks = [
        asyncio.create_task(Runner(store.partition, context.projections, store.disk).run()),
        asyncio.create_task(context.processes.keep_publishing()),
        asyncio.create_task(context.health.keep_settling()),
    ]
    try:
        with on_stop_signal(context.feed.close):
            yield
    finally:
        context.feed.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _engine_url(settings: Settings) -> AsyncIterator[str]:
    if settings.redis_url is not None:
        yield settings.redis_url
    else:
        with run(settings.data_dir) as engine:
            yield engine.url
