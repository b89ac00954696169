"""`itemstore tail`, `history` and `export`: the log on stdout."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import aclosing

from itemstore.cli.errors import Stop, told
from itemstore.cli.interruption import Interrupted, at_once, postponed
from itemstore.cli.output import say, write_data, write_text
from itemstore.cli.progress import reported
from itemstore.cli.terminal_text import escaped
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.domain.positions import START, position_of
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.entries import recorded_slices
from itemstore.eventlog.log import EventLog
from itemstore.projections.progress import Progress
from itemstore.store.cloudevents import encode
from itemstore.store.store import Store

PAGE = 100
LAST = 10
"""Events that `tail` shows where it is not told where to start."""


async def tail(store: Store, *, after: str | None, as_json: bool) -> str:
    """Shows the newest events, or those after a position; the position of the last one."""
    log = store.log
    position = await start_of(log, after) if after else await log.before_last(LAST)
    return await show_behind(store, position, as_json=as_json)


async def show_behind(store: Store, position: str, *, as_json: bool) -> str:
    """Shows the events after a position; that of the last one."""
    async with aclosing(recorded_slices(store.partition, position)) as slices:
        async for recorded in slices:
            position = recorded[-1].position
            show(recorded, as_json=as_json)
    return position


async def history(store: Store, item: str, *, as_json: bool) -> None:
    """All events of one item. Raises Stop where it never existed."""
    if any("\ud800" <= sign <= "\udfff" for sign in item):
        message = f"An item's id is UTF-8; {item!r} was typed as something else."
        raise Stop(message)
    version = 0
    while recorded := await store.log.history(item, version, PAGE):
        version = recorded[-1].version
        show(recorded, as_json=as_json)
    if version == 0:
        message = f"There is no item {item!r}, and never was."
        raise Stop(message)


async def export(store: Store, *, after: str | None) -> None:
    """The log after a position, one CloudEvents object a line.

    Raises Stop where it breaks off, as when the engine is another process's, and that ends.
    """
    position = await start_of(store.log, after) if after else START
    count, total = 0, await store.log.length()
    try:
        # In a file no line may be torn, and what is said here has to be what is there. A pipe's
        # reader may stop reading, and a signal can't wait for that.
        interruption = postponed() if stat.S_ISREG(os.fstat(1).st_mode) else at_once()
        with reported(quiet=sys.stdout.isatty()) as report, interruption as check:
            slices = recorded_slices(store.partition, position)
            async with aclosing(slices) as reading:
                async for recorded in reading:
                    show(recorded, as_json=True)
                    count, position = count + len(recorded), recorded[-1].position
                    check()
                    report(Progress("exported", count, 0 if after else max(total, count)))
    except LogUnavailable as error:
        raise Stop(f"{told(error)} {_broken_off(count, position)}") from None
    except Interrupted:
        say(f"Interrupted. {_broken_off(count, position)}")
        raise
    say(f"{count} {'event' if count == 1 else 'events'} exported")


def _broken_off(count: int, position: str) -> str:
    said = f"{count} {'event was' if count == 1 else 'events were'} exported, and not all."
    return f"{said} To go on: itemstore export --after {position}" if count else said


def show(recorded: list[RecordedEvent], *, as_json: bool) -> None:
    """Writes events, one a line, and no longer keeps them to itself."""
    if as_json:
        write_data(b"".join(encode(each) + b"\n" for each in recorded))
    else:
        write_text("\n".join(map(_line, recorded)))


async def start_of(log: EventLog, after: str) -> str:
    """The position to start after.

    Raises Stop for what is none, for a lost one, and for one from ahead of the log.
    """
    position = position_of(after)
    if position is None:
        message = f"--after takes a position, <milliseconds>-<number>, not {after!r}."
        raise Stop(message)
    if position == START:
        return position
    ends = await log.ends()
    if ends.lacks_after(position):
        message = f"The log no longer has what came after {after}; leave --after out."
        raise Stop(message)
    if ends.are_before(position):
        message = (
            f"The position {after} is from ahead of the log, which ends at {ends.end}: it is of "
            "another log, or of a newer state of this one. Leave --after out."
        )
        raise Stop(message)
    return position


def _line(recorded: RecordedEvent) -> str:
    event = recorded.event
    body = "" if isinstance(event, ItemDeleted) else " " + event.body.decode()
    time = recorded.time.strftime("%Y-%m-%d %H:%M:%S")
    item = f"{event.item} v{recorded.version}"
    return f"{recorded.position}  {time}  {recorded.type}  {escaped(item + body)}"
