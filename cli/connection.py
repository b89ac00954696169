"""The way to the engine for every verb but serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from itemstore.cli.environment import warn_of_misspelt
from itemstore.cli.errors import Stop, told
from itemstore.cli.interruption import Interrupted
from itemstore.engine.connect import connect
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.embedded import EngineError, attach, holds_data
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.codec import MalformedEntry
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.projections.current_items import APPLY
from itemstore.projections.row import MalformedRow
from itemstore.store.settings import PATTERNS_IN_WORDS, Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Connection:
    """A client for the engine, the names of the keys, the log, and the room that it has.

    `is_own` where this command runs the engine itself: then nobody else does, and nobody writes.
    """

    redis: Redis
    keys: Keys
    log: EventLog
    disk: DiskSpace
    is_own: bool = False


def run_connected(
    options: Mapping[str, Any],
    verb: Callable[[Connection], Awaitable[Result]],
    *,
    new: bool = False,
) -> Result:
    """What the verb returns. Raises Stop where the engine can't be had or fails.

    Only with `new` may the data directory be one that has no store yet.
    """

    async def run() -> Result:
        async with connected(checked_settings(options), new=new) as connection:
            return await verb(connection)

    return run_to_end(run)


def run_to_end(run: Callable[[], Awaitable[Result]]) -> Result:
    """What it returns. Raises Stop where the engine can't be had or fails."""

    async def heeding() -> Result:
        asyncio.get_running_loop().set_exception_handler(_but_not_interruptions)
        return await run()

    try:
        return asyncio.run(heeding())
    except (EngineError, LogUnavailable, LogFull, LogBroken, MalformedEntry, MalformedRow) as error:
        raise Stop(told(error)) from None
    except RedisError as error:
        message = f"The engine refuses: {error}"
        raise Stop(message) from None


def _but_not_interruptions(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tells of errors as asyncio does; an interruption may hit a task that nobody waits for."""
    if not isinstance(context.get("exception"), Interrupted):
        loop.default_exception_handler(context)


@asynccontextmanager
async def connected(settings: Settings, *, new: bool = False) -> AsyncIterator[Connection]:
    """A connection to the engine that the settings name.

    Without a URL it is the embedded engine: the one that a `serve` runs on the data directory,
    else one run for the while. Raises Stop.
    """
    if settings.redis_url is not None:
        async with _connection(settings.redis_url, settings, DiskSpace()) as connection:
            yield connection
        return
    if not (new or holds_data(settings.data_dir)):
        message = (
            f"There is no store in {settings.data_dir}: name its directory with --data-dir, or its "
            "engine with --redis-url. `itemstore serve` makes a new one."
        )
        raise Stop(message)
    with attach(settings.data_dir) as engine:
        async with _connection(engine.url, settings, DiskSpace(engine.data_dir)) as connection:
            yield replace(connection, is_own=not engine.is_borrowed)


def checked_settings(options: Mapping[str, Any]) -> Settings:
    """The settings from options and environment. Raises Stop, which names what is wrong."""
    warn_of_misspelt(os.environ)
    try:
        return Settings(**options)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        is_pattern = wrong["type"] == "string_pattern_mismatch"
        sentence = PATTERNS_IN_WORDS[name] if is_pattern else wrong["msg"]
        message = f"--{name.replace('_', '-')} (ITEMSTORE_{name.upper()}): {sentence}."
        raise Stop(message) from None


@asynccontextmanager
async def _connection(url: str, settings: Settings, disk: DiskSpace) -> AsyncIterator[Connection]:
    try:
        redis = connect(url)
    except ValueError as error:
        message = f"--redis-url (ITEMSTORE_REDIS_URL): {error}"
        raise Stop(message) from None
    async with redis:
        keys = Keys(settings.namespace)
        yield Connection(redis, keys, EventLog(redis, keys, APPLY), disk)
