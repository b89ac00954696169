"""One line of the log: as JSON for machines, or for a person at a terminal.

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

from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from itemstore.logs import current_trace
from itemstore.logs.current_request import current_request
from itemstore.logs.terminal_text import escaped
from itemstore.logs.tracebacks import for_people, whole

_DROPPED = frozenset({"asctime", "color_message", "exc_info", "message", "stack_info"})
"""What others add for lines of their own: uvicorn, and formatters of other handlers."""

_OF_EVERY_RECORD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)

_AS_IT_IS = (bool, int, float, type(None))


def json_lines() -> logging.Formatter:
    """What makes a JSON object of each record."""
    return JsonLines(
        foreign_pre_chain=[ExtraAdder()], processors=[_with_all, _with_whole_traceback, _as_json]
    )


class JsonLines(ProcessorFormatter):
    """As its processors do; a record without a traceback at a quarter of the cost.

    Each request has such a line where they are logged.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        if record.exc_info or record.args or record.stack_info:
            return super().format(record)
        said = record.__dict__
        fields = {name: said[name] for name in said if name not in _OF_EVERY_RECORD}
        return as_json(_line(record, str(record.msg), fields))


def console_lines(*, in_colour: bool) -> logging.Formatter:
    """What makes a line for people of each record; a traceback is below it."""
    from structlog.dev import ConsoleRenderer  # noqa: PLC0415 - of a terminal only

    rendered = ConsoleRenderer(
        colors=in_colour, sort_keys=False, timestamp_key="time", pad_event_to=0
    )
    chain: list[Processor] = [_with_all, _visible, _with_traceback_for_people, rendered]
    return ProcessorFormatter(foreign_pre_chain=[ExtraAdder()], processors=chain)


def time_text(seconds: float) -> str:
    """A time since the epoch as each line has it."""
    whole = int(seconds)
    return f"{second_text(whole)}.{int((seconds - whole) * 1000):03}Z"


@lru_cache(maxsize=2)
def second_text(seconds: int) -> str:
    """The same up to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _with_all(_logger: Any, _name: str, fields: EventDict) -> EventDict:
    """What every line has, in the order in which it is read, and the fields after it."""
    record: logging.LogRecord = fields.pop("_record")
    del fields["_from_structlog"]
    error = fields.get("exc_info")
    line = _line(record, fields.pop("event"), fields)
    if error:
        line["exception"] = error[1]
    return line


def _line(record: logging.LogRecord, event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "time": time_text(record.created),
        "level": record.levelname.lower(),
        "event": event,
        "logger": record.name,
        "pid": record.process,
    }
    if (named := current_request.get()) is not None:
        line["request_id"] = named.decode("ascii")
    if current_trace.ids is not None:
        line |= current_trace.ids()
    return line | {name: value for name, value in fields.items() if name not in _DROPPED}


def _with_whole_traceback(_logger: Any, _name: str, line: EventDict) -> EventDict:
    if isinstance(line.get("exception"), BaseException):
        line["exception"] = whole(line["exception"])
    return line


def _with_traceback_for_people(_logger: Any, _name: str, line: EventDict) -> EventDict:
    if isinstance(line.get("exception"), BaseException):
        line["exception"] = for_people(line["exception"])
    return line


def _visible(_logger: Any, _name: str, line: EventDict) -> EventDict:
    """Names and values with what a terminal would obey, or hide, written out."""
    return {escaped(str(name)): _shown(value) for name, value in line.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, (*_AS_IT_IS, BaseException)):
        return value
    return escaped(value if isinstance(value, str) else _text(value))


def _as_json(_logger: Any, _name: str, line: Mapping[str, Any]) -> str:
    return as_json(line)


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
    return _text(value)


def _text(value: Any) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except Exception as error:  # noqa: BLE001 - of a value of anybody's
        return f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"


_encode = json.JSONEncoder(default=_text, allow_nan=False, separators=(",", ":")).encode
