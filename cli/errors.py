"""How a verb ends when it can't do what it was asked for."""

from __future__ import annotations


class Stop(Exception):
    """Ends the command with this sentence on stderr and an exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


MISUSED = 2
"""The exit code for what was typed wrong, as that of an unknown option."""
