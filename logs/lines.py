"""One line of the log: what it has, and how it reads as JSON.

Every line has a time (RFC 3339, UTC, milliseconds), a level, an event, the name of the logger and
the process; `request_id` where a request was being answered, `trace_id` and `span_id` where a
span of that is recorded; then the fields of the event. A value
may be anything that a client sent, and breaks no line.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from itemstore.logs import current_trace
from itemstore.logs.current_request import current_request
from itemstore.logs.tracebacks import whole

_OF_OTHERS = {"asctime", "color_message", "message"}
"""What others add for lines of their own: uvicorn, and formatters of other handlers."""

_LEFT_OUT = _OF_OTHERS.union(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)


class JsonLines(logging.Formatter):
    """Makes a JSON object of each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = line_of(record)
        if (error := error_of(record)) is not None:
            line["exception"] = whole(error)
        return as_json(line)


def time_text(seconds: float) -> str:
    """A time since the epoch as each line has it."""
    whole = int(seconds)
    return f"{second_text(whole)}.{int((seconds - whole) * 1000):03}Z"


@lru_cache(maxsize=2)
def second_text(seconds: int) -> str:
    """The same up to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    """What every line has, in the order in which it is read, and after that what is its own."""
    line: dict[str, Any] = {
        "time": time_text(record.created),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        "logger": record.name,
        "pid": record.process,
    }
    if (named := current_request.get()) is not None:
        line["request_id"] = named.decode("ascii")
    if current_trace.ids is not None:
        line |= current_trace.ids()
    said = record.__dict__
    return line | {name: said[name] for name in said if name not in _LEFT_OUT}


def error_of(record: logging.LogRecord) -> BaseException | None:
    """The error that the record tells of, where there is one."""
    return record.exc_info[1] if record.exc_info else None


def as_json(line: Mapping[str, Any]) -> str:
    """A JSON object in one line of ASCII, whatever the values are."""
    try:
        return _encode(line)
    except (ValueError, TypeError, RecursionError):  # no number, in a circle, no name, too deep
        values = {str(name): _plain(value) for name, value in line.items()}
        return json.dumps(values, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, type(None))):
        return value
    return text_of(value)


def text_of(value: Any) -> str:
    """A value as text, whatever it is."""
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except Exception as error:  # noqa: BLE001 - of a value of anybody's
        return f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"


_encode = json.JSONEncoder(default=text_of, allow_nan=False, separators=(",", ":")).encode
