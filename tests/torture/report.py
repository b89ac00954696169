"""The outcomes of all parts as tables, for a terminal and for the page of guarantees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.torture.outcome import Outcome, summary

HEAD = ["part", "seconds", "operations", "acknowledged", "transactions", "unanswered", "faults",
        "kills", "inputs", "first 503", "503 after", "healed in", "violations"]  # fmt: skip


def tables(outcomes: Sequence[Outcome]) -> str:
    """Two tables in Markdown: the parts, and the faults by their names; and what was lost."""
    rows = [_row(outcome) for outcome in outcomes]
    if len(outcomes) > 1:
        rows.append(_row(_together(outcomes)))
    faults = sum((outcome.faults for outcome in outcomes), Counter[str]())
    injected = [[name, _number(count)] for name, count in faults.most_common()]
    said = [_table(HEAD, rows), _table(["fault", "times"], injected)]
    said += [
        f"{outcome.part}: {outcome.failovers:,} failovers, {outcome.migrations:,} migrations of "
        f"slots, {len(outcome.lost):,} acknowledged writes lost."
        for outcome in outcomes
        if outcome.failovers or outcome.migrations
    ]
    if lost := [age for outcome in outcomes for age in outcome.lost]:
        said.append(
            f"{len(lost):,} writes were lost with their machines, the oldest of them "
            f"{max(lost):.2f} s after it was acknowledged."
        )
    return "\n\n".join(said)


def _row(outcome: Outcome) -> list[str]:
    return [
        outcome.part,
        f"{outcome.seconds:.0f}",
        _number(outcome.operations),
        _number(outcome.acknowledged),
        _number(outcome.transactions),
        _number(outcome.unknown),
        _number(outcome.faults.total()),
        _number(outcome.kills),
        _number(outcome.inputs),
        summary(outcome.first_503),
        summary(outcome.waits),
        summary(outcome.heals),
        _number(len(outcome.violations)),
    ]


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    together = Outcome("all", outcomes[0].seed)
    for outcome in outcomes:
        together.seconds += outcome.seconds
        together.operations += outcome.operations
        together.acknowledged += outcome.acknowledged
        together.transactions += outcome.transactions
        together.unknown += outcome.unknown
        together.inputs += outcome.inputs
        together.kills += outcome.kills
        together.faults += outcome.faults
        together.first_503 += outcome.first_503
        together.waits += outcome.waits
        together.heals += outcome.heals
        together.violations += outcome.violations
    return together


def _number(value: int) -> str:
    return f"{value:,}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
