"""A transport that sends a small answer in one piece, and knows how much of it was taken."""

from __future__ import annotations

import asyncio
from typing import Any

MOST_GATHERED = 65_536
"""At most this many bytes wait for the end of the turn: after that the connection says itself
when it has enough."""


class GatheringTransport:
    """A transport that writes once in a turn of the event loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0
        self._sent = 0
        self.is_paused = False
        self.writable = asyncio.Event()  # not set while the client is behind on taking what is sent
        self.writable.set()
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.abort = transport.abort

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken."""
        return self._size + self._transport.get_write_buffer_size()

    @property
    def taken(self) -> int:
        """Bytes that the client has taken so far."""
        return self._sent - self._transport.get_write_buffer_size()

    def write(self, data: Any) -> None:
        """Sends the data at the end of this turn; at once, and without a copy, what is large."""
        if len(data) > MOST_GATHERED:
            self._flush()
            self._send(data)
            return
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(data)
        self._size += len(data)
        if self._size > MOST_GATHERED:
            self._flush()

    def write_last(self, data: bytes) -> None:
        """Sends the data, after which nothing comes in this turn, with what waits for its end."""
        if self._gathered:
            self.write(data)
        else:
            self._send(data)

    def write_eof(self) -> None:
        """Ends what is sent, after what was written; what the client sends still comes.

        TLS has no such end: there the client reads the length of what it gets.
        """
        self._flush()
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        """Closes the connection, after what was written."""
        self._flush()
        self._transport.close()

    def pause_reading(self) -> None:
        """Takes nothing more from the client for now."""
        if not self.is_paused:
            self.is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Goes on with what the client sends."""
        if self.is_paused:
            self.is_paused = False
            self._transport.resume_reading()

    def _flush(self) -> None:
        if not self._gathered:
            return
        gathered = b"".join(self._gathered)
        self._gathered, self._size = [], 0
        self._send(gathered)

    def _send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._sent += len(data)
            self._transport.write(data)
