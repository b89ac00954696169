"""What makes a function a verb: the options that say which store it is for, and how it is run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from inspect import Parameter, signature
from time import monotonic
from typing import Any

import typer

from itemstore.cli.command_at_work import command_at_work
from itemstore.cli.errors import Stop
from itemstore.cli.options import Archive, DataDir, LogFormat, LogLevel, Namespace, RedisUrl

logger = logging.getLogger(__name__)

Where = Mapping[str, Any]
"""What the options say that all verbs have, None where not given."""

WHERE = {
    "redis_url": RedisUrl,
    "data_dir": DataDir,
    "namespace": Namespace,
    "archive": Archive,
    "log_format": LogFormat,
    "log_level": LogLevel,
}


def verb(work: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The work as a command that takes, after its own options, those that say which store.

    Typer reads the options from the signature. The work's first argument is what the shared ones
    say. The command raises Stop where the engine can't be had, or fails.
    """

    @wraps(work)
    def command(**given: Any) -> None:
        from itemstore.cli.opening import run_to_end

        where = {name: given.pop(name) for name in WHERE}
        began = monotonic()
        name = work.__name__.strip("_")
        command_at_work.set(name)
        code: int | None = None  # where a signal ends it
        try:
            run_to_end(lambda: work(where, **given))
            code = 0
        except Stop as stop:
            code = stop.code
            raise
        except typer.Exit as end:
            code = end.exit_code
            raise
        finally:
            told = {"command": name, "code": code, "seconds": round(monotonic() - began, 3)}
            logger.info("A command has ended", extra=told)

    declared = signature(work, eval_str=True)
    own = list(declared.parameters.values())[1:]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in WHERE.items()
    ]
    command.__signature__ = declared.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return command
