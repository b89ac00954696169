"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from itemstore.cli.output import say
from itemstore.projections.progress import Progress as Step
from itemstore.projections.progress import Report, unreported

LINE_SECONDS = 2.0


@contextmanager
def reported(*, quiet: bool) -> Iterator[Report]:
    """What a rebuild or a verification reports to while it goes on."""
    if quiet:
        yield unreported
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None, rate="")

        def report(step: Step) -> None:
            seconds = max(time.monotonic() - began, 0.001)
            rate = f"{step.events / seconds:,.0f} {step.unit}/s"
            bar.update(
                task,
                description=step.stage,
                completed=step.events,
                total=step.total or None,
                rate=rate,
            )

        yield report


def _lines() -> Report:
    next_line = time.monotonic() + LINE_SECONDS

    def report(step: Step) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            next_line = time.monotonic() + LINE_SECONDS
            total = f" of {step.total}" if step.total else ""
            say(f"{step.stage}: {step.events}{total} {step.unit}")

    return report
