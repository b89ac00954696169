"""An error on its way to the client, and what goes out (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.http.reply import Reply


class Problem(Exception):
    """An error on its way to the client.

    `members` go into the JSON beside `type`, `title`, `status`, `detail`, `instance` and
    `request_id`, `headers` into the response; `links` too, from a relation to a path under the root
    path.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = PROBLEM_TYPES[slug]
        self.detail = detail
        self.members = members or {}
        self.headers = headers or {}
        self.links = links or {}


def problem_reply(
    problem: Problem, instance: str | None, root: str = "", *, request_id: str
) -> Reply:
    """The problem as application/problem+json (RFC 9457 §3); no instance where no URL was read."""
    kind = problem.type
    content: Mapping[str, Any] = {
        "type": f"{root}/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        **({} if instance is None else {"instance": instance}),
        **problem.members,
        "request_id": request_id,
    }
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    headers += [(b"content-type", b"application/problem+json"), NO_STORE]
    links = [f'<{root}{path}>; rel="{relation}"' for relation, path in problem.links.items()]
    if links:
        headers.append((b"link", ", ".join(links).encode()))
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Reply(kind.status, headers, body)
