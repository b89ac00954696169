"""Functions, and what they return, in which nothing is run by calling them."""

from __future__ import annotations

import inspect
from collections.abc import Callable

UNRUN = "the function returned something that would have to be run"


def check_function(handle: Callable[..., object], *, may_be_awaited: bool = True) -> None:
    """Raises TypeError for one whose events would count as handled, and were not."""
    if inspect.isgeneratorfunction(handle) or inspect.isasyncgenfunction(handle):
        message = "handle is a generator function: nothing in it would be run by a call."
        raise TypeError(message)
    if not may_be_awaited and inspect.iscoroutinefunction(handle):
        message = "handle is a coroutine function: one that writes to SQL is a plain one."
        raise TypeError(message)


def is_unrun(returned: object) -> bool:
    """Whether it is a coroutine or a generator of which nothing was run."""
    if inspect.iscoroutine(returned):
        returned.close()  # so that nobody is warned of it as well
        return True
    return (
        inspect.isawaitable(returned)
        or inspect.isgenerator(returned)
        or inspect.isasyncgen(returned)
    )
