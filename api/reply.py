"""What a handler gives back, and how it goes out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Send

from api.problems import Problem
from api.traffic import Traffic

logger = logging.getLogger("itemstore")

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")

NO_STORE = (b"cache-control", b"no-store")
"""For what is only true now: health, progress, counts."""

NO_CONTENT = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, the header fields that are this answer's own, and the whole body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:  # noqa: ARG002 - as StreamReply
        """Sends it; without its body to a HEAD request, Content-Length all the same (§8.6)."""
        headers = self.headers
        if self.status not in NO_CONTENT:
            headers = [*headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


@dataclass(frozen=True, slots=True)
class StreamReply:
    """A status, header fields, and a body that comes in pieces and may never end.

    It has a place among the streams of `traffic`, which it gives back when it was sent.
    """

    status: int
    headers: Headers
    pieces: AsyncGenerator[bytes, None]
    traffic: Traffic

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:
        """Sends it until it ends, the client goes, or the client takes nothing for a while.

        Where it breaks off, the answer stays without its end: the client must not take a part of
        the log for all of it.
        """
        try:
            await self._send(receive, send, with_body=with_body)
        finally:
            self.traffic.end_stream()

    async def _send(self, receive: Receive, send: Send, *, with_body: bool) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        broken = None
        if with_body:
            sending = asyncio.create_task(self._send_pieces(send))
            leaving = asyncio.create_task(_disconnected(receive))
            tasks = {sending, leaving}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            broken, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        await self.pieces.aclose()
        if isinstance(broken, Exception):
            if isinstance(broken, TimeoutError):
                self.traffic.cut("takes nothing")
            logger.warning("A stream was cut off: %s", str(broken) or "the client was too slow")
        else:
            await send({"type": "http.response.body", "body": b""})

    async def _send_pieces(self, send: Send) -> None:
        async for piece in self.pieces:
            async with asyncio.timeout(self.traffic.patience):
                await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def json_reply(content: Any, *, status: int = 200, headers: Headers | None = None) -> Reply:
    """The content as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, [JSON, *(headers or [])], body)


def problem_reply(problem: Problem, instance: str | None, root: str = "") -> Reply:
    """The problem as application/problem+json (RFC 9457 §3); no instance where no URL was read."""
    kind = problem.type
    content: Mapping[str, Any] = {
        "type": f"{root}/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        **({} if instance is None else {"instance": instance}),
        **problem.members,
    }
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    links = [f'<{root}{path}>; rel="{relation}"' for relation, path in problem.links.items()]
    if links:
        headers.append((b"link", ", ".join(links).encode()))
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Reply(kind.status, headers, body)
