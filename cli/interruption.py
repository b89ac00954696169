"""SIGINT and SIGTERM: a command ends at once, or where it says so, and clears up after itself."""

from __future__ import annotations

import atexit
import signal
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from itemstore.cli.output import say

SIGNALS = (signal.SIGINT, signal.SIGTERM)

LOOK = 0.05
"""Seconds between two looks whether an interruption is still on its way."""


class Interrupted(SystemExit):
    """A signal ended the command; the exit code is 128 and its number, as a shell has it.

    It is a SystemExit because event loops let that through at once, while asyncio's own handling
    of SIGINT cancels a task: that waits for the next `await`, and redis-py loses it on Python 3.11.
    """

    is_told = False
    """Whether somebody has said what that means for what was under way."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def tell(self, sentence: str) -> None:
        """Says what it means for what was under way."""
        say(sentence)
        self.is_told = True


def heed_signals() -> None:
    """From now on a signal raises Interrupted, wherever the program is; a second one kills it.

    Nothing is lost by the second: the engine stops with the process that started it, however that
    ends.
    """
    _handle(_interrupt)


@contextmanager
def postponed() -> Iterator[Callable[[], None]]:
    """A block that a signal ends only where the function that it gets is called, or at its end."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        noted.append(number)
        _handle(signal.SIG_DFL)

    def check() -> None:
        if noted:
            raise Interrupted(noted[0])

    before = _handle(note)
    try:
        yield check
        check()
    finally:
        if not noted:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def at_once() -> Iterator[Callable[[], None]]:
    """A block that a signal ends at any point, as it would without; there is nothing to check."""
    yield lambda: None


def leave_signals_alone() -> None:
    """Gives signals back to Python's own handling, for a server that has handlers of its own."""
    if signal.SIGINT in _handle(signal.SIG_DFL):
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _handle(signal.SIG_DFL)
    # What was just begun is left where it is, and Python would tell the person at the terminal.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    _raise(number, frame)


def _raise(number: int, frame: FrameType | None) -> None:
    """Raises Interrupted, and again where it got lost.

    A signal may come while a `__del__` or a callback of the garbage collector runs, and Python
    ignores what these raise. Nothing holds the exception then, so it is gone a moment later.
    """
    interruption = Interrupted(number)
    alive = weakref.ref(interruption)

    def look(_: int, frame: FrameType | None) -> None:
        if alive() is None:
            _raise(number, frame)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK, LOOK)
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
    try:
        if not _is_unheard(frame):
            raise interruption
    finally:
        del interruption  # a traceback holds this frame, and must not hold the exception by it


def _is_unheard(frame: FrameType | None) -> bool:
    """Whether what is raised here would be shown as ignored, and be gone."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def _handle(handler: Any) -> dict[signal.Signals, Any]:
    """Sets the handler of both; what they were. One that is ignored stays so, as `nohup` wants."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = {number: was for number, was in before.items() if was is not signal.SIG_IGN}
    for number in heeded:
        signal.signal(number, handler)
    return heeded
