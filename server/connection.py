"""One client's connection: its answers in turn, what its client takes of them, and its end.

What is refused here is refused before a request of the application exists, for a fraction of what
a write costs: that is what keeps the accepted ones fast when too much comes
(docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from collections import deque
from socket import SO_ERROR, SOL_SOCKET
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from itemstore.server.answer_head import CLOSE, Answer, head_of, lines_of
from itemstore.server.connection_state import ConnectionState
from itemstore.server.counters import OTHER
from itemstore.server.eager_task import EagerTask
from itemstore.server.exchange import CONTINUE, Exchange
from itemstore.server.phases import AWAITED, BODY, Step
from itemstore.server.refusals import Overloaded, Refused, cut_short, too_late
from itemstore.server.request_id import NAME as REQUEST_ID
from itemstore.server.request_id import id_in
from itemstore.server.served_app import STATE, ServedApp
from itemstore.server.transport import GatheringTransport


class Connection(asyncio.Protocol):
    """Does what ConnectionState says is due. What the client sends is read by `Protocol`.

    uvicorn makes one for each connection, finds it in `server_state`, and calls `shutdown`.
    """

    transport: GatheringTransport
    _state: ConnectionState

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app = config.loaded_app
        self._keep_alive = config.timeout_keep_alive
        self._root = config.root_path.encode()
        trusted = config.forwarded_allow_ips
        self._trusted_proxies = trusted if isinstance(trusted, str) else ",".join(trusted)
        self._server_state = server_state
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._served: ServedApp = app_state[STATE]
        self._admission = self._served.admission
        self._headers: list[tuple[bytes, bytes]] = []  # of the newest request
        self._newest: Exchange | None = None
        self._running: Exchange | None = None  # the last one that the application was given
        self._line: deque[Exchange] = deque()  # those that wait for that one
        self._refusal = b""
        self._taken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to count the connection, and the time."""
        self.transport = GatheringTransport(transport, self._loop)
        connections, tasks = self._server_state.connections, self._server_state.tasks
        connections.add(self)  # type: ignore[arg-type] # uvicorn lists the classes of its own
        self._admission.watch(connections, tasks, self._loop)
        is_one_too_many = len(connections) > self._admission.most_connections
        self._state = ConnectionState(
            self._admission, self._keep_alive, is_one_too_many=is_one_too_many
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Ends what is under way for the client."""
        self._server_state.connections.discard(self)
        self._admission.unsent.release(self)
        self._line.clear()
        if self._state.is_running and self._running is not None:
            self._running.disconnect()
        self._state.lose()
        self.transport.writable.set()
        self._newest = self._running = None

    def eof_received(self) -> bool:
        """The client has ended its half. Where halves are known, ours stays open."""
        self._take(self._state.end(is_live=self._running is not None and self._running.is_live))
        return self.transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """The client is behind on taking its answers: writers have to wait."""
        self._state.block()
        self.transport.writable.clear()
        self._keep_count()

    def resume_writing(self) -> None:
        """The client has taken what it had."""
        self._state.unblock()
        self.transport.writable.set()
        self._admission.unsent.release(self)
        self._advance()

    def shutdown(self) -> None:
        """The server ends: what was asked for is answered, and nothing more is taken."""
        self._take(self._state.stop())

    def tick(self) -> None:
        """Does what the time that has passed asks for; called every second."""
        untaken, taken = self.transport.unsent > 0, self.transport.taken
        has_taken, self._taken = taken != self._taken, taken
        if untaken and not self._state.is_blocking:
            self._keep_count()
        if not untaken:
            self._admission.unsent.release(self)
        elif has_taken:
            self._admission.unsent.take_note(self)
        running = self._running if self._state.is_running else None
        step = self._state.tick(
            has_untaken=untaken,
            has_taken=has_taken,
            is_paused=self.transport.is_paused,
            is_live=running is not None and running.is_live,
            may_say_more=running is not None and running.may_say_more,
        )
        self._take(step)

    def cut(self) -> None:
        """Closes the connection at once, as its client does not take what is sent."""
        running = self._running if self._state.is_running else None
        is_new = not self.transport.is_closing()  # else it was cut off, and counted, before
        if is_new and running is not None and running.is_stream:
            self._admission.cut("takes nothing")
        self.transport.abort()

    def _take(self, step: Step) -> None:
        """Does what is due."""
        match step:
            case "tell":
                self._tell()
            case "linger":
                self.transport.write_eof()
                self.transport.resume_reading()
            case "refuse as late":
                self._refuse(too_late(self._admission.patience))
            case "refuse as cut short":
                self._refuse(cut_short())
            case "close":
                self.transport.close()
            case "answer and close":
                assert self._newest is not None
                self._newest.keep_alive = False
            case "abort":
                self.transport.abort()
            case "cut":
                self.cut()
            case "look" | "ask":
                self._look_for_reader(asks=step == "ask")

    def _look_for_reader(self, *, asks: bool) -> None:
        if self.transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_ERROR):
            self.transport.abort()
        elif asks:
            self.transport.write(CONTINUE)

    def _start(self, exchange: Exchange, *, in_turn: bool = False) -> None:
        """Has the application answer, `in_turn` of the event loop where it can't be at once."""
        self._running = exchange
        take_over, respond = self._served.take_over, self._served.respond
        tasks: set[Any] = self._server_state.tasks
        if take_over is not None and not in_turn and take_over(exchange, tasks):
            return
        loop = self._loop
        answering = None if respond is None else respond(exchange)
        if answering is None:
            scope = exchange.scope(self._app_state)
            task = loop.create_task(exchange.run(self._app(scope, exchange.receive, exchange.send)))
            task.add_done_callback(tasks.discard)
            tasks.add(task)
            return
        eager = EagerTask(exchange.run(answering), loop, tasks.discard)
        tasks.add(eager)
        if in_turn:
            loop.call_soon(eager.begin)
        else:
            eager.begin()

    def _answered(self) -> None:
        """Goes on, now that the running request has its answer."""
        self._server_state.total_requests += 1
        state = self._state
        state.answered()
        if state.is_blocking:  # only the first of several parts is counted until now
            self._keep_count()
        if self._line or state.has_refusal or self.transport.is_paused:
            self._advance()

    def _advance(self) -> None:
        if self.transport.is_closing():
            return
        step = self._state.advance()
        if step == "nothing":
            return
        if step == "start":
            self._start(self._line.popleft(), in_turn=True)
        else:
            self._take(step)
        self.transport.resume_reading()

    def _refuse(self, refused: Refused) -> None:
        """Answers a refusal, after the answers that are due before it, and then closes."""
        newest, is_within = self._newest, self._state.phase == BODY
        named = self._named()
        step = self._state.refuse(is_begun=newest is not None and newest.is_started)
        if step != "close":
            if newest is not None and is_within:
                if self._line:
                    self._line.pop()
                newest.disconnect()
            answer = self._served.answer(refused, named, "")
            self._refusal = self._head(answer, named, closes=True) + answer.body
            self._count("", answer, refused)
        self._take(step)

    def _tell(self) -> None:
        self.transport.write(self._refusal)
        self._refusal = b""
        self._take(self._state.told())

    def _named(self) -> bytes:
        """The id of the request that is being received; a new one where none has begun."""
        if self._state.phase == BODY and self._newest is not None:
            return self._newest.named
        return id_in(() if self._state.phase == AWAITED else self._headers)

    def _head(self, answer: Answer, named: bytes, *, closes: bool) -> bytes:
        length = (b"content-length", b"%d" % len(answer.body))
        more = (*self._served.fields(self._headers), length, (REQUEST_ID, named))
        own = lines_of((CLOSE, *more) if closes else more)
        return head_of(answer.status, lines_of(answer.headers), own)

    def _count(self, method: str, answer: Answer, refused: Refused) -> None:
        if isinstance(refused, Overloaded):
            self._admission.counters.full.note(refused.limit)
        self._admission.counters.answered(OTHER, method, answer.status, 0.0)

    def _keep_count(self) -> None:
        """Counts what is in memory for the client."""
        running = self._running if self._state.is_running else None
        kept = 0 if running is None else running.kept
        self._admission.unsent.keep(self, self.transport.unsent + kept)
