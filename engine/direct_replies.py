"""Replies taken from a connection's transport as they come, past redis-py's own way to read.

That way is a StreamReader, a parser and four layers of coroutines for each command; see
docs/decisions/0108.
"""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
from redis.exceptions import InvalidResponse

_INCOMPLETE = EOFError()

_FOR_REDIS_PY = (EOFError, hiredis.ReplyError, hiredis.PushNotification)
"""What redis-py has a way of its own with: the rest of a reply that is long, errors, messages."""


class DirectReplies(asyncio.Protocol):
    """Stands in front of the protocol through which redis-py reads from a transport.

    What comes first after a command was sent from here is looked at here. All that is not simply
    its reply goes on to redis-py, which reads it as if nobody stood in front.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._transport = writer.transport
        self._behind: Any = self._transport.get_protocol()
        self._transport.set_protocol(self)
        self._asked: asyncio.Future[bytes] | None = None
        self._reader = _reader()

    @classmethod
    def over(cls, connection: Any) -> DirectReplies | None:
        """In front of an open connection; None for that of a fake, which has no transport."""
        writer = connection._writer  # noqa: SLF001 - redis-py has no other way to it
        return cls(writer) if isinstance(writer, asyncio.StreamWriter) else None

    def is_of(self, connection: Any) -> bool:
        """Whether the connection is open, and was not opened again since."""
        is_same: bool = connection._writer is self._writer  # noqa: SLF001 - as above
        return is_same and not self._transport.is_closing()

    async def ask(self, packed: bytes, commands: int) -> list[Any] | None:
        """The replies to so many commands; None where redis-py is to read them."""
        asked = self._asked = asyncio.get_running_loop().create_future()
        self._transport.write(packed)
        data = await asked
        replies = self._replies_in(data, commands)
        if replies is None:
            self._reader = _reader()
            if data:
                self._behind.data_received(data)
        return replies

    def _replies_in(self, data: bytes, commands: int) -> list[Any] | None:
        self._reader.feed(data)
        replies = []
        for _ in range(commands):
            reply = self._reader.gets()
            if isinstance(reply, _FOR_REDIS_PY):
                return None
            replies.append(reply)
        return None if self._reader.has_data() else replies

    def data_received(self, data: bytes) -> None:
        """Bytes that have come."""
        asked, self._asked = self._asked, None
        if asked is None or asked.done():
            self._behind.data_received(data)
        else:
            asked.set_result(data)

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        is_kept_open: bool | None = self._behind.eof_received()
        self._end()
        return is_kept_open

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed."""
        self._behind.connection_lost(error)
        self._end()

    def pause_writing(self) -> None:
        """What was written waits here for now."""
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        """It has gone."""
        self._behind.resume_writing()

    def _end(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(b"")


def _reader() -> hiredis.Reader:
    return hiredis.Reader(protocolError=InvalidResponse, notEnoughData=_INCOMPLETE)
