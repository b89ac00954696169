"""What a handler gives back, and how it goes out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.types import Receive, Send

from itemstore.api.http.problems import Problem
from itemstore.server.admission import Admission

logger = logging.getLogger("itemstore")

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")

LOOKS = 4
"""How often one looks at a client while one has patience with it."""

NOSNIFF = (b"x-content-type-options", b"nosniff")
"""On every body, so that no browser takes an item for a page or a script."""

AT_ONCE = 65_536
"""Bytes of a stream that wait for a client: it gets the next ones when it has taken these."""

PART = 65_536
"""Bytes of a body that are joined from small pieces; what is larger is left as it is."""

IN_ONE_TURN = 100
"""Things of a list that become JSON in one turn of the event loop: less than a millisecond."""

Piece = bytes | memoryview

T = TypeVar("T")

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
        headers = [*self.headers, NOSNIFF, (b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        parts = self.parts if with_body else [b""]
        for part in parts[:-1]:
            message = {"type": "http.response.body", "body": part, "more_body": True}
            await send({**message, "is_whole": True})
        await send({"type": "http.response.body", "body": parts[-1]})


@dataclass(frozen=True, slots=True)
class StreamReply:
    """A status, header fields, and a body that comes in pieces and may never end.

    A piece that is a memoryview is of something that is in memory anyway, for whoever else gets
    it, and does not count as kept for this client.

    It has a place among the streams of `admission`, which it gives back when it was sent.
    """

    status: int
    headers: Headers
    pieces: AsyncGenerator[Piece, None]
    admission: Admission

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:
        """Sends it until it ends, the client goes, or the client takes nothing for a while.

        Where it breaks off, the answer stays without its end: the client must not take a part of
        the log for all of it.
        """
        try:
            await self._send(receive, send, with_body=with_body)
        finally:
            self.admission.end_stream()

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

    def is_stuck(self, patience: float) -> bool:
        """Whether a piece has waited for longer than so many seconds."""
        return self._since is not None and self._now() - self._since > patience


async def listed(things: Sequence[T], pieces_of: Callable[[T], list[bytes]]) -> list[bytes]:
    """The pieces of each, with commas between; it gives others turns of the event loop."""
    pieces: list[bytes] = []
    for number, each in enumerate(things):
        if number:
            pieces.append(b",")
            if number % IN_ONE_TURN == 0:
                await asyncio.sleep(0)
        pieces += pieces_of(each)
    return pieces


AnyReply = Reply | PageReply | StreamReply


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: small ones become larger ones, large ones are not copied."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if len(piece) < PART // 4:
            small.append(piece)
            size += len(piece)
        if small and (size >= PART or len(piece) >= PART // 4):
            yield b"".join(small)
            small, size = [], 0
        if len(piece) >= PART // 4:
            yield piece
    if small:
        yield b"".join(small)


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
