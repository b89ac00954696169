"""`itemstore tail`, `history` and `export`: the log on stdout."""

from __future__ import annotations

from api.cloudevents import POSITION, encode
from cli.connection import Connection
from cli.errors import Stop
from cli.escaped import escaped
from cli.output import say, write_data, write_text
from domain.events import ItemDeleted, RecordedEvent
from eventlog.entries import recorded_slices
from eventlog.log import EventLog
from eventlog.positions import START

PAGE = 100
LAST = 10
"""Events that `tail` shows where it is not told where to start."""


async def tail(connection: Connection, *, after: str | None, follow: bool, as_json: bool) -> None:
    """The newest events, or those behind a position; with `follow` those to come as well."""
    log = connection.log
    position = await start_of(log, after) if after else await log.before_last(LAST)
    async for recorded in recorded_slices(connection.redis, connection.keys, position):
        position = recorded[-1].position
        show(recorded, as_json=as_json)
    if follow:
        async for recorded in log.follow(position, PAGE):
            show(recorded, as_json=as_json)


async def history(connection: Connection, item: str, *, as_json: bool) -> None:
    """All events of one item. Raises Stop where it never existed."""
    if not item.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in item):
        message = f"An item's id is UTF-8; {item!r} was typed as something else."
        raise Stop(message)
    version = 0
    while recorded := await connection.log.history(item, version, PAGE):
        version = recorded[-1].version
        show(recorded, as_json=as_json)
    if version == 0:
        message = f"There is no item {item!r}, and never was."
        raise Stop(message)


async def export(connection: Connection, *, after: str | None) -> None:
    """The log behind a position, one CloudEvents object a line."""
    position = await start_of(connection.log, after) if after else START
    count = 0
    async for recorded in recorded_slices(connection.redis, connection.keys, position):
        count += len(recorded)
        show(recorded, as_json=True)
    say(f"{count} {'event' if count == 1 else 'events'} exported")


def show(recorded: list[RecordedEvent], *, as_json: bool) -> None:
    """Writes events, one a line, and no longer keeps them to itself."""
    if as_json:
        write_data(b"".join(encode(each) + b"\n" for each in recorded))
    else:
        write_text("\n".join(map(_line, recorded)))


async def start_of(log: EventLog, after: str) -> str:
    """The position to start behind. Raises Stop for what is none, and for a lost one."""
    if not POSITION.fullmatch(after):
        message = f"--after takes a position, <milliseconds>-<number>, not {after!r}."
        raise Stop(message)
    if after != START and await log.is_gone(after):
        message = f"The log no longer has what came after {after}; leave --after out."
        raise Stop(message)
    return after


def _line(recorded: RecordedEvent) -> str:
    event = recorded.event
    body = "" if isinstance(event, ItemDeleted) else " " + event.body.decode()
    time = recorded.time.strftime("%Y-%m-%d %H:%M:%S")
    item = f"{event.item} v{recorded.version}"
    return f"{recorded.position}  {time}  {recorded.type}  {escaped(item + body)}"
