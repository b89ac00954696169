"""What makes a function a verb: the options that say which store it is for, and how it is run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from time import monotonic
from typing import Any

import typer

from itemstore.cli.command_at_work import command_at_work
from itemstore.cli.errors import Stop
from itemstore.cli.interruption import Interrupted
from itemstore.cli.options import EnvFile
from itemstore.cli.setting_options import setting_option

logger = logging.getLogger(__name__)

Where = Mapping[str, Any]
"""What the options that are settings say, such as --redis-url; None where not given."""

WHERE = ("redis_url", "data_dir", "namespace", "archive", "log_format", "log_level")
"""The settings that every verb takes as options: which store it is, and what is logged."""

Work = Callable[..., Coroutine[Any, Any, None]]
Command = Callable[..., None]


def verb(work: Work) -> Command:
    """The work as a command that takes, after its own options, those that say which store.

    Typer reads the options from the signature. The work's first argument is what the shared ones
    say. The command raises Stop where the engine can't be had, or fails.
    """
    return verb_with()(work)


def verb_with(*settings: str, tells_interruption: bool = False) -> Callable[[Work], Command]:
    """A verb that takes these settings too, as options; their values are in its first argument.

    With `tells_interruption` one that ends it is told of, also where the verb says nothing of it.
    """

    def decorated(work: Work) -> Command:
        @wraps(work)
        def command(**given: Any) -> None:
            from itemstore.cli.env_file import read_env_file

            read_env_file(given.pop("env_file"))
            where = {name: given.pop(name) for name in (*settings, *WHERE)}
            began = monotonic()
            name = work.__name__.strip("_")
            command_at_work.set(name)
            code: int | None = None  # where a signal ends it
            try:
                from itemstore.cli.opening import run_to_end

                run_to_end(lambda: work(where, **given), where)
                code = 0
            except Interrupted as interruption:
                if tells_interruption and not interruption.is_told:
                    interruption.tell("Interrupted before it was done.")
                raise
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
        shared = shared_parameters((*settings, *WHERE), log_level="warning")
        command.__signature__ = declared.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        return command

    return decorated


def shared_parameters(settings: Iterable[str], **defaults: str) -> list[Parameter]:
    """The parameters that make options of settings, and the one for their file.

    `defaults` has those that are others than the settings have by themselves.
    """
    options = {name: setting_option(name, defaults.get(name)) for name in settings}
    options["env_file"] = EnvFile
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in options.items()
    ]
