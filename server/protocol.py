"""HTTP/1.1 within limits of size, and of how much goes on at once.

httptools reads it, and bounds nothing by itself (docs/decisions/0009).
"""

from __future__ import annotations

import asyncio

import httptools

from itemstore.server.answer_head import lines_of
from itemstore.server.connection import Connection
from itemstore.server.ends import Ends, ends_of
from itemstore.server.exchange import Exchange, Outlet
from itemstore.server.known_heads import MOST_BYTES, KnownHeads
from itemstore.server.phases import AWAITED, BODY, HEAD, REFUSED, SHED
from itemstore.server.proxies import Fields, trusted_proxies
from itemstore.server.refusals import TOO_MANY_WAITING, Refused, too_many_waiting
from itemstore.server.request_head import (
    MOST_HEAD,
    MOST_URL,
    check_size,
    expects_continue,
    path_of,
    read_head,
    too_large,
    unreadable,
    without_root,
    without_upgrade,
)
from itemstore.server.request_id import id_in, new_id

MOST_UNREAD = 65_536
"""Bytes of a body that wait for the application, or of refusals for their client."""

WITH_CONTENT = frozenset({b"PUT", b"POST", b"PATCH"})
"""Methods whose requests wait for the rest of their body, and not for the application."""


class Protocol(Connection):
    """What one client sends, taken for requests. httptools calls the methods `on_…`."""

    _known = KnownHeads()
    """Of this process, as all clients may send the same."""
    _piece = 0
    """Bytes that were received last."""
    _first = 0
    """Bytes of the piece in which the request began."""
    _beside = 0
    """Bytes received since then that are not its body."""
    _due: Exchange | None = None
    """The request to begin with once all that was received is read: often that is all of it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes note of the transport, and of its two ends."""
        super().connection_made(transport)
        self._parser = self._new_parser()
        self._ends = ends_of(transport)
        on_every_body = lines_of(self._served.on_every_body)
        self._outlet = Outlet(
            self.transport, self._state, self._answered, on_every_body, self._root
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of what holds on to the connection."""
        super().connection_lost(exc)
        del self._parser, self._outlet

    def data_received(self, data: bytes) -> None:
        """Reads the next bytes, within one request or several."""
        phase = self._state.phase
        if phase == REFUSED or (phase == AWAITED and self._is_known(data)):
            return
        self._piece = len(data)
        after_upgrade = self._parsed(data)
        if after_upgrade is not None:  # what is raised within `except` has that as its context
            self._decline_upgrade(after_upgrade)
        if self._due is not None:
            exchange, self._due = self._due, None
            if phase == self._state.phase == AWAITED and exchange.keep_alive:
                self._known.learn(data, exchange.fields, bytes(exchange.body))
            if not exchange.is_disconnected:
                self._start(exchange)

    def _parsed(self, data: bytes) -> bytes | None:
        """What follows the wish for another protocol, None where there is none."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._refuse(self._refusal_of(error, data))
        else:
            if self._state.phase:
                self._beside += self._piece
                if self._beside > MOST_HEAD:
                    self._refuse(too_large())
        return None

    def _is_known(self, data: bytes) -> bool:
        """Has a request answered that needs no parser, if these bytes are one."""
        found = self._known.find(data) if len(data) <= MOST_BYTES else None
        if found is None or not self._state.take_whole():
            return False
        method, path, query, known, body = found
        self._headers = known.fields
        path = without_root(path, self._root) if self._root else path
        head = ("1.1", path, query, known.fields, False, new_id(), False)
        self._newest = exchange = Exchange(
            method.decode("ascii"),
            head,
            self._ends,
            self._outlet,
            keep_alive=True,
            by_name=known.by_name,
            body=body,
        )
        self._start(exchange)
        return True

    def on_message_begin(self) -> None:
        """The first byte of a request is there."""
        self._state.begin()
        self._url = b""
        self._headers = []
        self._first = self._piece
        self._beside = -self._piece  # how much of it was before the request is not known

    def on_url(self, url: bytes) -> None:
        """A piece of the target is there."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field is there, or a trailer: that is no header field (RFC 9110 §6.5.1)."""
        if self._state.phase == HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there. Where it raises Refused, the parsing ends."""
        # Nearly every head comes in one small piece, which needs no counting.
        if self._piece + self._first + self._beside > MOST_URL:
            check_size(self._url, self._headers)
        if self._parser.should_upgrade():
            self._state.upgrade()
        elif self._state.admits(self._is_urgent):
            self._begin()
        elif expects_continue(self._headers):
            raise too_many_waiting()

    def on_body(self, body: bytes) -> None:
        """A piece of the body is there."""
        self._beside = -self._piece
        exchange = self._newest
        if self._state.phase == BODY and exchange is not None and not exchange.is_complete:
            self._state.ticks = 0
            exchange.body += body
            if len(exchange.body) > MOST_UNREAD:
                self.transport.pause_reading()
            exchange.wake()

    def on_message_complete(self) -> None:
        """The request has come to its end."""
        phase = self._state.complete()
        if phase == BODY and self._newest is not None:
            self._newest.more_body = False
            self._newest.wake()
        elif phase == SHED:
            self._shed()

    def _is_urgent(self) -> bool:
        path = path_of(self._parser.get_method(), self._url, self._ends.scheme, self._root)
        return path in self._served.urgent_paths

    def _begin(self) -> None:
        """Has the application answer the request, once those before it have their answers."""
        parser, state = self._parser, self._state
        method = parser.get_method()
        version, ends = parser.get_http_version(), self._ends
        head = read_head(method, self._url, version, self._headers, ends.scheme, self._root)
        if head[6]:
            ends = self._through_proxies(head[3])
        is_last = head[0] == "1.0" or state.is_one_too_many or not parser.should_keep_alive()
        self._newest = exchange = Exchange(
            method.decode("ascii"), head, ends, self._outlet, keep_alive=not is_last
        )
        if state.take(has_content=method in WITH_CONTENT):
            self._due = exchange
        else:
            self.transport.pause_reading()
            self._line.append(exchange)

    def _through_proxies(self, fields: Fields) -> Ends:
        """The ends of a request of which a proxy says who sent it: believed if it is trusted."""
        proxies = trusted_proxies(self._trusted_proxies)
        return proxies.ends(self._ends, fields) if proxies.trust(self._ends) else self._ends

    def _shed(self) -> None:
        """Answers in place of the application. The connection goes on."""
        if self.transport.unsent > MOST_UNREAD:  # the client sends, and takes nothing
            raise too_many_waiting()
        method = self._parser.get_method()
        stays = self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0"
        named = id_in(self._headers)
        answer = self._served.answer(TOO_MANY_WAITING, named, method.decode())
        self._count(method.decode(), answer, TOO_MANY_WAITING)
        head = self._head(answer, named, closes=not stays)
        self.transport.write(head if method == b"HEAD" else head + answer.body)
        if not stays:
            self.transport.close()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Goes on as if no other protocol had been asked for (RFC 9110 §7.8).

        httptools takes what follows the head for the other protocol, a body too. Java's client
        asks for HTTP/2 in this way with its first request, whatever that is.
        """
        parser = self._parser
        try:
            head = without_upgrade(
                parser.get_method(), self._url, parser.get_http_version(), self._headers
            )
        except Refused as refused:
            self._refuse(refused)
        else:
            self._parser = self._new_parser()
            self.data_received(head + rest)

    def _refusal_of(self, error: Exception, data: bytes) -> Refused:
        """The one that a callback raised; else the parser could not read what was received."""
        if isinstance(error.__context__, Refused):
            return error.__context__
        is_method_wrong = self._state.phase == HEAD and not self._headers
        return unreadable(data, error, may_be_of_method=is_method_wrong)

    def _new_parser(self) -> httptools.HttpRequestParser:
        """A parser that leaves the version to us, and goes on after `Connection: close`."""
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_version=True)
        return parser
