"""The benchmark of queries: a small run of it, and its report."""

from __future__ import annotations

from typing import Any

from benchmarks.queries import reads
from benchmarks.queries_report import markdown


def test_what_is_asked_of_both_finds_the_same() -> None:
    """A small run: the store and plain SQLite find as many items for each query."""
    found = reads(items=2_000, requests=5)
    for name, ours in found["store"].items():
        assert ours["found"] == found["plain"][name]["found"] > 0
    assert "| events/s that the read model catches up with |" in markdown({"reads": found})


def test_rounds_are_compared_by_their_medians() -> None:
    """PUTs with the read model on by those with it off."""

    def round_(name: str, rate: float, lag: float) -> dict[str, Any]:
        times = {"p50": 1000, "p99": 5000}
        return {"name": name, "rate": rate, "lag": lag, "behind": lag / 2, **times}

    puts = [
        *(round_("read model off", rate, 0.0) for rate in (900, 1_000, 1_100)),
        *(round_("read model on", rate, rate / 1000) for rate in (840, 860, 890)),
    ]
    lines = markdown({"puts": puts}).splitlines()
    rate = "| PUT/s with the read model on, by those with it off | 0.86 | at least 0.90 | MISSED |"
    assert rate in lines
    assert "| behind at full write rate, at most | 0.89 s |" in lines
