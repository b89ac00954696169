"""What makes a function a verb: the options that say which store it is for, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any

from itemstore.cli.options import Archive, DataDir, Namespace, RedisUrl

Where = Mapping[str, Any]
"""What --redis-url, --data-dir, --namespace and --archive say, None where not given."""

WHERE = {
    "redis_url": RedisUrl,
    "data_dir": DataDir,
    "namespace": Namespace,
    "archive": Archive,
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
        run_to_end(lambda: work(where, **given))

    declared = signature(work, eval_str=True)
    own = list(declared.parameters.values())[1:]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in WHERE.items()
    ]
    command.__signature__ = declared.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return command
