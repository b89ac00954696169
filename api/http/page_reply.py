"""A page of a list, which may be large: made and sent in parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.types import Receive, Send

from itemstore.api.http.reply import ON_EVERY_BODY, Headers

IN_ONE_TURN = 100
"""Things of a list that become JSON in one turn of the event loop: less than a millisecond."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageReply:
    """A status, header fields, and a body in parts, which may be large.

    They are never joined: what a page holds is in memory once.
    """

    status: int
    headers: Headers
    parts: list[bytes]

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:  # noqa: ARG002 - as StreamReply
        """Sends it; without its body to a HEAD request, Content-Length all the same (§8.6)."""
        length = sum(map(len, self.parts))
        headers = [*self.headers, *ON_EVERY_BODY, (b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        parts = self.parts if with_body else [b""]
        for part in parts[:-1]:
            message = {"type": "http.response.body", "body": part, "more_body": True}
            await send({**message, "is_whole": True})
        await send({"type": "http.response.body", "body": parts[-1]})


async def listed(things: Sequence[T], pieces_of: Callable[[T], list[bytes]]) -> list[bytes]:
    """The pieces of all things, with commas in between; the event loop gets turns meanwhile."""
    pieces: list[bytes] = []
    for number, each in enumerate(things):
        if number:
            pieces.append(b",")
            if number % IN_ONE_TURN == 0:
                await asyncio.sleep(0)
        pieces += pieces_of(each)
    return pieces
