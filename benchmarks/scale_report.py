"""The tables of `benchmarks.scale`."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.tables import table

OPERATIONS = ("events", "items", "read with XRANGE", "rebuild", "÷ XRANGE", "verify", "÷ XRANGE")

STARTS = ("events on disk", "bytes on disk", "until ready", "until the first PUT is answered")


def markdown(record: dict[str, Any]) -> str:
    """The report."""
    rows = []
    for each in record["sizes"]:
        middle = {name: median(values) for name, values in each["rates"].items()}
        rows.append(
            [
                f"{each['items']:,}",
                *(f"{middle[f'{name} large']:,.0f}" for name in ("PUT", "GET")),
                *(
                    f"{middle[f'{name} large'] / middle[f'{name} small']:.2f}"
                    for name in ("PUT", "GET")
                ),
                *(f"{rate:,.0f}" for rate in each["reads"].values()),
                f"{each['api_megabytes']:.0f} MB",
            ]
        )
    reads = record["sizes"][0]["reads"]
    head = ("items", "PUT/s", "GET/s", "PUT ÷ small", "GET ÷ small", *reads, "API process")
    memory_rows = [[name, f"{value:.0f}"] for name, value in record["memory"].items()]
    return "\n".join(
        [
            *table(head, rows),
            "",
            *table(OPERATIONS, [_compared(each) for each in record["sizes"]]),
            "",
            *table(STARTS, [_started(each) for each in record["starts"]]),
            "",
            *table(("engine memory", "bytes"), memory_rows),
        ]
    )


def _compared(size: dict[str, Any]) -> list[str]:
    """Events a second, and as a part of what a loop over XRANGE reads."""
    rates = {name: size["events"] / seconds for name, seconds in size["seconds"].items()}
    cells = [f"{size['events']:,}", f"{size['items']:,}", f"{rates['xrange']:,.0f}/s"]
    for verb in ("rebuild", "verify"):
        cells += [f"{rates[verb]:,.0f}/s", f"{rates[verb] / rates['xrange']:.2f}"]
    return cells


def _started(start: dict[str, Any]) -> list[str]:
    return [
        f"{start['events']:,}",
        f"{start['bytes'] / 1e6:,.0f} MB",
        *(f"{start[until]:.2f} s" for until in ("ready", "put")),
    ]
