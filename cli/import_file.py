"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itemstore.cli.errors import Stop
from itemstore.cli.import_source import Source, opened
from itemstore.cli.import_spool import Spool, SpoolFailed, spool
from itemstore.cli.interruption import Interrupted, postponed
from itemstore.cli.output import say
from itemstore.cli.progress import reported
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.importing import (
    Check,
    ImportRefused,
    NotItsBeginning,
    Step,
    import_events,
    in_batches,
)
from itemstore.eventlog.readiness import log_end
from itemstore.projections.progress import Progress, Report
from itemstore.projections.row import decode
from itemstore.store.store import Store

AT_ONCE = 100
"""Rows that are asked for together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be imported after the position `last`: `total` events, and `there` in the log."""

    name: str
    appends: bool
    last: str
    there: int
    total: int


async def import_file(store: Store, path: Path | None, *, append: bool) -> int:
    """How many events were imported. All of the file is checked before the first is written.

    Without `append` the log may be empty, or what an interrupted import of the same file left.
    Raises Stop for a line that can't be imported, before anything is written.
    """
    last = await store.log.reader.last_position()
    with opened(path) as source, spool() as kept, reported(quiet=False) as report:
        try:
            there, total = await _checked(store, source, kept, report, append=append)
        except (ImportRefused, SpoolFailed) as error:
            raise Stop(str(error)) from None
        except NotItsBeginning as error:
            raise Stop(_not_its_beginning(last, error)) from None
        except Interrupted:
            say("Interrupted; nothing was imported.")
            raise
        if there:
            say(f"{_events(there)} in the log already")
        await _write(store, Plan(source.name, append, last, there, total), kept, report)
    end = await log_end(store.partition.client, await store.log.reader.last_position())
    if end.sentence is not None:
        say(end.sentence)
    return total


async def _checked(
    store: Store, source: Source, kept: Spool, report: Report, *, append: bool
) -> tuple[int, int]:
    """How many events are in the log already, and how many `kept` has now, all of them checked."""
    check = Check(int(time.time() * 1000), keep=not append)
    events = source.events()
    there = 0 if append else await check.past_what_is_in(store.partition, events)
    total = 0
    for some in in_batches(events) if append else [events]:
        if append:
            unknown = {event.item for event in some} - check.exists.keys()
            check.exists |= await _existing(store, unknown)
        for step in check.checked(some):
            kept.add(step)
            total += step.count
            report(Progress("checking", total, 0))
    return there, total


async def _write(store: Store, plan: Plan, kept: Spool, report: Report) -> None:
    """Imports what was checked. Raises Stop and Interrupted, and says before how far it came."""
    done, line, last = 0, 0, plan.last
    steps = import_events(store.partition, _with_room(kept.steps(), store.disk), last)
    try:
        # A signal waits for the end of a step, so that what is said here is what there is.
        with postponed() as check:
            async with aclosing(steps) as writing:
                async for step in writing:
                    done, line, last = done + step.count, step.line, step.position
                    report(Progress("importing", done, plan.total))
                    check()
    except Interrupted:
        say(f"Interrupted. {_left_off(plan, done, line)}")
        raise
    except (LogUnavailable, LogFull, LogBroken, SpoolFailed) as error:
        doubt = await _in_doubt(store, last) if plan.appends else ""
        raise Stop(f"{error} {doubt}{_left_off(plan, done, line)}") from None
    except LogMoved as error:
        message = (
            f"{error} {_events(plan.there + done)} in the log, and they stay. To start over, use "
            "an empty log."
        )
        raise Stop(message) from None


def _left_off(plan: Plan, done: int, line: int) -> str:
    """How much was imported, and how to go on."""
    there, wanted = plan.there + done, plan.there + plan.total
    if there == 0:
        return "Nothing was imported."
    said = f"{there:,} of {wanted:,} events are in the log"
    if not plan.appends:
        return f"{said}; run the same command again to go on."
    name = "FILE" if plan.name == "stdin" else shlex.quote(plan.name)
    return (
        f"{said}, those of the first {line:,} lines. To go on with the rest: "
        f"tail -n +{line + 1} {name} | itemstore import --append"
    )


async def _in_doubt(store: Store, last: str) -> str:
    """A sentence where the step that failed may have been written all the same."""
    try:
        end = await store.log.reader.last_position()
    except LogUnavailable:
        end = None
    if end == last:
        return ""
    return "The last step may have been written too: look at `itemstore tail` before you go on. "


def _not_its_beginning(last: str, error: NotItsBeginning) -> str:
    where = f"line {error.line} is not in it" if error.line else "it goes on after the last line"
    return (
        f"The log has events already, up to {last}, and is not the beginning of this import: "
        f"{where}. Import into an empty log, or use --append, which gives the events new positions."
    )


def _events(count: int) -> str:
    return f"{count} {'event is' if count == 1 else 'events are'}"


def _with_room(steps: Iterable[Step], disk: DiskSpace) -> Iterator[Step]:
    """The steps, for as long as there is room for them. Raises LogFull."""
    for step in steps:
        disk.check()
        yield step


async def _existing(store: Store, items: Iterable[str]) -> dict[str, bool]:
    """Of each item, whether it exists now."""
    names = sorted(items)
    found: dict[str, bool] = {}
    partition = store.partition
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        with translated():
            rows: Any = await partition.client.hmget(partition.keys.current, some)
        for name, row in zip(some, rows, strict=True):
            found[name] = row is not None and decode(name, row).exists
    return found
