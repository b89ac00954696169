"""What can be wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong, by its name, and where."""

    name: str
    detail: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.name}: {self.detail}"
