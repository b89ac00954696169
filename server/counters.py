"""What one process has counted, cheaply, for `/metrics` to show.

A write costs 45 µs of a processor in all, so counting it has to be nearly free: plain numbers in
a dict here, and their names, types and labels when somebody looks (api/resources/metrics.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from itemstore.server.full import Full

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: the upper bounds of the buckets that durations are counted in."""

OTHER = "other"
"""The route of requests that found none, or were refused before one was looked for."""

Answer = tuple[str, str, int]
"""A route, a method and a status."""

_NOTHING = [0.0] * (len(BOUNDS) + 2)


class Counters:
    """The numbers of one process. All but the gauges only grow.

    `answers` holds how many there were in each bucket and above them all, and their seconds in
    sum. `counts` are counters by name and label, some of which are counted elsewhere and only
    shown here; `gauges` are asked when somebody looks. `full` logs limits that are reached.
    """

    def __init__(self) -> None:
        self.answers: dict[Answer, list[float]] = {}
        self.problems: Counter[str] = Counter()
        self.streams_cut: Counter[str] = Counter()
        self.counts: dict[str, Mapping[Any, int]] = {
            "problems": self.problems,
            "streams_cut": self.streams_cut,
        }
        self.gauges: dict[str, Callable[[], float]] = {}
        self.full = Full()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts an answer that was ready `seconds` after its request began."""
        key = (route, method, status)
        numbers = self.answers.get(key)
        if numbers is None:
            numbers = self.answers[key] = _NOTHING.copy()
        numbers[bisect_left(BOUNDS, seconds)] += 1
        numbers[-1] += seconds

    def snapshot(self) -> Snapshot:
        """All numbers as they are now."""
        return Snapshot(
            {key: numbers.copy() for key, numbers in self.answers.items()},
            {
                name: Counter({str(label): number for label, number in counts.items()})
                for name, counts in self.counts.items()
            },
            {name: gauge() for name, gauge in self.gauges.items()},
        )


@dataclass(slots=True)
class Snapshot:
    """The numbers of one process at one time, or of several in sum."""

    answers: dict[Answer, list[float]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)

    def add(self, other: Snapshot, *, with_gauges: bool = True) -> None:
        """Adds the numbers of another process; not its gauges where that has ended."""
        for key, numbers in other.answers.items():
            mine = self.answers.get(key, _NOTHING)
            self.answers[key] = [a + b for a, b in zip(mine, numbers, strict=True)]
        for name, counts in other.counts.items():
            self.counts.setdefault(name, Counter()).update(counts)
        if with_gauges:
            for name, number in other.gauges.items():
                self.gauges[name] = self.gauges.get(name, 0.0) + number

    def as_json(self) -> dict[str, Any]:
        """As it goes from one process to another."""
        answers = [[*key, numbers] for key, numbers in self.answers.items()]
        return {"answers": answers, "counts": self.counts, "gauges": self.gauges}

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Snapshot:
        """What as_json made."""
        return cls(
            {(route, method, status): n for route, method, status, n in content["answers"]},
            {name: Counter(counts) for name, counts in content["counts"].items()},
            content["gauges"],
        )
