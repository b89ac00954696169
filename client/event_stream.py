"""Server-sent events, read as they come: bytes in, events out, wherever the bytes are cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r(?=[\s\S])")
"""A CR at the very end may be the first half of a CRLF."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event that came whole: `id` is the last one that the stream has named so far."""

    id: str
    data: str


class EventStream:
    """One connection's stream. What is left of an event when it ends counts for nothing."""

    def __init__(self) -> None:
        self.retry: float | None = None
        """Seconds after which the server wants a reader to come again."""
        self._rest = b""
        self._id = ""
        self._data: list[str] = []

    def events(self, received: bytes) -> Iterator[StreamEvent]:
        """The events that these bytes complete."""
        *lines, self._rest = _LINE_END.split(self._rest + received)
        for line in lines:
            if line:
                self._take(line.decode())
            elif self._data:
                yield StreamEvent(self._id, "\n".join(self._data))
                self._data = []

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "id":
                self._id = value
            case "retry" if value.isdecimal():
                self.retry = int(value) / 1000
