"""Which request is being answered, for the lines that are logged meanwhile."""

from __future__ import annotations

from contextvars import ContextVar

current_request: ContextVar[bytes | None] = ContextVar("current_request", default=None)
"""The id of the request at hand; None where there is none, as in work that goes on by itself."""
