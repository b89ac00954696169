"""The tables of `benchmarks.explorer`."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.summaries import spread
from benchmarks.tables import lowest_to_highest, table

LONGEST = 500.0
"""The mark: milliseconds to the first view of the explorer, at most, as a median."""


def markdown(record: dict[str, Any]) -> str:
    """The report, of what was measured."""
    lines = list[str]()
    if "views" in record:
        lines += _views(record["views"])
    if "events" in record:
        lines += _events(record["events"])
    return "\n".join(lines).strip()


def _views(views: dict[str, list[dict[str, float]]]) -> list[str]:
    rows = []
    for name, rounds in views.items():
        times = spread(each["milliseconds"] for each in rounds)
        size = median(each["bytes"] for each in rounds)
        rows.append(
            [
                name,
                f"{median(each['requests'] for each in rounds):.0f}",
                f"{size / 1000:,.0f} kB",
                f"{times.median:,.0f} ms",
                lowest_to_highest(times),
                "" if "docs" in name else ("met" if times.median <= LONGEST else "MISSED"),
            ]
        )
    count = max(map(len, views.values()))
    head = (
        "first view of", "requests", "transferred", "until it is there", "lowest to highest",
        f"at most {LONGEST:.0f} ms",
    )  # fmt: skip
    said = f"Medians of {count}, on loopback, each in a browser that has nothing of it yet:"
    return [said, "", *table(head, rows), ""]


def _events(found: dict[str, Any]) -> list[str]:
    before, after = found["before"], found["after"]
    rows = [
        [name, f"{each['heap']:.1f} MB", f"{each['elements']:,.0f}"]
        for name, each in (("before", before), ("after", after))
    ]
    rate = found["events"] / found["written"]
    behind = found["seen"] - found["written"]
    said = (
        f"A tab with the log open, before and after {found['events']:,} events came live, at "
        f"{rate:,.0f} a second; the last one was shown {behind:.1f} s after its answer:"
    )
    return [said, "", *table(("", "JavaScript heap", "elements"), rows), ""]
