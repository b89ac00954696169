"""How every verb opens its store, and how it ends where it can't."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from pydantic import ValidationError
from redis.exceptions import RedisError

from itemstore.archive.objects import NotAnArchive
from itemstore.cli import wrong_settings
from itemstore.cli.command_at_work import command_at_work
from itemstore.cli.environment import warn_of_misspelt
from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.variables import given_as, in_words_of
from itemstore.engine.connect import NotAnEngineUrl
from itemstore.logs.set_up import AUTO, CONSOLE, set_up
from itemstore.projections.queries.indexes.declared import NotDeclarable
from itemstore.projections.sql.postgres import NotASqlUrl
from itemstore.store.failures import FAILURES, told
from itemstore.store.named import UnknownName
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings
from itemstore.store.store import Store

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def run_to_end(run: Callable[[], Awaitable[Result]], options: Mapping[str, Any]) -> Result:
    """What it returns. Raises Stop where the store can't be had or fails.

    A setting that is wrong is named as it was given, among the options or elsewhere.
    """

    async def heeding() -> Result:
        asyncio.get_running_loop().set_exception_handler(_but_not_interruptions)
        return await run()

    try:
        return asyncio.run(heeding())
    except MISTAKES as error:
        raise mistaken(error, options) from None
    except FAILURES as error:
        raise Stop(in_words_of(told(error), options)) from None
    except RedisError as error:
        message = f"The engine refuses: {error}"
        raise Stop(message) from None


MISTAKES = (NotAnEngineUrl, NotAnArchive, NotASqlUrl, NotDeclarable, UnknownName)
"""Settings of which it is seen without the store that they are wrong."""

_OF_ONE = {NotAnEngineUrl: "redis_url", NotAnArchive: "archive", NotASqlUrl: "sql_url"}


def mistaken(error: Exception, options: Mapping[str, Any]) -> Stop:
    """What is said of one of MISTAKES."""
    name = _OF_ONE.get(type(error))
    said = (
        in_words_of(str(error), options) if name is None else f"{given_as(name, options)}: {error}"
    )
    return Stop(said, MISUSED)


def _but_not_interruptions(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tells of errors as asyncio does; an interruption may hit a task that nobody awaits."""
    if not isinstance(context.get("exception"), Interrupted):
        loop.default_exception_handler(context)


def opened(
    options: Mapping[str, Any], *, new: bool = False, partly: bool = False
) -> AbstractAsyncContextManager[Store]:
    """The store that the options and the environment name, open for the block.

    Only with `new` may the data directory be one that has no store yet, and only with `partly` the
    nodes of some of several partitions be away. Raises Stop for a wrong
    setting, and one of FAILURES.
    """
    return open_store(checked_settings(options), new=new, partly=partly)


def checked_settings(options: Mapping[str, Any], *, is_served: bool = False) -> Settings:
    """The settings from the environment and from options that are not None.

    From now on what is logged goes out as they say. What another verb than `serve` has to say it
    says by itself, so where nothing else is asked for only warnings are logged, and for people.
    Raises Stop, which names what is wrong.
    """
    if (empty := wrong_settings.told_of_empty(options)) is not None:
        raise Stop(empty, MISUSED)
    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise Stop(wrong_settings.told(error, options), MISUSED) from None
    if is_served:
        set_up(settings.log_format, settings.log_level)
    else:
        level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
        set_up(CONSOLE if settings.log_format == AUTO else settings.log_format, level)
        logger.info("A command has begun", extra={"command": command_at_work.get()})
    warn_of_misspelt(os.environ)
    return settings
