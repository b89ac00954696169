"""HTTP/1.1 over a socket of one's own: a client that knows when an answer is lost, and is quick."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

PATIENCE = 10.0
"""Seconds after which an answer that did not come is a hang."""


class NotSent(Exception):
    """There was no connection, so the server can't know of the request."""


class Lost(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its header fields by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """One connection at a time to whatever listens at a port, made again when it is lost."""

    def __init__(self) -> None:
        self._port = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, port: int, method: str, path: str, headers: Mapping[str, str], body: str = ""
    ) -> Reply:
        """The reply. Raises NotSent, Lost, and TimeoutError for a hang."""
        if port != self._port:
            self.close()
        reader, writer = await self._connected(port)
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        content = body.encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{fields}"
        head += f"content-length: {len(content)}\r\n\r\n"
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(head.encode() + content)
                reply = await read_reply(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise TimeoutError if isinstance(error, TimeoutError) else Lost from error
        except BaseException:
            self.close()
            raise
        if reply.headers.get("connection") == "close":
            self.close()
        return reply

    async def _connected(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", port)
            except OSError as error:
                raise NotSent from error
            self._port = port
        return self._streams

    def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """The next answer. Raises OSError, IncompleteReadError where it ends before its end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines if line)
    headers = {name.lower(): value for name, value in pairs}
    status = int(first.split(" ")[1])
    length = 0 if status in {204, 304} else int(headers.get("content-length", 0))
    return Reply(status, headers, await reader.readexactly(length))
