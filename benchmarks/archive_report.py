"""The tables of `benchmarks.archive`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.archive_puts import OFF, ON
from benchmarks.summaries import spread
from benchmarks.tables import lowest_to_highest, milliseconds, table

FLAT, RATE, LATENCY = 1.1, 0.95, 1.2
"""The marks: the memory at most, by that at the second million; PUT/s at least, p99 at most."""


def markdown(record: dict[str, Any]) -> str:
    """The report, of what was measured."""
    lines = list[str]()
    if "log" in record:
        lines += _log(record["log"])
    if "puts" in record:
        lines += _puts(record["puts"])
    if "bucket" in record:
        lines += _bucket(record["bucket"])
    if "segments" in record:
        lines += _segments(record["segments"])
    return "\n".join(lines).strip()


def _log(log: dict[str, Any]) -> list[str]:
    said = (
        f"{log['events']:,} events of {log['items']:,} items, of which the engine keeps "
        f"{log['keep_events']:,}; in memory, the same history in a store without an archive:"
    )
    marks = [log["archiving"]["fill"], *log["marks"]]
    rows = [
        [
            f"{mark['events']:,}",
            f"{mark['in_engine']:,}",
            f"{mark['megabytes']:,.0f} MB",
            f"{other['megabytes']:,.0f} MB",
        ]
        for mark, other in zip(marks, log["in_memory"], strict=True)
    ]
    head = ("events stored", "in the engine", "engine memory", "all in memory")
    return [
        *(said, "", *table(head, rows), ""),
        *(*table(("", "measured", "mark", ""), list(_marks(log))), ""),
        *(*table(("", "took", "events/s", "memory"), list(_work(log))), ""),
        *(*table(("", "measured"), list(_numbers(log))), ""),
    ]


def _marks(log: dict[str, Any]) -> Iterator[list[str]]:
    sizes = [mark["megabytes"] for mark in log["marks"]]
    growth = max(sizes) / sizes[0]
    yield _row("engine memory, at most, by that at the second tenth", growth, "at most", FLAT)
    same = log["digest"] == log["rows_digest_in_memory"]
    yield _said("`verify` is clean, its digest is that of the history in memory", is_met=same)
    same = log["restore"]["rows_digest"] == log["rows_digest_in_memory"]
    yield _said("the digest of what was restored is the same", is_met=same)
    whole = log["lines"]["events"] == log["events"]
    yield _said("JSON lines from the start have every event", is_met=whole)
    for name, each in log["compared"].items():
        yield _said(f"{each['reads']:,} × {name}: {each['wrong']} wrong", is_met=not each["wrong"])


def _work(log: dict[str, Any]) -> Iterator[list[str]]:
    archiving, events = log["archiving"], log["events"]
    yield _timed("archiving what a server finds at its start", archiving)
    later = events - archiving["events"]
    yield _timed("storing beside the archiver", {"events": later, "seconds": log["fill_seconds"]})
    yield _timed("JSON lines from the start", log["lines"])
    for verb in ("verify", "rebuild", "restore"):
        yield [
            *_timed(verb, {"events": events, **log[verb]})[:3],
            f"{log[verb]['megabytes']:.0f} MB",
        ]


def _timed(what: str, run: dict[str, Any]) -> list[str]:
    return [what, f"{run['seconds']:.1f} s", f"{run['events'] / run['seconds']:,.0f}", ""]


def _numbers(log: dict[str, Any]) -> Iterator[list[str]]:
    archive, old = log["archive"], log["old_version"]
    for kind, size in archive["bytes_an_event"].items():
        yield [f"bytes an event in {kind}", f"{size:.1f}"]
        yield [kind, f"{archive[f'number_of_{kind}']:,}"]
    yield ["an old version from the directory, p50", f"{old['p50']:.2f} ms"]
    yield ["an old version from the directory, p99", f"{old['p99']:.2f} ms"]


def _puts(found: Sequence[dict[str, Any]]) -> list[str]:
    rows, ratios = [], {}
    for name in (OFF, ON):
        rounds = [each for each in found if each["name"] == name]
        rates = spread(each["rate"] for each in rounds)
        p99 = spread(each["p99"] for each in rounds)
        ratios[name] = (rates.median, p99.median)
        p50 = median(each["p50"] for each in rounds)
        cells = (f"{rates.median:,.0f}", lowest_to_highest(rates))
        rows.append([name, *cells, milliseconds(p50), milliseconds(p99.median)])
    rate, p99_ratio = (on / off for on, off in zip(ratios[ON], ratios[OFF], strict=True))
    marks = [
        _row("PUT/s with archiving on, by those with it off", rate, "at least", RATE),
        _row("p99 with archiving on, by that with it off", p99_ratio, "at most", LATENCY),
    ]
    head = ("PUT", "requests/s", "lowest to highest", "p50", "p99")
    return [*table(head, rows), "", *table(("", "measured", "mark", ""), marks), ""]


def _bucket(found: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        [
            "no cache" if not each["cache"] else f"a cache of {each['cache'] >> 20} MiB",
            f"{each['p50']:.2f} ms",
            f"{each['p99']:.2f} ms",
        ]
        for each in found
    ]
    return [*table(("an old version from a bucket", "p50", "p99"), rows), ""]


def _segments(found: Sequence[dict[str, Any]]) -> list[str]:
    head = ("segments", "indexes", "reads for a first old version", "at most", "for one of 100")
    rows = [
        [
            f"{each['segments']:,}",
            f"{each['indexes']:,}",
            f"{each['first']:.1f}",
            f"{each['first_at_most']}",
            f"{each['of_many']:.1f}",
        ]
        for each in found
    ]
    return [*table(head, rows), ""]


def _row(what: str, measured: float, side: str, bound: float) -> list[str]:
    is_met = measured >= bound if side == "at least" else measured <= bound
    return [what, f"{measured:.2f}", f"{side} {bound}", "met" if is_met else "MISSED"]


def _said(what: str, *, is_met: bool) -> list[str]:
    return [what, "", "", "met" if is_met else "MISSED"]
