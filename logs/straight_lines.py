"""Lines that are made often: by whoever knows their form, past the records of logging.

A record costs several times as much as its line. So what is logged for each request goes straight
to the output, where that is the only one that would have the record, in JSON. Where somebody else
listens too (an application that has the store in it, pytest), there is none, and a record is made.
"""

from __future__ import annotations

import logging
import os
import time

from itemstore.logs.lines import JsonLines, second_text
from itemstore.logs.output import Output


def straight_to(logger: logging.Logger, level: int) -> Output | None:
    """The output that alone would have what is logged here, in JSON; None where it is not so."""
    if not logger.isEnabledFor(level) or logger.filters:
        return None
    handlers: list[logging.Handler] = []
    each: logging.Logger | None = logger
    while each is not None:
        handlers += each.handlers
        each = each.parent if each.propagate else None
    if len(handlers) != 1:
        return None
    [only] = handlers
    is_plain = isinstance(only, Output) and not only.filters and only.level <= level
    if not is_plain or not isinstance(only.formatter, JsonLines):
        return None
    assert isinstance(only, Output)
    return only


class Beginning:
    """How the lines of one logger begin, at one level: with the time, as text that JSON has."""

    def __init__(self, logger: str, level: int) -> None:
        """`logger` has nothing in its name that JSON would escape."""
        self._level = logging.getLevelName(level).lower()
        self._logger = logger
        self._second = 0
        self._until_second = ""

    def of(self, event: str) -> str:
        """The beginning of a line of now, up to the process."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._until_second = f'{{"time":"{second_text(second)}.'
            self._second = second
        return (
            f'{self._until_second}{int((now - second) * 1000):03}Z","level":"{self._level}",'
            f'"event":"{event}","logger":"{self._logger}","pid":{os.getpid()}'
        )
