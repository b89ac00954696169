"""What a part of the suite has done, and what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import median
from typing import Any

from tests.torture.faults import Strike
from tests.torture.history import Operation


@dataclass(slots=True)
class Outcome:
    """The numbers of one part; all is well where `violations` is empty.

    `transactions` are those among the acknowledged operations that are one.
    `waits` are seconds that requests waited for their 503, `first_503` seconds from a fault to
    the first 503, and `heals` seconds from the end of a fault to the next acknowledged write.
    `lost` has, of each write that was lost with its machine, the seconds from its acknowledgement
    to the machine's end. `failovers` and `migrations` are those of a cluster.
    """

    part: str
    seed: int
    seconds: float = 0.0
    operations: int = 0
    acknowledged: int = 0
    transactions: int = 0
    unknown: int = 0
    inputs: int = 0
    kills: int = 0
    failovers: int = 0
    migrations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    first_503: list[float] = field(default_factory=list)
    heals: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    kept: Path | None = None
    """The file with the history, where it violated."""

    def count(self, history: Sequence[Operation], strikes: Iterable[Strike]) -> None:
        """Counts what was done."""
        self.operations += len(history)
        for operation in history:
            self.acknowledged += operation.is_acknowledged
            self.transactions += operation.is_acknowledged and operation.method == "BATCH"
            status = "lost" if operation.answer is None else str(operation.answer.status)
            self.answers[f"{operation.method} {status}"] += 1
            self.unknown += operation.is_write and status in {"lost", "503"}
        for strike in strikes:
            self.faults[strike.name] += 1
            self.kills += strike.kills
            self.failovers += strike.failovers
            self.migrations += strike.migrations

    def time(self, strikes: Sequence[Strike], unavailable: Sequence[tuple[float, float]]) -> None:
        """Measures how long it took until clients heard of a fault."""
        self.waits += [returned - called for called, returned in unavailable]
        for strike, following in zip(strikes, [*strikes, None][1:], strict=True):
            until = following.began if following else float("inf")
            heard = [at for _, at in unavailable if strike.began <= at < until]
            if heard:
                self.first_503.append(min(heard) - strike.began)


def numbers(outcome: Outcome) -> dict[str, Any]:
    """All of it as JSON takes it."""
    named = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    return named | {
        "faults": dict(outcome.faults),
        "answers": dict(outcome.answers),
        "kept": str(outcome.kept) if outcome.kept else None,
    }


def summary(values: Sequence[float]) -> str:
    """The median and the worst of some seconds, for a person."""
    if not values:
        return "–"
    return f"{median(values) * 1000:,.0f} / {max(values) * 1000:,.0f} ms"
