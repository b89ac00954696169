"""One request, and the answer that the application gives to it.

An answer whose length is known leaves in one piece, where it is small (docs/decisions/0009).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from itemstore.logs.current_request import current_request
from itemstore.server.answer_head import CLOSE, Answer, Fields, head_of, lines_of
from itemstore.server.connection_state import ConnectionState
from itemstore.server.ends import Ends
from itemstore.server.fields_by_name import FieldsByName, fields_by_name
from itemstore.server.request_head import Head
from itemstore.server.request_id import NAME as REQUEST_ID
from itemstore.server.transport import MOST_GATHERED, GatheringTransport

logger = logging.getLogger(__name__)

EVENT_STREAM = b"text/event-stream"
"""The media type of an answer that is live: it has no end."""

CHUNKED = (b"transfer-encoding", b"chunked")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_NAMED = b"%b: %%b\r\n" % REQUEST_ID

_NAMED_AND_LAST = _NAMED + lines_of([CLOSE])

_WITHOUT_BODY = frozenset({204, 304})

_FAILED = Answer(500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error")

NAMED = "itemstore.request_id"
"""Under this name the scope has the id of a request, which this server adds to the answer."""

_ASGI = {"version": "3.0", "spec_version": "2.3"}


class Outlet(NamedTuple):
    """Where the answers to one client go, and who is told when one is complete.

    `on_every_body` are the lines of header fields of every Answer that has a body, `root` is what
    stands in front of every path.
    """

    transport: GatheringTransport
    state: ConnectionState
    on_complete: Callable[[], None]
    on_every_body: bytes
    root: bytes


class InParts(Protocol):
    """An answer that is sent in parts, by ASGI."""

    async def send(self, receive: Any, send: Any, *, with_body: bool) -> None:
        """Sends all of them."""


class Exchange:
    """A request, and the answer to it: by ASGI's two callables, or as one Answer.

    `path` is as it was sent, percent-encoded, after `root`; names of `fields` are in lower case,
    and `by_name` has the same, which other requests may share. A `body` is given where all of it is
    there, and else comes in parts. The client `is_expectant` while it waits for 100 Continue.
    `kept` is how many bytes of the answer its sender has in memory, besides what was written,
    `is_stream` whether it is one that has no length, and `is_live` whether it has no end either.
    `named` is the id of the request, as it is sent.
    """

    __slots__ = (
        "_chunked", "_left", "_news", "_on_complete", "_on_every_body", "_start", "_state",
        "_transport", "_waits", "body", "by_name", "ends", "fields", "has_news", "is_complete",
        "is_disconnected", "is_expectant", "is_live", "is_started", "is_stream", "keep_alive",
        "kept", "method", "more_body", "named", "path", "query", "root", "version",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        head: Head,
        ends: Ends,
        outlet: Outlet,
        *,
        keep_alive: bool,
        by_name: FieldsByName | None = None,
        body: bytes | None = None,
    ) -> None:
        self.method = method
        self.version, self.path, self.query, self.fields, self.is_expectant, self.named, _ = head
        self.by_name = fields_by_name(self.fields) if by_name is None else by_name
        self.ends = ends
        self._transport, self._state, self._on_complete, self._on_every_body, root = outlet
        self.root = root.decode() if root else ""
        self.keep_alive = keep_alive
        # What has come of it, and was not received yet.
        self.body: bytes | bytearray = bytearray() if body is None else body
        self.more_body = body is None
        self.has_news = body is not None
        self._news: asyncio.Event | None = None
        self.is_disconnected = False
        self.is_started = False
        self.is_complete = False
        self.is_stream = False
        self.is_live = False
        self.kept = 0
        self._start: Any = None  # the head, which waits for the first part of the body
        self._waits = True  # for the client, before each part
        self._chunked = False
        self._left: int | None = None  # bytes of the body, where its length was told

    @property
    def request_id(self) -> str:
        """The id of the request."""
        return self.named.decode("ascii")

    @property
    def may_say_more(self) -> bool:
        """Whether an interim answer may go out: to HTTP/1.1, before the answer."""
        return not self.is_started and self.version != "1.0"

    def take_body(self) -> bytes | None:
        """The body, once, where all of it came without a word; None where it is to be received."""
        if not self._is_body_there:
            return None
        body, self.body = bytes(self.body), b""  # a connection may be idle for long
        return body

    def has_whole_body(self, most: int) -> bool:
        """Whether all of a body of at most so many bytes came without a word."""
        return self._is_body_there and len(self.body) <= most

    @property
    def _is_body_there(self) -> bool:
        return not (self.more_body or self.is_expectant or self.is_disconnected)

    async def has_left(self) -> bool:
        """Whether the client has left."""
        return self.is_disconnected

    def scope(self, app_state: dict[str, Any]) -> dict[str, Any]:
        """The request as ASGI has it."""
        raw_path = self.root.encode() + self.path if self.root else self.path
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": self.version,
            "server": self.ends.server,
            "client": self.ends.client,
            "scheme": self.ends.scheme,
            "method": self.method,
            "root_path": self.root,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": self.query,
            "headers": [*self.fields],
            "state": app_state.copy(),
            NAMED: self.request_id,
        }

    async def run(self, answering: Coroutine[Any, Any, Answer | InParts | None]) -> None:
        """Has the application answer: with what it gives, or, where that is None, by `send`."""
        current_request.set(self.named)  # in the context of the task, which is this request's own
        try:
            answer = await answering
            if isinstance(answer, Answer):
                if self._state.is_blocking:
                    await self._until_writable()
                self._send_answer(answer)
            elif answer is not None:
                await answer.send(self.receive, self.send, with_body=self.method != "HEAD")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            self.fail(error)
        else:
            if not self.is_complete and not self.is_disconnected:
                self.fail(None)

    def answer(self, answer: Answer) -> None:
        """Sends the answer to a request that has not got any yet. Raises nothing."""
        try:
            self._send_answer(answer)
        except Exception as error:  # noqa: BLE001 - as in run
            self.fail(error)

    def fail(self, error: BaseException | None) -> None:
        """Answers that there is no answer, and why in the log; ends the connection."""
        logger.error("The application did not complete an answer", exc_info=error)
        if self.is_started:
            self._transport.close()
            return
        self._start = None
        self._chunked = False
        self.keep_alive = False
        self._send_answer(_FAILED)

    def disconnect(self) -> None:
        """Has the application told that its client is gone; nothing more is sent."""
        self.is_disconnected = True
        self.is_expectant = False
        self.wake()

    def wake(self) -> None:
        """Has `receive` give what is new."""
        self.has_news = True
        if self._news is not None:
            self._news.set()

    async def receive(self) -> dict[str, Any]:
        """The next part of the body, or that nobody waits for more of an answer."""
        if self.is_expectant and not self._transport.is_closing():
            self._transport.write(CONTINUE)
            self.is_expectant = False
        if not self.is_disconnected and not self.is_complete:
            if self._transport.is_paused:
                self._transport.resume_reading()
            if not self.has_news:
                if self._news is None:
                    self._news = asyncio.Event()
                self._news.clear()
                await self._news.wait()
            self.has_news = False
        if self.is_disconnected or self.is_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Any) -> None:
        """Takes a message of ASGI; the head of an answer with a length waits for its body."""
        if message["type"] == "http.response.start":
            if self.is_started or self._start is not None:
                raise RuntimeError("The answer was begun before.")
            if self._begins_whole(message):
                self._start = message
            else:
                await self._begin_parts(message)
            return
        start, is_last = self._start, not message.get("more_body", False)
        if start is None:
            self.kept = message.get("kept", 0)
        if self._waits:
            await self._until_writable()
        if self.is_disconnected:
            return
        body = message.get("body", b"")
        if start is None:
            self._send_part(body, is_last=is_last)
        elif is_last:
            self._send_at_once(self._head(start), body)
        else:
            self._send_head(start)
            # Where all of it is there, waiting for the client would free nothing.
            self._waits = "is_whole" not in message
            self.is_stream = self._waits
            self._left = int(start["headers"][-1][1])
            self._send_part(body, is_last=False)

    def _begins_whole(self, start: Any) -> bool:
        """Whether the body comes with the next message: its length is the last field then."""
        headers = start["headers"]
        return (
            bool(headers)
            and headers[-1][0] == b"content-length"
            and start["status"] not in _WITHOUT_BODY
            and self.method != "HEAD"
        )

    async def _until_writable(self) -> None:
        """Waits where the client is behind on taking its answers."""
        if self._state.is_blocking and not self.is_disconnected:
            await self._transport.writable.wait()

    async def _begin_parts(self, start: Any) -> None:
        """Sends a head at once. A body without a length ends with the connection in HTTP/1.0."""
        fields = start["headers"]
        await self._until_writable()
        if self.is_disconnected:
            return
        self.is_live = (b"content-type", EVENT_STREAM) in fields
        if start["status"] in _WITHOUT_BODY:
            self._left = 0
        elif self.method != "HEAD":
            length = next((value for name, value in fields if name == b"content-length"), None)
            self._left = None if length is None else int(length)
            self._chunked = length is None and self.version != "1.0"
        self.is_stream = True
        self._send_head(start)

    def _send_answer(self, answer: Answer) -> None:
        """Sends an answer; to HEAD without its body, Content-Length all the same (§8.6)."""
        if self.is_disconnected:
            return
        status, fields, body = answer
        own = (_NAMED if self.keep_alive else _NAMED_AND_LAST) % self.named
        if status in _WITHOUT_BODY:
            head, body = head_of(status, lines_of(fields), own), b""
        else:
            of_body = b"%bcontent-length: %d\r\n" % (self._on_every_body, len(body))
            head = head_of(status, lines_of(fields), of_body, own)
        self.is_started = True
        self._send_at_once(head, b"" if self.method == "HEAD" else body)

    def _send_at_once(self, head: bytes, body: bytes) -> None:
        if len(body) > MOST_GATHERED:
            self._transport.write(head)
            self._transport.write(body)
        else:
            self._transport.write_last(head + body)
        self._complete()

    def _send_head(self, start: Any) -> None:
        self._transport.write(self._head(start))
        self._start = None

    def _head(self, start: Any) -> bytes:
        fields = start["headers"]
        own: Fields = () if self.keep_alive else (CLOSE,)
        if self._chunked:
            own = (*own, CHUNKED)
        if not any(name == REQUEST_ID for name, _ in fields):  # a middleware may have named it
            own = (*own, (REQUEST_ID, self.named))
        head = head_of(start["status"], lines_of(fields), lines_of(own))
        self.is_started = True
        self.is_expectant = False
        return head

    def _send_part(self, body: bytes, *, is_last: bool) -> None:
        if not self.is_started or self.is_complete:
            raise RuntimeError("A part of a body comes after its head, and before its end.")
        if self.method == "HEAD":
            body = b""
        elif self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                raise RuntimeError("The body has not the length that its head told.")
        if self._chunked:
            end = b"0\r\n\r\n" if is_last else b""
            body = b"%x\r\n%b\r\n%b" % (len(body), body, end) if body else end
        if body:
            self._transport.write(body)
        if is_last:
            self._complete()

    def _complete(self) -> None:
        self.is_complete = True
        if self._news is not None:
            self.wake()
        if not self.keep_alive:
            self._transport.close()
        self._on_complete()
