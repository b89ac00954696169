"""The marks that were set before anything was measured, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.batch_report import items_a_second
from benchmarks.summaries import Spread, on_time, spread, summaries
from benchmarks.tables import table
from benchmarks.workloads import (
    ALONE,
    BATCH_OF_100,
    BATCH_OF_100_ALONE,
    GET,
    GET_FREE,
    MANY,
    MANY_FREE,
    PUT,
    PUT_FREE,
    Workload,
)

TUTORIAL = "tutorial"
"""Who the others are compared with."""

BY_HAND = "by hand"

OURS = "itemstore"


@dataclass(frozen=True, slots=True)
class Mark:
    """How many times a number of one contestant that of another has to be, at a workload.

    Where there are more numbers than one, of each round the ratio is taken.
    """

    what: str
    workload: Workload
    number: Literal["rate", "server_us", "p50"]
    upper: str
    lower: str
    side: Literal["at least", "at most"]
    bound: float


MARKS = (
    Mark(
        "PUT, processor time: the tutorial's ÷ ours",
        *(PUT, "server_us", TUTORIAL, OURS, "at least", 2.8),
    ),
    Mark("PUT, times the tutorial's", PUT, "rate", OURS, TUTORIAL, "at least", 2.4),
    Mark(
        "PUT, times the tutorial's, engine free",
        *(PUT_FREE, "rate", OURS, TUTORIAL, "at least", 2.4),
    ),
    Mark(
        "PUT, 128 connections, times the tutorial's",
        *(MANY, "rate", OURS, TUTORIAL, "at least", 3),
    ),
    Mark(
        "PUT, 128 connections, times the tutorial's, engine free",
        *(MANY_FREE, "rate", OURS, TUTORIAL, "at least", 3),
    ),
    Mark("PUT, times the one by hand", PUT, "rate", OURS, BY_HAND, "at least", 5),
    Mark(
        "PUT, times the one by hand, engine free",
        *(PUT_FREE, "rate", OURS, BY_HAND, "at least", 5),
    ),
    Mark("GET, times the tutorial's", GET, "rate", OURS, TUTORIAL, "at least", 3.2),
    Mark(
        "GET, times the tutorial's, engine free",
        *(GET_FREE, "rate", OURS, TUTORIAL, "at least", 3.2),
    ),
    Mark("one connection, times the dict's p50", ALONE, "p50", OURS, TUTORIAL, "at most", 3),
)

MANY_ITEMS = 4
"""At least so many times the items of single PUTs a second, in batches of 100."""

STEADY = 10
"""At most so many times the median the p99 may be, at half of the rate."""


def marks(record: dict[str, Any]) -> list[str]:
    """The table; nothing where not all take part."""
    if not {TUTORIAL, OURS, BY_HAND} <= {each["name"] for each in record["contestants"]}:
        return []
    steadiness = on_time(record)[OURS].steadiness
    rows = [
        *_ratios(record),
        *_batched(record),
        _row("p99 ÷ p50 at half of the rate", steadiness, "at most", STEADY),
    ]
    head = ("", "measured", "lowest to highest", "mark", "")
    return ["", "**The marks**", "", *table(head, rows)]


def speed(record: dict[str, Any]) -> str:
    """What the README says of a run."""
    found = summaries(record)
    put, get = (
        {name: found[workload.name, name].rate.median for name in (OURS, TUTORIAL, BY_HAND)}
        for workload in (PUT, GET)
    )
    return (
        f"With its fsync, a PUT is answered at {put[OURS] / put[TUTORIAL]:.1f} times the rate of "
        "a FastAPI route that writes into a dict in memory, and at "
        f"{put[OURS] / put[BY_HAND]:.1f} times that of EXISTS, XADD and HSET written by hand; a "
        f"GET at {get[OURS] / get[TUTORIAL]:.1f} times."
    )


def _ratios(record: dict[str, Any]) -> Iterator[list[str]]:
    for mark in MARKS:
        upper, lower = (_numbers(record, mark, name) for name in (mark.upper, mark.lower))
        if upper and lower:
            rounds = spread(one / other for one, other in zip(upper, lower, strict=True))
            ratio = spread(upper).median / spread(lower).median
            yield _row(
                mark.what, Spread(ratio, rounds.lowest, rounds.highest), mark.side, mark.bound
            )


def _batched(record: dict[str, Any]) -> Iterator[list[str]]:
    for batch, put, where in ((BATCH_OF_100, PUT, ""), (BATCH_OF_100_ALONE, ALONE, ", one client")):
        batched, single = (items_a_second(record, each, OURS) for each in (batch, put))
        if batched and single:
            rounds = spread(one / other for one, other in zip(batched, single, strict=True))
            ratio = spread(batched).median / spread(single).median
            yield _row(
                f"items/s in batches of 100, times those of single PUTs{where}",
                *(Spread(ratio, rounds.lowest, rounds.highest), "at least", MANY_ITEMS),
            )


def _numbers(record: dict[str, Any], mark: Mark, contestant: str) -> Sequence[float]:
    """One of each round; none where the system doesn't say, or the workload wasn't there."""
    return [
        each[mark.number]
        for each in record["measured"]
        if (each["workload"], each["contestant"]) == (mark.workload.name, contestant)
        and each.get(mark.number)
    ]


def _row(what: str, ratio: Spread, side: str, bound: float) -> list[str]:
    is_met = ratio.median >= bound if side == "at least" else ratio.median <= bound
    return [
        what,
        f"{ratio.median:.2f}",
        f"{ratio.lowest:.2f} to {ratio.highest:.2f}",
        f"{side} {bound}",
        "met" if is_met else "MISSED",
    ]
