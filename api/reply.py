"""What a handler gives back, and how it goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Send

from api.problems import Problem

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")

NO_CONTENT = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, the header fields that are this answer's own, and the whole body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """Sends it; without its body to a HEAD request, Content-Length all the same (§8.6)."""
        headers = self.headers
        if self.status not in NO_CONTENT:
            headers = [*headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def json_reply(content: Any, *, status: int = 200, headers: Headers | None = None) -> Reply:
    """The content as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, [JSON, *(headers or [])], body)


def problem_reply(problem: Problem, instance: str, root: str = "") -> Reply:
    """The problem as application/problem+json (RFC 9457 §3)."""
    kind = problem.type
    content: Mapping[str, Any] = {
        "type": f"{root}/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": instance,
        **problem.members,
    }
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Reply(kind.status, headers, body)
