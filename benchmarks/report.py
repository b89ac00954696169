"""What a run says: Markdown tables of medians, spread and ratios, and whether the marks are met."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.batch_report import batch_tables
from benchmarks.marks import OURS, TUTORIAL, marks
from benchmarks.summaries import Summaries, Summary, on_time, summaries
from benchmarks.tables import lowest_to_highest, microseconds, milliseconds, table
from benchmarks.workloads import BATCHES, Layout


def markdown(record: dict[str, Any]) -> str:
    """The whole report."""
    return "\n".join(
        [
            *_conditions(record),
            "",
            *_contestants(record),
            *_tables(record, summaries(record)),
            *batch_tables(record),
            *_half(record),
            *marks(record),
        ]
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
    free = record.get("layouts", {}).get(Layout.ENGINE_FREE.value)
    if free and any("engine free" in each["name"] for each in record["workloads"]):
        yield ""
        yield f"“Engine free” means that {free}."
    yield ""
    yield ", ".join(f"{name} {number}" for name, number in record["versions"].items()) + "."


def _others(record: dict[str, Any]) -> float:
    others: list[float] = [each["others"] for each in record["measured"]]
    return median(others)


def _contestants(record: dict[str, Any]) -> Iterator[str]:
    yield from ("| | what | on disk |", "| --- | --- | --- |")
    for each in record["contestants"]:
        yield f"| {each['name']} | {each['what']} | {each['fsync']} |"
    for name, how in record.get("missing", {}).items():
        yield ""
        yield f"{name} did not take part, because it is not installed here: {how}."


def _tables(record: dict[str, Any], found: Summaries) -> Iterator[str]:
    names = [each["name"] for each in record["contestants"]]
    base = TUTORIAL if TUTORIAL in names else names[0]
    head = (
        *("", "requests/s", "lowest to highest", f"÷ {base}"),
        *("processor time", "lowest to highest", f"{base} ÷ it", "of the engine", "p50", "p99"),
    )
    of_batches = {each.name for each in BATCHES}
    for workload in record["workloads"]:
        if workload["name"] in of_batches:
            continue
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
        yield from _fed(workload, found)


def _fed(workload: dict[str, Any], found: Summaries) -> Iterator[str]:
    """How many of our processes an engine can feed, where several were measured."""
    ours = found.get((workload["name"], OURS))
    if workload.get("workers", 1) > 1 and ours and ours.server and ours.engine:
        api, engine = ours.server.median, ours.engine.median
        yield ""
        yield (
            f"A write takes {api:.0f} µs of the API and {engine:.0f} µs of the engine. So by "
            f"processor time alone, with a core for each, an engine feeds {api / engine:.1f} API "
            f"processes, and takes at most {1e6 / engine:,.0f} writes a second from any number."
        )


def _columns(name: str, summary: Summary, base: Summary) -> list[str]:
    times = ""
    if summary.server and base.server and summary.server.median:
        times = f"{base.server.median / summary.server.median:.2f}"
    return [
        name,
        f"{summary.rate.median:,.0f}",
        lowest_to_highest(summary.rate),
        f"{summary.rate.median / base.rate.median:.2f}",
        microseconds(summary.server),
        lowest_to_highest(summary.server, 1),
        times,
        microseconds(summary.engine),
        milliseconds(summary.p50),
        milliseconds(summary.p99),
    ]


def _half(record: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "**PUT at half of the rate above**, sent on time whether or not answers came"
    yield ""
    yield from table(
        ("", "requests/s", "p50", "p99", "p99.9", "p99 ÷ p50", "lowest to highest"),
        [
            [
                name,
                f"{found.rate:,.0f}",
                *(milliseconds(each) for each in (found.p50, found.p99, found.p999)),
                f"{found.steadiness.median:.1f}",
                lowest_to_highest(found.steadiness, 1),
            ]
            for name, found in on_time(record).items()
        ],
    )
