"""A proxy that cuts connections, and writers that write meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from tests.server.conftest import Server

WRITERS = 10


@dataclass
class CuttingProxy:
    """Passes bytes on, and breaks connections off at random, also in the middle of an event.

    `cuts` are left to be made. A client waits for `retry` before it comes again; so that a test
    does not take minutes, it hears of 10 ms here. `page` is what the proxy itself answers to
    `GET /page`; what is sent to `POST /seen` is in `seen`.
    """

    upstream: int
    cuts: int
    page: str = ""
    seen: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    chance: random.Random = field(default_factory=lambda: random.Random(2026))
    url: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    connections: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection, in a task of its own."""
        task = asyncio.create_task(self._serve(reader, writer))
        self.connections[task] = writer
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Ends all connections, those included that have not begun."""
        tasks = list(self.connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for the callbacks that close them

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.connections.pop(task).transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /page "):
            await _respond(writer, "text/html", self.page.encode())
        elif head.startswith(b"POST /seen "):
            length = int(httpx.Headers(_fields(head))["content-length"])
            await self.seen.put(await reader.readexactly(length))
            await _respond(writer, "text/plain", b"")
        else:
            await self._pass_on(head, writer)

    async def _pass_on(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            to_server.write(head)
            left = self.chance.randrange(100, 2500) if self.cuts else None
            while data := await from_server.read(1000):
                writer.write(data[:left].replace(b"retry: 1000\n", b"retry: 0010\n"))
                await writer.drain()
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        self._count()
                        return
        finally:
            to_server.transport.abort()

    def _count(self) -> None:
        self.cuts = max(0, self.cuts - 1)
        if self.cuts == 0:
            self.done.set()


@asynccontextmanager
async def cutting(server: Server, cuts: int, page: str = "") -> AsyncIterator[CuttingProxy]:
    """A proxy in front of the server, for the block."""
    proxy = CuttingProxy(urlsplit(server.url).port or 0, cuts, page)
    listener = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.close()


async def write_until(server: Server, enough: asyncio.Event) -> list[str]:
    """Ten writers write until it is enough; the positions of all events, in order."""
    written: list[str] = []

    async def write(client: httpx.AsyncClient, number: int) -> None:
        while not enough.is_set():
            answer = await client.put(f"/items/item-{number}", json={"size": len(written)})
            written.append(answer.headers["event-id"])
            await asyncio.sleep(0.03)

    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        await asyncio.gather(*(write(client, number) for number in range(WRITERS)))
    return sorted(written, key=place)


def place(position: str) -> tuple[int, int]:
    """What positions sort by."""
    milliseconds, number = position.split("-")
    return int(milliseconds), int(number)


async def _respond(writer: asyncio.StreamWriter, media_type: str, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n"
    writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def _fields(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
