"""An answer that comes in pieces and may never end, to a client that may be slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.types import Receive, Send

from itemstore.api.http.reply import ON_EVERY_BODY, Headers
from itemstore.server.admission import Admission

logger = logging.getLogger(__name__)

LOOKS = 4
"""How often a client is looked at within the time that it has to take something."""

AT_ONCE = 65_536
"""Bytes of a stream that wait for a client: it gets the next ones when it has taken these."""

Piece = bytes | memoryview


@dataclass(frozen=True, slots=True)
class StreamReply:
    """A status, header fields, and a body that comes in pieces and may never end.

    A piece that is a memoryview is in memory anyway, because other clients get it too; it does not
    count as kept for this one. The stream has a place in `admission`, which it gives back at its
    end; `on_end` is then called with the bytes that were sent.
    """

    status: int
    headers: Headers
    pieces: AsyncGenerator[Piece, None]
    admission: Admission
    on_end: Callable[[int], None] | None = None

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:
        """Sends it until it ends, the client goes, or the client takes nothing for a while.

        A stream that is cut off has no end, so that the client does not take a part of the log
        for all of it.
        """
        sending = _Sending(self.pieces, send)
        try:
            await self._send(receive, send, sending, with_body=with_body)
        finally:
            self.admission.end_stream()
            if self.on_end is not None:
                self.on_end(sending.sent)

    async def _send(
        self, receive: Receive, send: Send, sending: _Sending, *, with_body: bool
    ) -> None:
        headers = [*self.headers, *ON_EVERY_BODY]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        broken = await self._send_pieces(receive, sending) if with_body else None
        await self.pieces.aclose()
        if broken is None:
            await send({"type": "http.response.body", "body": b""})
        else:
            logger.warning("A stream was cut off", extra={"reason": broken})

    async def _send_pieces(self, receive: Receive, sending: _Sending) -> str | None:
        """Sends them until they end or the client goes. Returns what cut them off otherwise."""
        sent = asyncio.create_task(sending.run())
        left = asyncio.create_task(_disconnected(receive))
        tasks, patience = {sent, left}, self.admission.patience
        done: set[asyncio.Task[None]] = set()
        try:
            while not done and not sending.is_stuck(patience):
                done, _ = await asyncio.wait(
                    tasks, timeout=patience / LOOKS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            for task in tasks:
                task.cancel()
            error, _ = await asyncio.gather(sent, left, return_exceptions=True)
        if not done:
            self.admission.cut("takes nothing")
            return "the client was too slow"
        return str(error) if isinstance(error, Exception) else None


class _Sending:
    """Sends pieces, and knows since when one of them waits for the client.

    A time limit around each piece would cost as much as sending it.
    """

    def __init__(self, pieces: AsyncGenerator[Piece, None], send: Send) -> None:
        self._pieces = pieces
        self._send = send
        self._now = asyncio.get_running_loop().time
        self._since: float | None = None
        self.sent = 0

    async def run(self) -> None:
        """Sends all pieces."""
        async for piece in self._pieces:
            kept = 0 if isinstance(piece, memoryview) else len(piece)
            for start in range(0, len(piece), AT_ONCE):
                body = bytes(piece[start : start + AT_ONCE])
                message = {"type": "http.response.body", "body": body, "more_body": True}
                self._since = self._now()
                await self._send({**message, "kept": kept})
                self._since = None
                self.sent += len(body)

    def is_stuck(self, patience: float) -> bool:
        """Whether a piece has waited for more than `patience` seconds."""
        return self._since is not None and self._now() - self._since > patience


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
