"""The medians and the spread of a run, by workload and contestant, from the record of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, and the lowest and the highest."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One contestant at one workload, over all rounds: requests per second, microseconds.

    `server` and `engine` are processor time a request: None where the system doesn't say it, and
    where there is no engine.
    """

    rate: Spread
    server: Spread | None
    engine: Spread | None
    p50: float
    p99: float


Summaries = dict[tuple[str, str], Summary]
"""By workload and contestant."""


def summaries(record: dict[str, Any]) -> Summaries:
    """What the rounds of a run come to."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in record["measured"]:
        grouped.setdefault((each["workload"], each["contestant"]), []).append(each)
    return {key: _summary(group) for key, group in grouped.items()}


@dataclass(frozen=True, slots=True)
class OnTime:
    """A contestant at half of its rate, over all rounds: microseconds, and the p99 by the p50."""

    rate: float
    p50: float
    p99: float
    p999: float
    steadiness: Spread


def on_time(record: dict[str, Any]) -> dict[str, OnTime]:
    """What the rounds at half of the rate come to, by contestant."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for each in record["at_half"]:
        grouped.setdefault(each["contestant"], []).append(each)
    return {name: _on_time(group) for name, group in grouped.items()}


def _on_time(group: Sequence[dict[str, Any]]) -> OnTime:
    return OnTime(
        rate=median(each["rate"] for each in group),
        p50=median(each["p50"] for each in group),
        p99=median(each["p99"] for each in group),
        p999=median(each["p999"] for each in group),
        steadiness=spread(each["p99"] / each["p50"] for each in group),
    )


def spread(values: Iterable[float]) -> Spread:
    """Of one number or more."""
    found = sorted(values)
    return Spread(median(found), found[0], found[-1])


def _summary(group: Sequence[dict[str, Any]]) -> Summary:
    return Summary(
        spread(each["rate"] for each in group),
        _spread_if_known(group, "server_us"),
        _spread_if_known(group, "engine_us"),
        median(each["p50"] for each in group),
        median(each["p99"] for each in group),
    )


def _spread_if_known(group: Sequence[dict[str, Any]], name: str) -> Spread | None:
    known = [each[name] for each in group if each.get(name) is not None]
    return spread(known) if known else None
