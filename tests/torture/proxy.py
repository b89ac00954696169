"""What stands between a store and its engine, and does to their bytes what networks do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 10.0
"""Seconds for the engine's reply to what is sent to it beside its clients."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What happens to the next piece that goes one way: how much of it arrives, and when.

    `kept` is the part of it that arrives before the connection is cut, 1.0 where it is not cut.
    """

    kept: float = 1.0
    after: float = 0.0


KEPT = 64
"""How many of the last scripts that were called could come a second time."""


@dataclass
class Proxy:
    """Carries bytes between a unix socket of its own and the engine's.

    `calls` are the last requests that came in one piece and call a script.
    """

    engine: Path
    socket: Path
    to_requests: deque[Mishap] = field(default_factory=deque)
    to_replies: deque[Mishap] = field(default_factory=deque)
    calls: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT))
    _listener: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """What a store connects to."""
        return f"unix://{self.socket}"

    async def start(self) -> None:
        """Listens."""
        self._listener = await asyncio.start_unix_server(self._accepted, self.socket)

    async def stop(self) -> None:
        """Ends all connections."""
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def deliver(self, call: bytes) -> bytes:
        """Sends a request to the engine on a connection of its own; the beginning of its reply."""
        reader, writer = await asyncio.open_unix_connection(self.engine)
        with closing(writer):
            writer.write(call)
            async with asyncio.timeout(PATIENCE):
                return await reader.read(1 << 16)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._connected(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(self.engine)
        ways = [
            asyncio.create_task(_carry(reader, to_engine, self.to_requests, self._keep)),
            asyncio.create_task(_carry(from_engine, writer, self.to_replies)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            try:
                await asyncio.gather(*ways, return_exceptions=True)
            finally:
                to_engine.close()  # what was written before still arrives

    def _keep(self, piece: bytes) -> None:
        if piece.startswith(b"*") and b"EVALSHA" in piece[:40]:
            self.calls.append(piece)


def _forget(_: bytes) -> None:
    """Keeps nothing."""


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    mishaps: deque[Mishap],
    keep: Callable[[bytes], None] = _forget,
) -> None:
    """Carries bytes one way until their end, or until a mishap cuts the connection."""
    while piece := await reader.read(1 << 16):
        keep(piece)
        if not mishaps:
            writer.write(piece)
            await writer.drain()
            continue
        mishap = mishaps.popleft()
        await asyncio.sleep(mishap.after)
        writer.write(piece[: int(len(piece) * mishap.kept)])
        await writer.drain()
        if mishap.kept < 1.0:
            return
