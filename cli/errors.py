"""How a verb ends when it can't do what it was asked for."""

from __future__ import annotations

from itemstore.engine.errors import LogUnavailable


class Stop(Exception):
    """Ends the command with this sentence on stderr and exit code 1."""


def told(error: Exception) -> str:
    """What the error says, with the engine's own words where it has them."""
    cause = error.__cause__
    return f"{error} ({cause})" if isinstance(error, LogUnavailable) and cause else str(error)
