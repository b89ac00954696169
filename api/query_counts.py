"""How many queries were answered and refused, how long they took, and what they looked at."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any

from itemstore.server.counters import BOUNDS

OUTCOMES, ROWS, SECONDS = "queries", "query_rows", "query_seconds"
"""The names under which `/metrics` finds the numbers."""

ANSWERED = "answered"
"""The outcome of a query that has an answer; of any other it is the problem's type."""

SUM = "sum"
"""Beside the buckets, under which the seconds are counted: all of them, in microseconds."""


class QueryCounts:
    """The numbers of one process, as server/counters.py has them."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, Mapping[Any, int]]:
        """All of them, by name."""
        return {OUTCOMES: self.outcomes, ROWS: self.rows, SECONDS: self.seconds}

    def ended(self, collection: str, outcome: str, seconds: float, rows: int = 0) -> None:
        """Counts a query of a collection that took so long and looked at so many rows."""
        self.outcomes[f"{collection} {outcome}"] += 1
        self.rows[collection] += rows
        self.seconds[str(bisect_left(BOUNDS, seconds))] += 1
        self.seconds[SUM] += round(seconds * 1e6)
