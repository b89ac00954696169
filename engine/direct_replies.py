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
        self._asked: asyncio.Future[None] | None = None
        self._come: list[bytes] = []  # since then, and looked at by nobody yet
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
        self._asked = asyncio.get_running_loop().create_future()
        self._transport.write(packed)
        try:
            await self._asked
            replies = self._replies(commands)
            if replies is None:
                self._reader = _reader()
                self._hand_on()
        finally:
            self._asked = None
            self._come.clear()
        return replies

    def _replies(self, commands: int) -> list[Any] | None:
        for data in self._come:
            self._reader.feed(data)
        replies = []
        for _ in range(commands):
            reply = self._reader.gets()
            if isinstance(reply, _FOR_REDIS_PY):
                return None
            replies.append(reply)
        return None if self._reader.has_data() else replies

    def data_received(self, data: bytes) -> None:
        """Bytes that have come: several times, perhaps, before who asked has its turn."""
        if self._asked is None:
            self._behind.data_received(data)
        else:
            self._come.append(data)
            self._wake()

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        self._hand_on()
        is_kept_open: bool | None = self._behind.eof_received()
        self._wake()
        return is_kept_open

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed."""
        self._hand_on()
        self._behind.connection_lost(error)
        self._wake()

    def pause_writing(self) -> None:
        """What was written waits here for now."""
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        """It has gone."""
        self._behind.resume_writing()

    def _hand_on(self) -> None:
        for data in self._come:
            self._behind.data_received(data)
        self._come.clear()

    def _wake(self) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)


def _reader() -> hiredis.Reader:
    return hiredis.Reader(protocolError=InvalidResponse, notEnoughData=_INCOMPLETE)
