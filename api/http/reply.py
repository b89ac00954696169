"""What a handler gives back, and what goes out with every answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.types import Receive, Send

from itemstore.server.answer_head import Answer, lines_of

Header = tuple[bytes, bytes]

Headers = list[Header]

JSON = (b"content-type", b"application/json")

JSON_LINE = lines_of([JSON])

NOSNIFF = (b"x-content-type-options", b"nosniff")

ON_EVERY_BODY = (NOSNIFF,)
"""With every answer that has a body; so that no browser takes an item for a page or a script."""

NO_CONTENT = frozenset({204, 304})

PART = 65_536
"""Bytes of a body that are joined from small pieces; what is larger is left as it is."""

_LARGE = PART // 4


class Reply(Answer):
    """A status, the header fields that are this answer's own, and the whole body."""

    __slots__ = ()

    async def send(self, receive: Receive, send: Send, *, with_body: bool = True) -> None:  # noqa: ARG002 - as StreamReply
        """Sends it by ASGI; without its body to HEAD, Content-Length all the same (§8.6)."""
        headers = self.headers
        if self.status not in NO_CONTENT:
            headers = [*headers, *ON_EVERY_BODY, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_reply(content: Any, *, status: int = 200, headers: Headers | None = None) -> Reply:
    """The content as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, [JSON, *(headers or [])], body)


def joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, with small ones joined into larger ones; large ones are not copied."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        length = len(piece)
        if length < _LARGE:
            small.append(piece)
            size += length
            if size < PART:
                continue
        if small:
            yield b"".join(small)
            small, size = [], 0
        if length >= _LARGE:
            yield piece
    if small:
        yield b"".join(small)
