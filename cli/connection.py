"""The way to the engine for every verb but serve."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic import ValidationError
from redis.exceptions import RedisError

from itemstore.cli.environment import warn_of_misspelt
from itemstore.cli.errors import Stop, told
from itemstore.cli.interruption import Interrupted
from itemstore.engine.connect import connect
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.embedded import EngineError, attach, holds_data
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.codec import MalformedEntry
from itemstore.projections.row import MalformedRow
from itemstore.store.settings import PATTERNS_IN_WORDS, Settings
from itemstore.store.store import Store

Result = TypeVar("Result")


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
async def opened(options: Mapping[str, Any], *, new: bool = False) -> AsyncIterator[Store]:
    """The store that the options and the environment name, open for the block. Raises Stop.

    Only with `new` may the data directory be one that has no store yet.
    """
    async with connected(checked_settings(options), new=new) as store:
        yield store


@asynccontextmanager
async def connected(settings: Settings, *, new: bool = False) -> AsyncIterator[Store]:
    """The store that the settings name.

    Without a URL it is the embedded engine: the one that a `serve` runs on the data directory,
    else one run for the while. Raises Stop.
    """
    if settings.redis_url is not None:
        async with _opened(settings.redis_url, settings, DiskSpace()) as store:
            yield store
        return
    if not (new or holds_data(settings.data_dir)):
        message = (
            f"There is no store in {settings.data_dir}: name its directory with --data-dir, or its "
            "engine with --redis-url. `itemstore serve` makes a new one."
        )
        raise Stop(message)
    with attach(settings.data_dir) as engine:
        disk = DiskSpace(engine.data_dir)
        async with _opened(engine.url, settings, disk, is_own=not engine.is_borrowed) as store:
            yield store


def checked_settings(options: Mapping[str, Any]) -> Settings:
    """The settings from the environment and from options that are not None.

    Raises Stop, which names what is wrong.
    """
    warn_of_misspelt(os.environ)
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        is_pattern = wrong["type"] == "string_pattern_mismatch"
        sentence = PATTERNS_IN_WORDS[name] if is_pattern else wrong["msg"]
        message = f"--{name.replace('_', '-')} (ITEMSTORE_{name.upper()}): {sentence}."
        raise Stop(message) from None


@asynccontextmanager
async def _opened(
    url: str, settings: Settings, disk: DiskSpace, *, is_own: bool = False
) -> AsyncIterator[Store]:
    try:
        redis = connect(url)
    except ValueError as error:
        message = f"--redis-url (ITEMSTORE_REDIS_URL): {error}"
        raise Stop(message) from None
    async with redis:
        yield Store.on(redis, settings, disk, is_own=is_own)
