"""How far a rebuild or a verification is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done (`replaying`, `comparing`), events done, and events in the log by now.

    `total` is 0 where it is not known yet. `unit` says what is counted, where it is not events.
    """

    stage: str
    events: int
    total: int
    unit: str = "events"


Report = Callable[[Progress], None]


def unreported(_: Progress) -> None:
    """A report for callers that want none."""
