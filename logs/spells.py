"""What may happen very often: it is logged when it begins, and then how often it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Protocol


class Tell(Protocol):
    """Logs how often it was, in how many seconds."""

    def __call__(self, count: int, seconds: float) -> None:
        """Logs it."""


class Spell:
    """Times in which something happens, told when one begins and when it is over.

    One is over when it has not happened for `quiet` seconds. Where it goes on, `goes_on` is told
    each `quiet` seconds how often it was in these, if that is given. Noting it costs next to
    nothing. It wants a running event loop.
    """

    def __init__(
        self,
        begins: Callable[[], None],
        ends: Tell | None = None,
        *,
        goes_on: Tell | None = None,
        quiet: float,
    ) -> None:
        self._begins, self._ends, self._goes_on = begins, ends, goes_on
        self._quiet = quiet
        self._count = 0
        self._counted = 0
        self._since = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def note(self) -> None:
        """It has happened."""
        self._count += 1
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # an application may be used in several, as by tests
            self._loop = loop
            self._count, self._counted, self._since = 1, 1, monotonic()
            self._begins()
            loop.call_later(self._quiet, self._look)

    def _look(self) -> None:
        new = self._count - self._counted
        if new and self._loop is not None:
            if self._goes_on is not None:
                self._goes_on(new, self._quiet)
            self._counted = self._count
            self._loop.call_later(self._quiet, self._look)
            return
        self._loop = None
        if self._ends is not None:
            self._ends(self._count, round(monotonic() - self._since - self._quiet, 3))
