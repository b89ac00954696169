"""The benchmark of the archive: its history, its report, and a small run of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks import archive
from benchmarks.archive_history import BEGINNING, EVERY, History
from benchmarks.archive_report import markdown

SMALL = History(items=50, events=3_000)


def test_every_event_follows_from_the_one_before() -> None:
    """Versions are dense, what is deleted was there, and is made anew after it."""
    versions, last = Counter[str](), dict[str, str]()
    for number in range(SMALL.events):
        event = SMALL.event(number)
        versions[event.item] += 1
        assert event.version == versions[event.item]
        is_there = last.get(event.item, "ItemDeleted") != "ItemDeleted"
        assert is_there == (event.type != "ItemCreated")
        assert bool(event.body) == (event.type != "ItemDeleted")
        assert SMALL.number(int(event.item[5:]), event.version) == number
        last[event.item] = event.type
    assert [SMALL.versions(item) for item in range(50)] == [
        versions[f"item-{item}"] for item in range(50)
    ]


def test_the_version_at_a_time_is_that_of_the_last_event_before() -> None:
    """As counting from the start says."""
    times: dict[str, list[int]] = {}
    for number in range(SMALL.events):
        times.setdefault(SMALL.event(number).item, []).append(BEGINNING + EVERY * number)
    for second in range(-1, SMALL.events * EVERY // 1000 + 2):
        at = BEGINNING // 1000 + second
        for item in range(0, 50, 7):
            due = sum(time // 1000 <= at for time in times[f"item-{item}"])
            assert SMALL.version_at(item, at) == due


def test_a_store_that_outgrows_memory_has_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small run: nothing differs from the history, nor from a store that has all in memory."""
    monkeypatch.setattr(archive, "OLD_VERSIONS", 100)
    monkeypatch.setattr(archive, "READS", 200)
    found = archive.outgrown(SMALL, keep=200)
    report = markdown({"log": json.loads(json.dumps(found))})
    [_, *marks] = [line for line in report.splitlines() if line.endswith(("met |", "MISSED |"))]
    assert len(marks) == 6
    assert [mark for mark in marks if "MISSED" in mark] == []
    assert found["restore"]["in_engine"] < SMALL.events
    assert found["marks"][-1]["in_engine"] < SMALL.events


def test_rounds_are_compared_by_their_medians() -> None:
    """PUTs with archiving on by those with it off, and what a bucket takes."""

    def round_(name: str, rate: float, p99: int) -> dict[str, Any]:
        return {"round": 1, "name": name, "rate": rate, "p50": 1000, "p99": p99}

    puts = [
        *(round_("archiving off", rate, 5_000) for rate in (900, 1_000, 1_100)),
        *(round_("archiving on", rate, 6_500) for rate in (940, 960, 990)),
    ]
    lines = markdown({"puts": puts, "bucket": [{"cache": 0, "p50": 1.234, "p99": 20.0}]})
    rate = "| PUT/s with archiving on, by those with it off | 0.96 | at least 0.95 | met |"
    assert rate in lines
    assert "| p99 with archiving on, by that with it off | 1.30 | at most 1.2 | MISSED |" in lines
    assert "| archiving on | 960 | 940 to 990 | 1.00 ms | 6.50 ms |" in lines
    assert "| no cache | 1.23 ms | 20.00 ms |" in lines
