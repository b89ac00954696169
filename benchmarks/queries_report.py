"""The tables of `benchmarks.queries`."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.queries_puts import OFF, ON
from benchmarks.summaries import spread
from benchmarks.tables import lowest_to_highest, milliseconds, table

CATCHING_UP, RATE = 40_000, 0.9
"""The marks: events/s at least, and PUT/s with the read model on by those with it off."""


def markdown(record: dict[str, Any]) -> str:
    """The report, of what was measured."""
    lines = list[str]()
    if "reads" in record:
        lines += _reads(record["reads"])
    if "puts" in record:
        lines += _puts(record["puts"])
    return "\n".join(lines).strip()


def _reads(reads: dict[str, Any]) -> list[str]:
    following = reads["following"]
    rate = following["events"] / following["seconds"]
    rows = [
        [
            name,
            *(f"{each[p]:.2f} ms" for each in (ours, reads["plain"][name]) for p in ("p50", "p99")),
        ]
        for name, ours in reads["store"].items()
    ]
    head = ("query", "p50", "p99", "plain SQLite, p50", "p99")
    marks = [_row("events/s that the read model catches up with", rate, CATCHING_UP)]
    said = (
        f"{reads['items']:,} items, two indexes, {reads['bytes'] / 1e6:,.0f} MB in SQLite, made "
        f"{reads['with_indexes']:.0f} s after the start of a server that finds a full log; "
        f"{reads['requests']:,} requests of each kind, one after the other:"
    )
    return [
        said,
        "",
        *(*table(head, rows), ""),
        *(*table(("", "measured", "mark", ""), marks), ""),
    ]


def _puts(found: Sequence[dict[str, Any]]) -> list[str]:
    rows, rates = [], {}
    for name in (OFF, ON):
        rounds = [each for each in found if each["name"] == name]
        of_all = spread(each["rate"] for each in rounds)
        rates[name] = of_all.median
        cells = (f"{of_all.median:,.0f}", lowest_to_highest(of_all))
        times = (milliseconds(median(each[p] for each in rounds)) for p in ("p50", "p99"))
        rows.append([name, *cells, *times])
    on = [each for each in found if each["name"] == ON]
    numbers = [
        ["behind at full write rate, at most", f"{max(each['lag'] for each in on):.2f} s"],
        ["until it has all, after a round, at most", f"{max(each['behind'] for each in on):.2f} s"],
    ]
    marks = [
        _row("PUT/s with the read model on, by those with it off", rates[ON] / rates[OFF], RATE)
    ]
    head = ("PUT", "requests/s", "lowest to highest", "p50", "p99")
    return [
        *(*table(head, rows), ""),
        *(*table(("", "measured"), numbers), ""),
        *(*table(("", "measured", "mark", ""), marks), ""),
    ]


def _row(what: str, measured: float, least: float) -> list[str]:
    digits = 0 if least > 1 else 2
    said = (f"{measured:,.{digits}f}", f"at least {least:,.{digits}f}")
    return [what, *said, "met" if measured >= least else "MISSED"]
