"""Events on stdout: for people one a line, for machines as CloudEvents."""

from __future__ import annotations

from contextlib import aclosing

from itemstore.cli.errors import Stop
from itemstore.cli.output import write_data, write_text
from itemstore.cli.terminal_text import escaped
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.domain.positions import START, position_of
from itemstore.eventlog.log import EventLog
from itemstore.store.cloudevents import encode
from itemstore.store.store import Store

PAGE = 100
LAST = 10
"""Events that `tail` shows where it is not told where to start."""


async def show_newest(store: Store, *, after: str | None, as_json: bool) -> str:
    """Shows the newest events, or those after a position; the position of the last one."""
    log = store.log
    position = await start_of(log, after) if after else await log.reader.before_last(LAST)
    return await show_after(store, position, as_json=as_json)


async def show_after(store: Store, position: str, *, as_json: bool) -> str:
    """Shows the events after a position; the position of the last one."""
    async with aclosing(store.log.reader.recorded_slices(position)) as slices:
        async for recorded in slices:
            position = recorded[-1].position
            show(recorded, as_json=as_json)
    return position


def show(recorded: list[RecordedEvent], *, as_json: bool) -> None:
    """Writes events to stdout, one a line."""
    if as_json:
        write_data(b"".join(encode(each) + b"\n" for each in recorded))
    else:
        write_text("\n".join(map(_line, recorded)))


async def start_of(log: EventLog, after: str) -> str:
    """The position to start after.

    Raises Stop for a text that is no position, for a lost one, and for one ahead of the log.
    """
    position = position_of(after)
    if position is None:
        message = f"--after takes a position, <milliseconds>-<number>, not {after!r}."
        raise Stop(message)
    if position == START:
        return position
    ends = await log.reader.extent()
    if ends.lacks_after(position):
        message = f"The log no longer has what came after {after}; leave --after out."
        raise Stop(message)
    if ends.is_before(position):
        message = (
            f"The position {after} is ahead of the log, which ends at {ends.end}: it belongs to "
            "another log, or to a newer state of this one. Leave --after out."
        )
        raise Stop(message)
    return position


def _line(recorded: RecordedEvent) -> str:
    event = recorded.event
    body = "" if isinstance(event, ItemDeleted) else " " + event.body.decode()
    time = recorded.time.strftime("%Y-%m-%d %H:%M:%S")
    item = f"{event.item} v{recorded.version}"
    return f"{recorded.position}  {time}  {recorded.type}  {escaped(item + body)}"
