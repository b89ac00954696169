"""A server in this process, with an application that has nothing to do with items."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from itemstore.server.admission import Admission, Limits
from itemstore.server.answer_head import Answer
from itemstore.server.counters import Counters
from itemstore.server.exchange import Exchange
from itemstore.server.protocol import Protocol
from itemstore.server.refusals import Refused
from itemstore.server.served_app import STATE, ServedApp

LIMITS = Limits(
    connections=100, waiting=100, streams=1, unsent_bytes=2**20, read_bytes=1, client_seconds=1
)

PUT = b"PUT /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"


class Quiet(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Any:
        """Captures none."""
        yield


def refused_as(refused: Refused, _request_id: bytes, _method: str) -> Answer:
    """How this application has a client told that its request is not taken."""
    return Answer(refused.refusal, [(b"why", refused.refusal.name.encode())], b"No.")


@dataclass
class Running:
    """A server, and the application in it, which answers /wait when it is told to go on.

    It answers by ASGI, or, where it `is_asked_directly`, with an Answer; a path that begins with
    /asgi by ASGI all the same. `begun` has the path of each request, and `done` that of each whose
    body was there.
    """

    admission: Admission
    goes_on: asyncio.Event
    is_asked_directly: bool = False
    port: int = 0
    begun: list[bytes] = field(default_factory=list)
    done: list[bytes] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request with its body, as its path wants it."""
        if scope["type"] == "lifespan":
            await self.live(scope["state"], receive, send)
            return
        path = scope["raw_path"].removeprefix(b"/asgi")
        if path == b"/who":
            head = {"type": "http.response.start", "status": 200, "headers": []}
            await send(head)
            said = f"{scope['scheme']} {scope['client']}".encode()
            await send({"type": "http.response.body", "body": said})
            return
        answer = await self.answer(path, lambda: None, receive, send)
        if answer is None:
            return
        status, fields, body = answer
        length = (b"content-length", b"%d" % len(body))
        fields = fields if status == 204 else [*fields, length]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    def respond(self, exchange: Exchange) -> Coroutine[Any, Any, Answer | None] | None:
        """What answers a request without messages of ASGI."""
        if exchange.path.startswith(b"/asgi"):
            return None
        return self.answer(exchange.path, exchange.take_body, exchange.receive, exchange.send)

    async def answer(
        self, path: bytes, take_body: Callable[[], bytes | None], receive: Any, send: Any
    ) -> Answer | None:
        """A request's body, or what else its path wants."""
        self.begun.append(path)
        if path == b"/early":
            return Answer(413, [], b"No.")
        if path == b"/wait-first":
            await self.goes_on.wait()
        body = take_body()
        if body is None:
            body = await received(receive)
        if path == b"/wait":
            await self.goes_on.wait()
        self.done.append(path)
        if path == b"/cancel-all":
            asyncio.get_running_loop().call_soon(self.cancel_all)
        if path == b"/raise":
            raise ValueError
        if path in {b"/stream", b"/half"}:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body, "more_body": path == b"/half"})
        if path in {b"/stream", b"/half", b"/nothing"}:
            return None
        if path == b"/no-content":
            return Answer(204, [], b"")
        fields = [(b"one", b"two\r\nlines")] if path == b"/two-lines" else []
        return Answer(200, fields, body * (1_000_000 if path == b"/large" else 1))

    def cancel_all(self) -> None:
        """Cancels what is under way, as uvicorn does at its end."""
        for task in tuple(self.admission.tasks):
            task.cancel(msg="the end")

    async def live(self, state: dict[str, Any], receive: Any, send: Any) -> None:
        """Hands the server what it has to know, when it starts."""
        await receive()
        state[STATE] = ServedApp(
            self.admission,
            refused_as,
            lambda _: [(b"more", b"fields")],
            frozenset({b"/urgent"}),
            self.respond if self.is_asked_directly else None,
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def answers(self, sent: bytes, *, ends: bool = True) -> bytes:
        """All that is answered to these bytes, after which the client may end its half."""
        async with self.connection() as (reader, writer):
            writer.write(sent)
            if ends:
                writer.write_eof()
            return undated(await asyncio.wait_for(reader.read(), 20))

    @asynccontextmanager
    async def connection(
        self,
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def closed(self) -> None:
        """Returns once no connection is open, and a turn of the event loop after that."""
        async with asyncio.timeout(20):
            while self.admission.counters.gauges["connections"]():
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)

    async def waits(self, number: int) -> None:
        """Returns once so many requests wait."""
        async with asyncio.timeout(20):
            while self.admission.waiting != number:
                await asyncio.sleep(0.01)


async def received(receive: Any) -> bytes:
    """All of a body. Raises ConnectionError where the client has left."""
    body, more_body = b"", True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body, more_body = body + message.get("body", b""), message.get("more_body", False)
    return body


def undated(answer: bytes) -> bytes:
    """Answers without their dates, and without the ids of their requests."""
    return re.sub(rb"date: [^\r]* GMT\r\n|x-request-id: [^\r]*\r\n", b"", answer)


def open_ended(answer: bytes) -> bytes:
    """An answer, whether or not it says that the connection ends with it.

    That depends on whether the end of the client's half has come before it.
    """
    return answer.replace(b"connection: close\r\n", b"")


@asynccontextmanager
async def running_with(
    limits: Limits = LIMITS, *, is_asked_directly: bool = False, **options: Any
) -> AsyncIterator[Running]:
    """A server within these limits."""
    running = Running(Admission(limits, Counters()), asyncio.Event(), is_asked_directly)
    config = uvicorn.Config(
        running.app,
        port=0,
        http=Protocol,
        ws="none",
        log_level="critical",
        interface="asgi3",
        **options,
    )
    server = Quiet(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    running.port = server.servers[0].sockets[0].getsockname()[1]
    yield running
    running.goes_on.set()
    server.should_exit = True
    await serving
