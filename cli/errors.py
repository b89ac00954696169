"""How a verb ends when it can't do what it was asked for."""

from __future__ import annotations


class Stop(Exception):
    """Ends the command with this sentence on stderr and exit code 1."""
