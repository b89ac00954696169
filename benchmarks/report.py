"""What a run says: Markdown tables of medians, spread and ratios, and whether the marks are met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

MARK = "tutorial"
"""Who the others are compared with."""

OURS = "itemstore"


@dataclass(frozen=True, slots=True)
class Summary:
    """One contestant at one workload, over all rounds: requests per second, microseconds."""

    rate: float
    lowest: float
    highest: float
    p50: float
    p99: float


Summaries = dict[tuple[str, str], Summary]
"""By workload and contestant."""


def summaries(record: dict[str, Any]) -> Summaries:
    """The medians over the rounds, and the lowest and highest rate."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in record["measured"]:
        grouped.setdefault((each["workload"], each["contestant"]), []).append(each)
    return {key: _summary(group) for key, group in grouped.items()}


def markdown(record: dict[str, Any]) -> str:
    """The whole report."""
    found = summaries(record)
    return "\n".join(
        [
            *_conditions(record),
            "",
            *_contestants(record),
            *_tables(record, found),
            *_half(record["at_half"]),
            *_marks(record, found),
        ]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the columns after the first are numbers."""
    line = "| --- |" + " ---: |" * (len(head) - 1)
    return [_row(head), line, *map(_row, rows)]


def milliseconds(microseconds: float) -> str:
    """A latency for people."""
    return f"{microseconds / 1000:.2f} ms"


def _summary(group: Sequence[dict[str, Any]]) -> Summary:
    rates = [each["rate"] for each in group]
    return Summary(
        median(rates),
        min(rates),
        max(rates),
        median(each["p50"] for each in group),
        median(each["p99"] for each in group),
    )


def _conditions(record: dict[str, Any]) -> Iterator[str]:
    machine, settings = record["machine"], record["settings"]
    yield (
        f"Measured on {record['when'][:10]}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}; {machine['pinned']}. {settings['rounds']} rounds, "
        f"{settings['seconds']} s for each measurement, {settings['ids']:,} ids, the body "
        f"`{settings['body']}`. Other programs took {_others(record):.2f} cores in the median "
        "measurement."
    )
    yield ""
    yield ", ".join(f"{name} {number}" for name, number in record["versions"].items()) + "."


def _others(record: dict[str, Any]) -> float:
    others: list[float] = [each["others"] for each in record["measured"]]
    return median(others)


def _contestants(record: dict[str, Any]) -> list[str]:
    lines = ["| | what | on disk |", "| --- | --- | --- |"]
    return lines + [
        f"| {each['name']} | {each['what']} | {each['fsync']} |" for each in record["contestants"]
    ]


def _tables(record: dict[str, Any], found: Summaries) -> Iterator[str]:
    names = [each["name"] for each in record["contestants"]]
    base = MARK if MARK in names else names[0]
    head = ("", "requests/s", "lowest to highest", f"÷ {base}", "p50", "p99")
    for workload in record["workloads"]:
        yield ""
        yield f"**{workload['name']}**: {workload['what']}"
        yield ""
        mark = found[workload["name"], base]
        yield from table(
            head,
            [
                _columns(name, summary, mark)
                for name in names
                if (summary := found.get((workload["name"], name)))
            ],
        )


def _columns(name: str, summary: Summary, mark: Summary) -> list[str]:
    return [
        name,
        f"{summary.rate:,.0f}",
        f"{summary.lowest:,.0f} to {summary.highest:,.0f}",
        f"{summary.rate / mark.rate:.2f}",
        milliseconds(summary.p50),
        milliseconds(summary.p99),
    ]


def _half(at_half: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield "**PUT at half of the rate above**, sent on time whether or not answers came"
    yield ""
    yield from table(
        ("", "requests/s", "p50", "p99", "p99.9", "p99 ÷ p50"),
        [
            [
                each["contestant"],
                f"{each['rate']:,.0f}",
                *(milliseconds(each[name]) for name in ("p50", "p99", "p999")),
                f"{each['p99'] / each['p50']:.1f}",
            ]
            for each in at_half
        ],
    )


def _marks(record: dict[str, Any], found: Summaries) -> Iterator[str]:
    """The marks that were set before anything was measured, and what came of them."""
    if not {MARK, OURS, "by hand"} <= {each["name"] for each in record["contestants"]}:
        return
    put, get, alone = (
        {name: found[workload, name] for name in (MARK, OURS, "by hand")}
        for workload in ("PUT", "GET", "PUT, 1 connection")
    )
    half = next(each for each in record["at_half"] if each["contestant"] == OURS)
    marks = [
        ("PUT, times the tutorial's", put[OURS].rate / put[MARK].rate, "at least", 2.5),
        ("PUT, times the one by hand", put[OURS].rate / put["by hand"].rate, "at least", 5),
        ("GET, times the tutorial's", get[OURS].rate / get[MARK].rate, "at least", 2),
        ("one connection, times the dict's p50", alone[OURS].p50 / alone[MARK].p50, "at most", 3),
        ("p99 ÷ p50 at half of the rate", half["p99"] / half["p50"], "at most", 10),
    ]
    yield ""
    yield "**The marks**"
    yield ""
    yield from table(
        ("", "measured", "mark", ""),
        [
            [what, f"{value:.2f}", f"{side} {mark}", "met" if _met(value, side, mark) else "MISSED"]
            for what, value, side, mark in marks
        ],
    )


def _met(value: float, side: str, mark: float) -> bool:
    return value >= mark if side == "at least" else value <= mark


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
