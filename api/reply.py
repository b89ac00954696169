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

LOOKS = 4
"""How often one looks at a client while one has patience with it."""

NOSNIFF = (b"x-content-type-options", b"nosniff")
"""On every body, so that no browser takes an item for a page or a script."""

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
            headers = [*headers, NOSNIFF, (b"content-length", b"%d" % len(self.body))]
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
        headers = [*self.headers, NOSNIFF]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        broken = await self._send_pieces(receive, send) if with_body else None
        await self.pieces.aclose()
        if broken is None:
            await send({"type": "http.response.body", "body": b""})
        else:
            logger.warning("A stream was cut off: %s", broken)

    async def _send_pieces(self, receive: Receive, send: Send) -> str | None:
        """Sends them until they end or the client goes; what broke it off otherwise."""
        sending = _Sending(self.pieces, send)
        sent = asyncio.create_task(sending.run())
        left = asyncio.create_task(_disconnected(receive))
        tasks, patience = {sent, left}, self.traffic.patience
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
            self.traffic.cut("takes nothing")
            return "the client was too slow"
        return str(error) if isinstance(error, Exception) else None


class _Sending:
    """Sends pieces, and knows since when one of them waits for the client.

    A time limit around each piece would cost as much as sending it.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], send: Send) -> None:
        self._pieces = pieces
        self._send = send
        self._now = asyncio.get_running_loop().time
        self._since: float | None = None

    async def run(self) -> None:
        """Sends all pieces."""
        async for piece in self._pieces:
            self._since = self._now()
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            self._since = None

    def is_stuck(self, patience: float) -> bool:
        """Whether a piece has waited for longer than so many seconds."""
        return self._since is not None and self._now() - self._since > patience


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def json_reply(content: Any, *, status: int = 200, headers: Headers | None = None) -> Reply:
    """The content as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, [JSON, *(headers or [])], body)


def html_reply(body: bytes, policy: str) -> Reply:
    """A page that may load what the policy says, and that no other page may frame or lead."""
    policy += "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    return Reply(200, headers, body)


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
