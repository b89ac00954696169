"""How a verb ends when it can't do what it was asked for."""

from __future__ import annotations

from itemstore.engine.errors import LogUnavailable


class Stop(Exception):
    """Ends the command with this sentence on stderr and an exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


MISUSED = 2
"""The exit code for what was typed wrong, as that of an unknown option."""


def told(error: Exception) -> str:
    """What the error says, with the engine's own words where it has them."""
    cause = error.__cause__
    return f"{error} ({cause})" if isinstance(error, LogUnavailable) and cause else str(error)
