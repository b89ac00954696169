"""Which command runs, for the line of the log that says so."""

from __future__ import annotations

from contextvars import ContextVar

command_at_work: ContextVar[str | None] = ContextVar("command_at_work", default=None)
