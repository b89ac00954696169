"""One client's connection: its answers in turn, what its client takes of them, and its end.

What is refused here is refused before a request of the application exists, for a fraction of what
a write costs: that is what keeps the accepted ones fast when too much comes
(docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from socket import SO_ERROR, SOL_SOCKET
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from itemstore.server.connection_state import (
    AWAITED,
    BODY,
    REFUSED,
    Seen,
    Step,
    after_a_tick,
    after_the_end,
)
from itemstore.server.counters import OTHER
from itemstore.server.exchange import Exchange, head_of
from itemstore.server.refusals import Refused, cut_short, too_late
from itemstore.server.served_app import STATE, Answer, ServedApp
from itemstore.server.transport import GatheringTransport

CLOSE = [(b"connection", b"close")]

WITH_CONTENT = frozenset({"PUT", "POST", "PATCH"})
"""Methods whose requests wait for the rest of their body, and not for the application."""


class Connection(HttpToolsProtocol):
    """A connection whose client is waited for as long as `connection_state` says.

    uvicorn waits for ever. What the client sends is read by `Protocol`.
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
        self._served: ServedApp = app_state[STATE]
        self._admission = self._served.admission
        self._phase = AWAITED
        self._ticks = 0  # in this phase, without anything that counts as progress
        self._taken = 0
        self._ticks_untaken = 0
        self._running: Exchange | None = None  # the last one that the application was given
        self._is_receiving = False
        self._refusal = b""
        self._is_one_too_many = False
        self._has_ended = False  # the client: it sends no more, and may still read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio calls it."""
        super().connection_made(GatheringTransport(transport, self.loop))
        self._admission.watch(self.connections, self.tasks, self.loop)
        self._is_one_too_many = len(self.connections) > self._admission.most_connections

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._phase = AWAITED
        if self._is_receiving:
            self._has_received()
        self._admission.unsent.release(self)
        self.pipeline.clear()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True  # the base class knows of the newest one only
            running.message_event.set()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """As asyncio calls it, where the client has ended its half. It may still read."""
        self._has_ended = True
        self._ticks = 0
        self._take(after_the_end(self._seen()))
        return self.scheme != "https"  # which knows no halves

    def pause_writing(self) -> None:
        """As asyncio calls it, where the client is behind on taking its answers."""
        super().pause_writing()
        self._keep_count()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        super().resume_writing()
        self._admission.unsent.release(self)
        self._start_next()

    def on_response_complete(self) -> None:
        """As uvicorn calls it. Idle connections are closed by `tick`, not by a timer each."""
        self.server_state.total_requests += 1
        self._ticks = 0
        if self._is_receiving:
            self._has_received()
        if self.flow.write_paused:  # only the first of several parts is counted until now
            self._keep_count()
        if (self.pipeline or self._refusal or self.flow.read_paused) and (
            not self.transport.is_closing()
        ):
            self._start_next()

    def tick(self) -> None:
        """Does what the time that has passed asks for; called every second."""
        has_untaken = self._has_untaken()
        self._ticks += 1
        seen = self._seen(has_untaken=has_untaken)
        step = after_a_tick(seen, self._admission.patience, self.timeout_keep_alive)
        if step != "go on":
            self._take(step)

    def cut(self) -> None:
        """Closes the connection at once, as its client does not take what is sent."""
        running = self._running
        is_new = not self.transport.is_closing()  # else it was cut off, and counted, before
        if is_new and running is not None and running.is_stream and self._is_running:
            self._admission.cut("takes nothing")
        self.transport.abort()

    def _seen(self, *, has_untaken: bool = False) -> Seen:
        running = self._running if self._is_running else None
        return Seen(
            phase=self._phase,
            ticks=self._ticks,
            ticks_untaken=self._ticks_untaken,
            has_untaken=has_untaken,
            has_ended=self._has_ended,
            has_asked=self.cycle is not None,
            is_answering=self._is_answering,
            is_running=running is not None,
            is_live=running is not None and running.is_live,
            may_say_more=running is not None and running.may_say_more,
            has_refusal=bool(self._refusal),
            is_one_too_many=self._is_one_too_many,
            is_paused=self.flow.read_paused,
        )

    def _take(self, step: Step) -> None:
        match step:
            case "count anew":
                self._ticks = 0
            case "refuse as late":
                self._refuse(too_late(self._admission.patience))
            case "refuse as cut short":
                self._refuse(cut_short())
            case "close":
                self.transport.close()
            case "abort":
                self.transport.abort()
            case "cut":
                self.cut()
            case "look" | "ask":
                self._look_for_reader(asks=step == "ask")
            case "answer and close":
                self.cycle.keep_alive = False

    def _look_for_reader(self, *, asks: bool) -> None:
        if self.transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_ERROR):
            self.transport.abort()
        elif asks:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_running(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _start(self, cycle: Exchange) -> None:
        self._running = cycle
        if cycle.more_body and cycle.scope["method"] in WITH_CONTENT:
            self._is_receiving = True
            self._admission.receiving += 1
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
            self._start(cast("Exchange", cycle))
        elif self._refusal:
            self._send_refusal()
        self.flow.resume_reading()

    def _has_received(self) -> None:
        """Ends the wait of the running request for its body."""
        self._is_receiving = False
        self._admission.receiving -= 1

    def _refuse(self, refused: Refused) -> None:
        """Answers a refusal, after the answers that are due before it, and then closes."""
        phase, cycle = self._phase, self.cycle
        self._phase = REFUSED
        self._ticks = 0
        is_next = not self._is_answering
        if phase == BODY:
            if cycle.response_started:  # it has its answer, or a part of it
                self.transport.close()
                return
            if self._is_receiving:
                self._has_received()
            if self.pipeline:
                self.pipeline.popleft()
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
            is_next = not self.pipeline and (self._running is cycle or not self._is_running)
        answer = self._served.answer(refused)
        self._refusal = self._head(answer, closes=True) + answer.body
        self._count("", answer)
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

    def _head(self, answer: Answer, *, closes: bool) -> bytes:
        more = self._served.fields(self.headers or ())
        length = (b"content-length", b"%d" % len(answer.body))
        return head_of(answer.status, (*answer.fields, *(CLOSE if closes else ()), *more, length))

    def _count(self, method: str, answer: Answer) -> None:
        self._admission.counters.answered(OTHER, method, answer.status, 0.0)

    def _has_untaken(self) -> bool:
        """Whether the client has yet to take something; counts the ticks in which it does not."""
        untaken, taken = self.transport.unsent > 0, self.transport.taken
        self._ticks_untaken = self._ticks_untaken + 1 if untaken and taken == self._taken else 0
        if untaken and not self.flow.write_paused:
            self._keep_count()
        if not untaken:
            self._admission.unsent.release(self)
        elif taken != self._taken:
            self._admission.unsent.take_note(self)
        self._taken = taken
        return untaken

    def _keep_count(self) -> None:
        """Counts what is in memory for the client."""
        kept = self._running.kept if self._running is not None and self._is_running else 0
        self._admission.unsent.keep(self, self.transport.unsent + kept)
