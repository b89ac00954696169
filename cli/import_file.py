"""`itemstore import`: JSON lines into the log."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from itemstore.cli.errors import Stop
from itemstore.cli.import_source import Source, opened
from itemstore.cli.interruption import Interrupted, postponed
from itemstore.cli.output import say
from itemstore.cli.progress import reported
from itemstore.domain.evolve import Item
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.importing import (
    NOTHING,
    Begun,
    ForeignEvent,
    ImportRefused,
    NotItsBeginning,
    begun,
    checked,
    import_events,
)
from itemstore.eventlog.readiness import log_end
from itemstore.projections.progress import Progress, Report
from itemstore.projections.row import decode
from itemstore.store.store import Store

AT_ONCE = 100
"""Rows that are asked for together."""

STEP = 1000
"""Lines between two reports of how far the check is."""

CheckedEvent = tuple[str, ForeignEvent]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be imported: the source, what of it is in the log, and what was found out."""

    source: Source
    begun: Begun
    states: Mapping[str, Item | None]
    appends: bool
    now: int

    def events(self) -> Iterator[CheckedEvent]:
        """What is not in the log yet. Raises ImportRefused."""
        return checked(
            self.source.events(),
            self.states.get,
            self.now,
            keep=not self.appends,
            begun=self.begun,
        )


async def import_file(store: Store, path: Path | None, *, append: bool) -> int:
    """How many events were imported. All of the file is checked before the first is written.

    Without `append` the log may be empty, or what an interrupted import of the same file left.
    Raises Stop for a line that can't be imported, before anything is written.
    """
    last = await store.log.reader.last_position()
    with opened(path) as source, reported(quiet=False) as report:
        try:
            plan = await _planned(store, source, append=append)
            total = _counted(plan, report)
        except ImportRefused as error:
            raise Stop(str(error)) from None
        except NotItsBeginning as error:
            raise Stop(_not_its_beginning(last, error)) from None
        except Interrupted:
            say("Interrupted; nothing was imported.")
            raise
        if plan.begun.count:
            say(f"{_events(plan.begun.count)} in the log already")
        await _write(store, plan, last, total, report)
    end = await log_end(store.partition.client, await store.log.reader.last_position())
    if end.sentence is not None:
        say(end.sentence)
    return total


async def _planned(store: Store, source: Source, *, append: bool) -> Plan:
    # The time is taken once: what the first pass admits, the second does.
    now = int(time.time() * 1000)
    if append:
        states = await _states(store, source)
        return Plan(source, NOTHING, states, appends=True, now=now)
    there = await begun(store.partition, source.events())
    return Plan(source, there, {}, appends=False, now=now)


def _counted(plan: Plan, report: Report) -> int:
    count = 0
    for count, _ in enumerate(plan.events(), start=1):
        if count % STEP == 0:
            report(Progress("checking", count, 0))
    return count


async def _write(store: Store, plan: Plan, last: str, total: int, report: Report) -> None:
    """Imports what was checked. Raises Stop and Interrupted, and says before how far it came."""
    done, line = 0, 0
    steps = import_events(
        store.partition,
        _with_room(plan.events(), store.disk),
        last,
    )
    try:
        # A signal waits for the end of a step, so that what is said here is what there is.
        with postponed() as check:
            async with aclosing(steps) as writing:
                async for step in writing:
                    done, line, last = done + step.count, step.line, step.position
                    report(Progress("importing", done, total))
                    check()
    except Interrupted:
        say(f"Interrupted. {_left_off(plan, done, line, total)}")
        raise
    except (LogUnavailable, LogFull, LogBroken) as error:
        doubt = await _in_doubt(store, last) if plan.appends else ""
        raise Stop(f"{error} {doubt}{_left_off(plan, done, line, total)}") from None
    except (LogMoved, ImportRefused) as error:  # the file was changed meanwhile
        message = (
            f"{error} {_events(plan.begun.count + done)} in the log, and they stay. To start "
            "over, use an empty log."
        )
        raise Stop(message) from None


def _left_off(plan: Plan, done: int, line: int, total: int) -> str:
    """How much was imported, and how to go on."""
    there, wanted = plan.begun.count + done, plan.begun.count + total
    if there == 0:
        return "Nothing was imported."
    said = f"{there:,} of {wanted:,} events are in the log"
    if not plan.appends:
        return f"{said}; run the same command again to go on."
    name = "FILE" if plan.source.name == "stdin" else shlex.quote(plan.source.name)
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


def _with_room(events: Iterable[CheckedEvent], disk: DiskSpace) -> Iterator[CheckedEvent]:
    """The events, for as long as there is room for them. Raises LogFull."""
    for event in events:
        disk.check()
        yield event


async def _states(store: Store, source: Source) -> dict[str, Item | None]:
    """The items of the file as they are now, without their bodies, which may be large."""
    names = sorted({event.item for event in source.events()})
    states: dict[str, Item | None] = {}
    partition = store.partition
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        with translated():
            rows: Any = await partition.client.hmget(partition.keys.current, some)
        for name, row in zip(some, rows, strict=True):
            item = None if row is None else decode(name, row)
            states[name] = item and replace(item, body=b"" if item.exists else None)
    return states
