"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from itemstore.cli.errors import Stop
from itemstore.cli.import_source import Source, opened
from itemstore.cli.import_spool import Spool, SpoolFailed, spool
from itemstore.cli.import_target import Target
from itemstore.cli.interruption import Interrupted, postponed
from itemstore.cli.output import say
from itemstore.cli.progress import reported
from itemstore.engine.errors import LogArchived, LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.import_check import ImportCheck, NotItsBeginning
from itemstore.eventlog.importing import ImportRefused, Step, in_batches
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.readiness import log_end
from itemstore.eventlog.what_is_there import WhatIsThere
from itemstore.projections.progress import Progress, Report
from itemstore.projections.row import decode
from itemstore.store.store import Store

AT_ONCE = 100
"""Rows that are asked for together."""

MOST_STEPS = 16
"""Script calls whose events are in memory at once; each is for one partition of the store."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be imported, and where: `total` events, and `there` in the log already."""

    name: str
    appends: bool
    target: Target
    there: int
    total: int


@dataclass
class Written:
    """How much of a plan is written: the events of all lines up to `line`.

    And of the lines after that, up to `until`, those in the partitions `partly`.
    """

    events: int = 0
    line: int = 0
    until: int = 0
    partly: list[int] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Notes that a step was written."""
        self.events += step.count
        self.until = step.line
        if step.is_last:
            self.line, self.partly = step.line, []
        else:
            self.partly.append(step.partition)


async def import_file(
    store: Store, path: Path | None, *, append: bool, only: str | None = None
) -> int:
    """How many events were imported. All of the file is checked before the first is written.

    Without `append` the log may be empty, or what an interrupted import of the same file left.
    `only` is the name of the collection that all go to. Raises NoSuchCollection, and Stop for a
    line that can't be imported, before anything is written.
    """
    target = await Target.of(store, only)
    with opened(path) as source, spool() as kept, reported(quiet=False) as report:
        plan = await planned(target, source, kept, report, append=append)
        if plan.there:
            say(f"{_events(plan.there)} in the log already")
        await _write(store, plan, kept, report)
    end = await log_end(store.partition.client, target.end)
    if end.sentence is not None:
        say(end.sentence)
    return plan.total


async def planned(
    target: Target, source: Source, kept: Spool, report: Report, *, append: bool
) -> Plan:
    """What `kept` has now: all events that are not in the log already, checked.

    Raises Stop for a line that can't be imported, and Interrupted.
    """
    try:
        there, total = await _checked(target, source, kept, report, append=append)
    except (ImportRefused, SpoolFailed) as error:
        raise Stop(str(error)) from None
    except NotItsBeginning as error:
        raise Stop(_not_its_beginning(target.end, error)) from None
    except Interrupted as interruption:
        interruption.tell("Interrupted; nothing was imported.")
        raise
    return Plan(source.name, append, target, there, total)


async def _checked(
    target: Target, source: Source, kept: Spool, report: Report, *, append: bool
) -> tuple[int, int]:
    """How many events are in the log already, and how many `kept` has now, all of them checked."""
    check = ImportCheck(
        int(time.time() * 1000),
        keep=not append,
        collection_of=target.collection_of,
        archived=await target.archived(),
    )
    there = total = 0
    logs = [] if append else [WhatIsThere(log) for log in target.logs]
    try:
        for read in in_batches(source.events(), min(len(target.ends), MOST_STEPS)):
            new = read
            if append:
                unknown = {(target.collection_of(event), event.item) for event in read}
                check.exists |= await _existing(target, unknown - check.exists.keys())
            else:
                new = await check.not_there(logs, read)
                there += len(read) - len(new)
            for step in check.checked(new):
                if not append:
                    await target.check_free(step)
                kept.add(step)
                total += step.count
                report(Progress("checking", total, 0))
        for log in logs:
            if await log.next() is not None:
                raise NotItsBeginning(None)
    finally:
        for log in logs:
            await log.aclose()
    return there, total


async def _write(store: Store, plan: Plan, kept: Spool, report: Report) -> None:
    """Imports what was checked. Raises Stop and Interrupted, and says before how far it came."""
    written, target = Written(), plan.target
    try:
        # A signal waits for the end of a step, so that what is said here is what there is.
        with postponed() as check:
            store.disk.check()
            await target.begin()
            for step in kept.steps():
                store.disk.check()
                await target.write(step)
                written.add(step)
                report(Progress("importing", written.events, plan.total))
                if not written.partly:
                    check()
    except Interrupted as interruption:
        interruption.tell(f"Interrupted. {_left_off(plan, written)}")
        raise
    except (LogUnavailable, LogFull, LogBroken, SpoolFailed) as error:
        doubt = await _in_doubt(target) if plan.appends else ""
        raise Stop(f"{error} {doubt}{_left_off(plan, written)}") from None
    except LogArchived as error:  # it was archived since it was checked
        raise Stop(f"{error} {_left_off(plan, written)}") from None
    except LogMoved as error:
        message = (
            f"{error} {_events(plan.there + written.events)} in the log, and they stay. To start "
            "over, use an empty log."
        )
        raise Stop(message) from None


def _left_off(plan: Plan, written: Written) -> str:
    """How much was imported, and how to go on."""
    there, wanted = plan.there + written.events, plan.there + plan.total
    if there == 0:
        return "Nothing was imported."
    said = f"{there:,} of {wanted:,} events are in the log"
    if not plan.appends:
        return f"{said}; run the same command again to go on."
    said += f", those of the first {written.line:,} lines"
    if written.partly:
        numbers = ", ".join(map(str, written.partly))
        said += (
            f", and of the lines up to {written.until:,} those whose items are in the partitions "
            f"{numbers} (docs/cluster.md says which these are); leave them out as you go on"
        )
    name = "FILE" if plan.name == "stdin" else shlex.quote(plan.name)
    return (
        f"{said}. To go on with the rest: "
        f"tail -n +{written.line + 1} {name} | itemstore import --append{plan.target.option}"
    )


async def _in_doubt(target: Target) -> str:
    """A sentence where the step that failed may have been written all the same."""
    with suppress(LogUnavailable):
        if await target.ends_now() == target.ends:
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


async def _existing(
    target: Target, items: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], bool]:
    """Of each item, by its collection and its id, whether it exists now."""
    found: dict[tuple[str, str], bool] = {}
    by_partition: dict[str, tuple[Partition, str, list[str]]] = {}
    for collection, item in sorted(items):
        partition = target.partition_of(collection, item)
        by_partition.setdefault(partition.keys.current, (partition, collection, []))[2].append(item)
    for partition, collection, names in by_partition.values():
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            with translated():
                rows: Any = await partition.client.hmget(partition.keys.current, some)
            for name, row in zip(some, rows, strict=True):
                found[collection, name] = row is not None and decode(name, row).exists
    return found
