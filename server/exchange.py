"""A request and its answer as uvicorn keeps them, with whole answers sent in one piece.

uvicorn looks at each header field of an answer with two regular expressions, and writes head and
body one after the other: 5 of the 60 µs that a write costs. An answer whose length is known leaves
here in one piece, looked at once (docs/decisions/0009).
"""

from __future__ import annotations

from time import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from itemstore.server.http_date import http_date
from itemstore.server.served_app import Fields
from itemstore.server.transport import MOST_GATHERED

EVENT_STREAM = (b"content-type", b"text/event-stream")

_WITHOUT_BODY = frozenset({204, 304})


class Exchange(RequestResponseCycle):
    """One request and its answer.

    `kept` is how many bytes of it its sender has in memory, besides what was written, `is_stream`
    whether it is one that has no length, and `is_live` whether it has no end either.
    """

    kept = 0
    is_stream = False
    is_live = False
    _start: Any = None
    _is_in_parts = False

    @property
    def may_say_more(self) -> bool:
        """Whether an interim answer may go out: to HTTP/1.1, before the answer."""
        return not self.response_started and self.scope["http_version"] != "1.0"

    async def send(self, message: Any) -> None:
        """Takes a message of ASGI; the head of a whole answer waits for its body."""
        start = self._start
        if start is not None and not message.get("more_body", False):
            if self.flow.write_paused and not self.disconnected:
                await self.flow.drain()
            if not self.disconnected:
                self._send_whole(start, message.get("body", b""))
        elif self._is_in_parts or (start is not None and "is_whole" in message):
            await self._send_part(start, message)
        elif start is not None:  # in pieces all the same
            self._start = None
            await super().send(start)
            await super().send(message)
        elif message["type"] == "http.response.start" and self._begins_whole(message):
            self._start = message
        else:
            self._prepare(message)
            self.kept = message.get("kept", 0)
            await super().send(message)

    async def send_500_response(self) -> None:
        """As uvicorn calls it, where the application ended without an answer."""
        self._start = None
        await super().send_500_response()

    def _prepare(self, message: Any) -> None:
        """Has uvicorn send pieces as they are to a client of HTTP/1.0, which knows no chunks."""
        is_old = self.scope["http_version"] == "1.0"
        if message["type"] == "http.response.start":
            self.is_stream = True
            self.default_headers = [date()]
            self.is_live = EVENT_STREAM in message["headers"]
            self.chunked_encoding = False if is_old else None
        elif is_old:
            self.expected_content_length = len(message.get("body", b""))

    def _begins_whole(self, start: Any) -> bool:
        """Whether the whole body comes with the next message: its length is the last field."""
        headers, status = start["headers"], start["status"]
        return (
            bool(headers)
            and headers[-1][0] == b"content-length"
            and status not in _WITHOUT_BODY
            and self.scope["method"] != "HEAD"
        )

    async def _send_part(self, start: Any, message: Any) -> None:
        """Takes a part of a body that is all there: waiting for the client would free nothing."""
        if start is not None and self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if start is not None:
            self._send_head(start)
            self._start, self._is_in_parts = None, True
            self.response_started = True
            self.waiting_for_100_continue = False
        self.transport.write(message["body"])
        if not message.get("more_body", False):
            self._complete()

    def _send_whole(self, start: Any, body: bytes) -> None:
        if len(body) > MOST_GATHERED:
            self._send_head(start)
            self.transport.write(body)
        else:
            self.transport.write(self._head(start) + body)
        self.response_started = True
        self.waiting_for_100_continue = False
        self._complete()

    def _send_head(self, start: Any) -> None:
        self.transport.write(self._head(start))

    def _head(self, start: Any) -> bytes:
        lines = [b"%b: %b\r\n" % field for field in (date(), *start["headers"])]
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        if not head.count(b"\r") == head.count(b"\n") == len(lines):
            self._start = None
            message = "A header field has a line break in it."
            raise RuntimeError(message)
        return b"".join((STATUS_LINE[start["status"]], head, b"\r\n"))

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def head_of(status: int, fields: Fields) -> bytes:
    """The head of an answer that goes out now, with these fields after Date."""
    lines = [b"%b: %b\r\n" % field for field in (date(), *fields)]
    return b"".join((STATUS_LINE[status], *lines, b"\r\n"))


def date() -> tuple[bytes, bytes]:
    """The Date field of an answer that goes out now: never before its Last-Modified."""
    return b"date", http_date(int(time()))
