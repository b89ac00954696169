"""One line of the log for a person at a terminal, where a traceback is below it.

This alone imports structlog, for what that costs: docs/decisions/0085.
"""

from __future__ import annotations

import logging
from typing import Any

from structlog.dev import ConsoleRenderer

from itemstore.logs.lines import error_of, line_of, text_of
from itemstore.logs.terminal_text import escaped
from itemstore.logs.tracebacks import for_people

_AS_IT_IS = (bool, int, float, type(None), BaseException)


class ConsoleLines(logging.Formatter):
    """Makes a line for people of each record."""

    def __init__(self, *, in_colour: bool) -> None:
        super().__init__()
        self._rendered = ConsoleRenderer(
            colors=in_colour, sort_keys=False, timestamp_key="time", pad_event_to=0
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {escaped(str(name)): _shown(value) for name, value in line_of(record).items()}
        if (error := error_of(record)) is not None:
            line["exception"] = for_people(error)
        return self._rendered(None, "", line)


def _shown(value: Any) -> Any:
    """A value with what a terminal would obey, or hide, written out."""
    if isinstance(value, _AS_IT_IS):
        return value
    return escaped(value if isinstance(value, str) else text_of(value))
