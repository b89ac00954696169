"""An error on its way to the client (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itemstore.api.http.problem_types import PROBLEM_TYPES


class Problem(Exception):
    """An error on its way to the client.

    `members` go into the JSON beside `type`, `title`, `status`, `detail` and `instance`,
    `headers` into the response; `links` too, from a relation to a path under the root path.
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
