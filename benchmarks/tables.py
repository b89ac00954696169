"""Numbers as Markdown, for people."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.summaries import Spread


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the columns after the first are numbers."""
    line = "| --- |" + " ---: |" * (len(head) - 1)
    return [_row(head), line, *map(_row, rows)]


def milliseconds(microseconds: float) -> str:
    """A latency."""
    return f"{microseconds / 1000:.2f} ms"


def microseconds(time: Spread | None) -> str:
    """A processor time, where it is known."""
    return "" if time is None else f"{time.median:.1f} µs"


def lowest_to_highest(values: Spread | None, digits: int = 0) -> str:
    """The spread of what is known."""
    if values is None:
        return ""
    return f"{values.lowest:,.{digits}f} to {values.highest:,.{digits}f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
