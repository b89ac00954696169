"""uvicorn's HTTP protocol within limits of size, and of how much goes on at once.

httptools bounds nothing by itself. What runs for each request is done here, and not by uvicorn
(docs/decisions/0009).
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from itemstore.server.connection import Connection
from itemstore.server.connection_state import AWAITED, BODY, HEAD, REFUSED, SHED, UPGRADE
from itemstore.server.exchange import Exchange
from itemstore.server.refusals import TOO_MANY_WAITING, Overloaded, Refused
from itemstore.server.request_head import (
    MOST_HEAD,
    MOST_URL,
    check_size,
    expects_continue,
    path_of,
    read_head,
    too_large,
    unreadable,
    without_upgrade,
)

MOST_PIPELINED = 100
"""Requests of one connection that wait for the answer to the one before."""

_ASGI: Any = {"version": "3.0", "spec_version": "2.3"}


class Protocol(Connection):
    """HTTP/1.1 by httptools: what one client sends, taken for requests."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = self._new_parser()
        self._raw_root = self.root_path.encode()
        self._piece = 0  # bytes that were received last
        self._first = 0  # bytes of the piece in which the request began
        self._beside = 0  # bytes received since then that are not its body

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
            self._refuse(self._refusal_of(error, data))
        else:
            if self._phase:
                self._beside += self._piece
                if self._beside > MOST_HEAD:
                    self._refuse(too_large())

    def on_message_begin(self) -> None:
        """As httptools calls it."""
        self.url = b""
        self.headers = []
        self._phase = HEAD
        self._ticks = 0
        self._first = self._piece
        self._beside = -self._piece  # how much of it was before the request is not known

    def on_header(self, name: bytes, value: bytes) -> None:
        """As httptools calls it, for a trailer too: that is no header field (RFC 9110 §6.5.1)."""
        if self._phase != HEAD:
            return
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """As httptools calls it. It ends the parsing where Refused is raised."""
        # Nearly every head comes in one small piece, which needs no counting.
        if self._piece + self._first + self._beside > MOST_URL:
            check_size(self.url, self.headers)
        self._ticks = 0
        if self.parser.should_upgrade():
            self._phase = UPGRADE
            return
        if self._is_one_too_many and not self._is_urgent:
            raise Overloaded("Too many connections are open.")
        if self._admission.is_full and not self._is_answering and not self._is_urgent:
            self._phase = SHED
            if expects_continue(self.headers):
                raise Overloaded("Too many requests are waiting.")
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            raise Overloaded(f"More than {MOST_PIPELINED} requests wait on one connection.")
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
            if self._is_receiving:
                self._has_received()
            self.cycle.more_body = False
            self.cycle.message_event.set()
        elif phase == SHED:
            self._shed()

    @property
    def _is_urgent(self) -> bool:
        path = path_of(self.parser.get_method(), self.url, self.scheme or "http")
        return path in self._served.urgent_paths

    def _begin(self) -> None:
        """Has the application answer the request, once those before it have their answers."""
        parser, before = self.parser, self.cycle
        method = parser.get_method()
        version, path, query, fields, is_expectant = read_head(
            method, self.url, parser.get_http_version(), self.headers, self.scheme or "http"
        )
        decoded = path.decode("ascii")
        self.scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,  # type: ignore[typeddict-item]
            "method": method.decode("ascii"),
            "root_path": self.root_path,
            "path": self.root_path + (unquote(decoded) if "%" in decoded else decoded),
            "raw_path": self._raw_root + path,
            "query_string": query,
            "headers": fields,
            "state": self.app_state.copy(),
        }
        self.cycle = cycle = Exchange(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            self.access_log,
            [],
            asyncio.Event(),
            is_expectant,
            version != "1.0" and parser.should_keep_alive() and not self._is_one_too_many,
            self.on_response_complete,
        )
        self._phase = BODY
        if (before is None or before.response_complete) and not self.flow.write_paused:
            self._start(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _shed(self) -> None:
        """Answers 503 in place of the application. The connection goes on."""
        if self.transport.unsent > HIGH_WATER_LIMIT:  # the client sends, and takes nothing
            raise Overloaded("Too many requests are waiting.")
        method = self.parser.get_method()
        stays = self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        answer = self._served.answer(TOO_MANY_WAITING)
        self._count(method.decode(), answer)
        head = self._head(answer, closes=not stays)
        self.transport.write(head if method == b"HEAD" else head + answer.body)
        if not stays:
            self.transport.close()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Goes on as if no other protocol had been asked for (RFC 9110 §7.8).

        httptools takes what follows the head for the other protocol, a body too. Java's client
        asks for HTTP/2 in this way with its first request, whatever that is.
        """
        parser = self.parser
        try:
            head = without_upgrade(
                parser.get_method(), self.url, parser.get_http_version(), self.headers
            )
        except Refused as refused:
            self._refuse(refused)
        else:
            self.parser = self._new_parser()
            self.data_received(head + rest)

    def _refusal_of(self, error: Exception, data: bytes) -> Refused:
        """The one that a callback raised; else the parser could not read what was received."""
        if isinstance(error.__context__, Refused):
            return error.__context__
        return unreadable(data, error, may_be_of_method=self._phase == HEAD and not self.headers)

    def _new_parser(self) -> httptools.HttpRequestParser:
        """A parser that leaves the version to us, and goes on after `Connection: close`."""
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_version=True)
        return parser
