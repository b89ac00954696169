"""An S3 server that is slow, fails, loses answers, takes no writes, or is gone: a proxy before one.

It carries whole requests and answers, one a connection, and can be told at any moment what to do
to them. Tests, the torture and the benchmarks put it before moto's server.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_HEAD = b"HTTP/1.1 %d No\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%b"

_ERROR = b"<Error><Code>%b</Code><Message>On purpose</Message></Error>"

WRITES = {b"PUT", b"POST", b"DELETE"}


@dataclass(slots=True)
class Faults:
    """What is wrong with the server now.

    `seconds` come before each answer. Shares, from 0.0 to 1.0: `failing` requests are answered
    503 and not carried out, `lost` are carried out, and their connection is cut without an answer,
    `torn` likewise, in the middle of the answer. `read_only` refuses all writes, `is_gone` cuts
    every connection at once.
    """

    seconds: float = 0.0
    failing: float = 0.0
    lost: float = 0.0
    torn: float = 0.0
    read_only: bool = False
    is_gone: bool = False


@dataclass
class FaultyS3:
    """Carries requests to the server at `upstream`, a URL, and does `faults` to them.

    `requests` counts what came, by method, whatever was done to it; `last_head` is the head of what
    came last.
    """

    upstream: str
    faults: Faults = field(default_factory=Faults)
    random: random.Random = field(default_factory=random.Random)
    requests: dict[str, int] = field(default_factory=dict)
    last_head: str = ""
    _listener: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port of that."""
        assert self._listener is not None
        return int(self._listener.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, EOFError, asyncio.CancelledError), closing(writer):
                writer.write(await self._answer(reader))
                await writer.drain()
        finally:
            self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        """The answer to a request, nothing where there is none."""
        if self.faults.is_gone:
            return b""
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        method = head.partition(b" ")[0]
        self.requests[method.decode()] = self.requests.get(method.decode(), 0) + 1
        self.last_head = head.decode()
        await asyncio.sleep(self.faults.seconds)
        if self.faults.read_only and method in WRITES:
            return _refusal(403, b"AccessDenied")
        if self.random.random() < self.faults.failing:
            return _refusal(503, b"SlowDown")
        answer = await self._carried(head, body)
        if self.random.random() < self.faults.torn:
            return answer[: self.random.randrange(len(answer))]
        return b"" if self.random.random() < self.faults.lost else answer

    async def _carried(self, head: bytes, body: bytes) -> bytes:
        parts = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        with closing(writer):
            lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            kept = [line for line in lines if not line.lower().startswith(b"connection:")]
            writer.write(b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body)
            return await reader.read()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _refusal(status: int, code: bytes) -> bytes:
    body = _ERROR % code
    return _HEAD % (status, len(body), body)
