"""uvicorn's HTTP protocol within limits: of size, of time, and of how much goes on at once.

httptools bounds nothing by itself, and uvicorn waits for ever. What is refused here is refused
before a request of the application exists, for a fraction of what a write costs: that is what
keeps the accepted ones fast when too much comes (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from socket import SO_ERROR, SOL_SOCKET
from typing import Any, NoReturn, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from api.cors import CrossOrigin
from api.cycle import Cycle, date
from api.problems import Problem
from api.reply import NOSNIFF, Headers, Reply, problem_reply
from api.request_head import (
    check_codings,
    check_host,
    is_host,
    is_of_unknown_method,
    spoken_version,
    target_of,
    unknown_method,
)
from api.tally import OTHER
from api.traffic import Traffic, overloaded
from api.transport import GatheringTransport

MOST_URL = 8_000
"""Bytes of a path with its query: what RFC 9110 §4.1 wants to be possible."""

MOST_HEAD = 32_768
"""Bytes of a request line and its header fields, or of what is between the pieces of a body."""

MOST_PIPELINED = 100
"""Requests of one connection that wait for the answer to the one before."""

LINGER = 2
"""Ticks that a refused client has to read why, before the connection is closed."""

PROBED = 2
"""Ticks after which a client that ended its half is asked whether it is there: once."""

WITH_CONTENT = frozenset({"PUT", "POST", "PATCH"})
"""Methods whose requests wait for the rest of their body, and not for the application."""

EVEN_WHEN_FULL = frozenset({b"/livez", b"/readyz", b"/metrics"})
"""Who watches the process must see it most when there is too much to do."""

AWAITED, HEAD, BODY, SHED, UPGRADE, REFUSED = range(6)
"""Where a connection is: between requests, within one, or after the last."""

CLOSE = [(b"connection", b"close")]

_HEEDED = frozenset({b"host", b"expect", b"transfer-encoding"})
"""Header fields that say how the request is to be read."""

_ASGI: Any = {"version": "3.0", "spec_version": "2.3"}

_TOO_MANY_REQUESTS = problem_reply(overloaded("Too many requests are waiting."), None)


class _Stop(Exception):
    """Ends the parsing of what was received."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 by httptools, one client's connection.

    What runs for each request is done here, and not by the base class (docs/decisions/0009).
    """

    transport: GatheringTransport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = self._new_parser()
        self._traffic: Traffic = app_state["traffic"]
        self._cross_origin: CrossOrigin | None = app_state["cross_origin"]
        self._phase = AWAITED
        self._ticks = 0  # in this phase, without anything that counts as progress
        self._piece = 0  # bytes that were received last
        self._first = 0  # bytes of the piece in which the request began
        self._beside = 0  # bytes received since then that are not its body
        self._hosts = 0
        self._host = b""
        self._codings: list[bytes] = []
        self._taken = 0
        self._ticks_untaken = 0
        self._running: Cycle | None = None  # the last one that the application was given
        self._is_receiving = False
        self._refusal = b""
        self._is_one_too_many = False
        self._has_ended = False  # the client: it sends no more, and may still read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio calls it."""
        super().connection_made(GatheringTransport(transport, self.loop))
        self._traffic.watch(self.connections, self.tasks, self.loop)
        self._is_one_too_many = len(self.connections) > self._traffic.most_connections

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._phase = AWAITED
        self._has_received()
        self._traffic.unsent.release(self)
        self.pipeline.clear()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True  # the base class knows of the newest one only
            running.message_event.set()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """As asyncio calls it, where the client is behind on taking its answers."""
        super().pause_writing()
        self._keep_count()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        super().resume_writing()
        self._traffic.unsent.release(self)
        self._start_next()

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        if self._phase == REFUSED:
            return
        self._piece = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if self._phase != REFUSED:
                self._refuse(self._unreadable(data, error))
        else:
            if self._phase:
                self._beside += self._piece
                if self._beside > MOST_HEAD:
                    self._refuse(_too_large())

    def eof_received(self) -> bool:  # type: ignore[override]
        """As asyncio calls it, where the client has shut its half. It may still read.

        Whether it does can't be told from this. A live stream has no end, so it ends here; all
        else is answered, and `tick` finds out whether anybody is there (docs/decisions/0022).
        """
        self._has_ended = True
        self._ticks = 0
        if self._phase == REFUSED:
            if not self._refusal:
                self.transport.close()
        elif self._phase:
            sentence = "The connection ended before the request did."
            self._refuse(Problem("malformed-request", sentence))
        elif not self._is_answering or self._is_live:
            self.transport.close()
        else:
            self.cycle.keep_alive = False
        return self.scheme != "https"  # which knows no halves

    def on_message_begin(self) -> None:
        """As httptools calls it."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._hosts = 0
        self._host = b""
        self._codings = []
        self._phase = HEAD
        self._ticks = 0
        self._first = self._piece
        self._beside = -self._piece  # how much of it was before the request is not known

    def on_header(self, name: bytes, value: bytes) -> None:
        """As httptools calls it, for a trailer too: that is no header field (RFC 9110 §6.5.1)."""
        if self._phase != HEAD:
            return
        name = name.lower()
        if name in _HEEDED:
            self._heed(name, value)
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """As httptools calls it."""
        # Nearly every head comes in one small piece, which needs no counting.
        if self._piece + self._first + self._beside > MOST_URL:
            self._check_head()
        self._ticks = 0
        if self.parser.should_upgrade():
            self._phase = UPGRADE
            return
        if self._is_one_too_many and self._path not in EVEN_WHEN_FULL:
            self._stop(overloaded("Too many connections are open."))
        if self._traffic.is_full and not self._is_answering and self._path not in EVEN_WHEN_FULL:
            self._phase = SHED
            if self.expect_100_continue:
                self._stop(overloaded("Too many requests are waiting."))
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            self._stop(overloaded(f"More than {MOST_PIPELINED} requests wait on one connection."))
        self._begin()

    def on_body(self, body: bytes) -> None:
        """As httptools calls it."""
        self._beside = -self._piece
        if self._phase == BODY:
            cycle = self.cycle
            if cycle.response_complete:
                return
            self._ticks = 0
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """As httptools calls it."""
        phase, self._phase = self._phase, AWAITED
        if phase == BODY:
            self._has_received()
            self.cycle.more_body = False
            self.cycle.message_event.set()
        elif phase == SHED:
            self._shed()

    def on_response_complete(self) -> None:
        """As uvicorn calls it. Idle connections are closed by `tick`, not by a timer each."""
        self.server_state.total_requests += 1
        self._ticks = 0
        self._has_received()
        if self.flow.write_paused:  # only the first of several parts is counted until now
            self._keep_count()
        if (self.pipeline or self._refusal or self.flow.read_paused) and (
            not self.transport.is_closing()
        ):
            self._start_next()

    def tick(self) -> None:
        """Closes the connection where its client took too long; called every second."""
        patience = self._traffic.patience
        untaken = self._has_untaken()
        self._ticks += 1
        if untaken and self._ticks_untaken > patience:
            self.cut()
        elif self._has_ended and self._is_running:
            self._look_for_reader()
        elif self._phase == REFUSED or (self._is_one_too_many and not self._is_answering):
            if not self._refusal and self._ticks > LINGER:
                self.transport.abort()
        elif self._phase:
            self._wait_for_request(patience)
        elif self._is_answering or untaken:
            self._ticks = 0
        elif self._ticks > (patience if self.cycle is None else self.timeout_keep_alive):
            self.transport.close()

    def cut(self) -> None:
        """Closes the connection at once, as its client does not take what is sent."""
        running = self._running
        is_new = not self.transport.is_closing()  # else it was cut off, and counted, before
        if is_new and running is not None and running.is_stream and self._is_running:
            self._traffic.cut("takes nothing")
        self.transport.abort()

    def _wait_for_request(self, patience: float) -> None:
        if self.flow.read_paused:  # it is not the client who waits
            self._ticks = 0
        elif self._ticks > patience:
            sentence = f"The request did not come within {patience} seconds."
            self._refuse(Problem("request-timeout", sentence))

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_running(self) -> bool:
        return self._running is not None and not self._running.response_complete

    @property
    def _is_live(self) -> bool:
        return self._running is not None and self._running.is_live and self._is_running

    @property
    def _path(self) -> bytes:
        if self.url[:1] == b"/":
            return self.url.partition(b"?")[0]
        try:
            return target_of(self.parser.get_method(), self.url, self.scheme or "http")[0]
        except Problem:
            return b""

    def _look_for_reader(self) -> None:
        """Finds out whether a client that ended its half is still there.

        TCP says so only in answer to something: to 100 Continue, which changes nothing
        (RFC 9110 §15.2), where the answer itself takes long.
        """
        cycle = cast("Cycle", self._running)
        if self._is_live:
            self.transport.close()
        elif self.transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_ERROR):
            self.transport.abort()
        elif self._ticks == PROBED and cycle.may_say_more:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _has_untaken(self) -> bool:
        """Whether the client has yet to take something; counts the ticks in which it does not."""
        untaken, taken = self.transport.unsent > 0, self.transport.taken
        self._ticks_untaken = self._ticks_untaken + 1 if untaken and taken == self._taken else 0
        if untaken and not self.flow.write_paused:
            self._keep_count()
        if not untaken:
            self._traffic.unsent.release(self)
        elif taken != self._taken:
            self._traffic.unsent.take_note(self)
        self._taken = taken
        return untaken

    def _keep_count(self) -> None:
        """Counts what is in memory for the client."""
        kept = self._running.kept if self._is_running and self._running is not None else 0
        self._traffic.unsent.keep(self, self.transport.unsent + kept)

    def _begin(self) -> None:
        """Has the application answer the request, once those before it have their answers."""
        parser, before = self.parser, self.cycle
        version, method = parser.get_http_version(), parser.get_method()
        try:
            if version != "1.1":
                version = spoken_version(version)
            if self._codings:
                check_codings(self._codings)
            if self._hosts != 1 or not is_host(self._host):
                check_host(self._hosts, self._host, version)
            path, query, host = target_of(method, self.url, self.scheme or "http")
        except Problem as problem:
            self._stop(problem)
        if host is not None:  # the field does not count then (RFC 9112 §3.2.2)
            self.headers = [field for field in self.headers if field[0] != b"host"]
            self.headers.append((b"host", host))
        self.scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,  # type: ignore[typeddict-item]
            "method": method.decode("ascii"),
            "root_path": self.root_path,
            "path": self.root_path + unquote(path.decode("ascii")),
            "raw_path": self.root_path.encode() + path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        self.cycle = cycle = Cycle(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            [],
            asyncio.Event(),
            self.expect_100_continue and version != "1.0",
            version != "1.0" and parser.should_keep_alive() and not self._is_one_too_many,
            self.on_response_complete,
        )
        self._phase = BODY
        if (before is None or before.response_complete) and not self.flow.write_paused:
            self._start(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _heed(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            self._hosts += 1
            self._host = value
        elif name == b"transfer-encoding":
            self._codings.append(value)
        elif value.lower() == b"100-continue":
            self.expect_100_continue = True

    def _unreadable(self, data: bytes, error: Exception) -> Problem:
        if self._phase == HEAD and not self.headers and is_of_unknown_method(data):
            return unknown_method()
        sentence = f"This can't be read as a request of HTTP/1.1: {error}."
        return Problem("malformed-request", sentence)

    def _new_parser(self) -> httptools.HttpRequestParser:
        """A parser that leaves the version to us, and goes on after `Connection: close`."""
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_version=True)
        return parser

    def _start(self, cycle: Cycle) -> None:
        self._running = cycle
        if cycle.more_body and cycle.scope["method"] in WITH_CONTENT:
            self._is_receiving = True
            self._traffic.receiving += 1
        self._start_asgi_task(cycle, self.app)

    def _start_next(self) -> None:
        """Goes on with what waits for the answer that was given, or for the client to take it.

        A request that waits to be answered because of its client must not count as one that the
        application has yet to answer.
        """
        if self.flow.write_paused or self._is_running:
            return
        if self.pipeline:
            cycle, _ = self.pipeline.pop()
            self._start(cast("Cycle", cycle))
        elif self._refusal:
            self._send_refusal()
        self.flow.resume_reading()

    def _has_received(self) -> None:
        """Ends the wait of the running request for its body, if it has waited."""
        if self._is_receiving:
            self._is_receiving = False
            self._traffic.receiving -= 1

    def _check_head(self) -> None:
        if len(self.url) > MOST_URL:
            sentence = f"The URL has {len(self.url)} bytes; {MOST_URL} are allowed."
            self._stop(Problem("uri-too-long", sentence))
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if len(self.url) + fields > MOST_HEAD:
            self._stop(_too_large())

    def _decline_upgrade(self, rest: bytes) -> None:
        """Goes on as if no other protocol had been asked for (RFC 9110 §7.8).

        httptools takes what follows the head for the other protocol, a body too. Java's client
        asks for HTTP/2 in this way with its first request, whatever that is.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            sentence = "CONNECT is for proxies, and this is none."
            self._refuse(Problem("malformed-request", sentence))
            return
        head = [method, b" ", self.url, b" HTTP/%s\r\n" % self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        self.parser = self._new_parser()
        self.data_received(b"".join([*head, b"\r\n", rest]))

    def _shed(self) -> None:
        """Answers 503 in place of the application. The connection goes on."""
        if self.transport.unsent > HIGH_WATER_LIMIT:  # the client sends, and takes nothing
            self._stop(overloaded("Too many requests are waiting."))
        method = self.parser.get_method()
        stays = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        self._count(method.decode(), _TOO_MANY_REQUESTS, "overloaded")
        head = self._head(_TOO_MANY_REQUESTS, [] if stays else CLOSE)
        self.transport.write(head if method == b"HEAD" else head + _TOO_MANY_REQUESTS.body)
        if not stays:
            self.transport.close()

    def _stop(self, problem: Problem) -> NoReturn:
        """Refuses the request that is being parsed. Raises _Stop."""
        self._refuse(problem)
        raise _Stop

    def _refuse(self, problem: Problem) -> None:
        """Answers a problem, after the answers that are due before it, and then closes."""
        phase, cycle = self._phase, self.cycle
        self._phase = REFUSED
        self._ticks = 0
        reply = problem_reply(problem, None)
        self._refusal = self._head(reply, CLOSE) + reply.body
        is_next = not self._is_answering
        if phase == BODY:
            if cycle.response_started:  # it has its answer, or a part of it
                self.transport.close()
                return
            self._has_received()
            if self.pipeline:
                self.pipeline.popleft()
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
            is_next = not self.pipeline and (self._running is cycle or not self._is_running)
        self._count("", reply, problem.type.slug)
        if is_next:
            self._send_refusal()

    def _send_refusal(self) -> None:
        # Closed at once, with more to come from the client, TCP would take the answer back.
        self.transport.write(self._refusal)
        self._refusal = b""
        if self._has_ended:
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._ticks = 0

    def _head(self, reply: Reply, headers: Headers) -> bytes:
        lines = [STATUS_LINE[reply.status]]
        for name, value in (date(), *reply.headers, *headers, *self._for_scripts()):
            lines += [name, b": ", value, b"\r\n"]
        lines.append(b"%b: %b\r\ncontent-length: %d\r\n\r\n" % (*NOSNIFF, len(reply.body)))
        return b"".join(lines)

    def _for_scripts(self) -> Headers:
        """What lets a script of an allowed origin read the answer."""
        if self._cross_origin is None:
            return []
        origin = next((value for name, value in self.headers or () if name == b"origin"), None)
        return self._cross_origin.fields(None if origin is None else origin.decode("latin-1"))

    def _count(self, method: str, reply: Reply, slug: str) -> None:
        self._traffic.tally.answered(OTHER, method, reply.status, 0.0)
        self._traffic.tally.problems[slug] += 1


def _too_large() -> Problem:
    sentence = f"The request line and the header fields have more than {MOST_HEAD} bytes."
    return Problem("headers-too-large", sentence)
