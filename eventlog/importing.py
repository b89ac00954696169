"""Bringing history in: events that happened elsewhere, with their own positions or new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from itemstore.domain.events import Event, ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.evolve import ImpossibleHistory, Item, evolve
from itemstore.domain.positions import LARGEST, START, key_of, position_at
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.codec import encode_meta
from itemstore.eventlog.partition import Partition

BATCH = 500
"""Most events in one script call."""

BATCH_BYTES = 1024 * 1024
"""About how much one script call carries at most: the engine does nothing else meanwhile."""

IMPORT = Script(lua(__package__, "apply", "import"))

LATEST_MS = 24 * 60 * 60 * 1000
"""How far in the future the time of an event may be that has no position of its own: the log goes
on from there, so hardly. A position is kept as it is, for it may come from a log that is ahead."""

_WITH_BODY: dict[str, type[ItemCreated | ItemUpdated]] = {
    kind.__name__: kind for kind in (ItemCreated, ItemUpdated)
}


class ImportRefused(Exception):
    """A line that can't be imported; `line` counts from 1. Nothing was written."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason.removesuffix('.')}.")
        self.line = line


class NotItsBeginning(Exception):
    """The log is not the beginning of what is to be imported; `line` is the first that differs.

    None where the log goes on after the last line.
    """

    def __init__(self, line: int | None) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier import left in the log: `count` events, the last one at `position`."""

    count: int
    position: str


@dataclass(frozen=True, slots=True)
class Written:
    """A step of an import: how many events, up to which line, and where the log ends now."""

    count: int
    line: int
    position: str


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    """An event from elsewhere. `milliseconds` is its time since 1970, where there is no position.

    `body` is JSON as UTF-8 bytes, empty on a delete.
    """

    line: int
    type: str
    item: str
    body: bytes
    position: str | None = None
    milliseconds: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


NOTHING = Begun(0, START)


async def begun(partition: Partition, events: Iterable[ForeignEvent]) -> Begun:
    """How much of an import that keeps positions is in the log: all that the log has.

    Raises NotItsBeginning where the log is not what such an import of these events leaves when it
    is interrupted, ImportRefused, and what a failing engine raises.
    """
    ahead = iter(events)
    found = NOTHING
    async with aclosing(partition.reader.recorded_slices()) as slices:
        async for slice_ in slices:
            for recorded in slice_:
                event = next(ahead, None)
                if event is None or not _became(event, recorded, found.position):
                    raise NotItsBeginning(event.line if event else None)
                found = Begun(found.count + 1, recorded.position)
    return found


def _became(event: ForeignEvent, recorded: RecordedEvent, before: str) -> bool:
    """Whether an import made this of the event, after the position before it."""
    if recorded.event != _event(event) or dict(recorded.meta) != dict(event.meta):
        return False
    # Without an id or a time its position came from the clock, at a moment that nobody knows now.
    has_time = event.position is not None or event.milliseconds is not None
    return not has_time or recorded.position == _new_position(event, before, 0)


def checked(
    events: Iterable[ForeignEvent],
    state: Callable[[str], Item | None],
    now: int,
    *,
    keep: bool,
    begun: Begun = NOTHING,
) -> Iterator[tuple[str, ForeignEvent]]:
    """Each event with the position it will have: its own with `keep`, else `*`, a new one.

    `now`, in milliseconds since 1970, is the time of an event that has none. `state` gives what an
    item is before the import. What has `begun` is not given again. Raises ImportRefused for an
    event that the history before it does not allow, and for positions that do not go up.
    """
    items: dict[str, Item | None] = {}
    place = begun.position
    for number, event in enumerate(events):
        is_there = number < begun.count
        if not is_there:
            place = _place(event, place, now) if keep else "*"
        before = items[event.item] if event.item in items else state(event.item)
        version = before.version + 1 if before else 1
        recorded = RecordedEvent(place, version, _event(event), event.meta)
        try:
            after = evolve(before, recorded)
        except ImpossibleHistory as error:
            sentence = f"{event.type} of {event.item!r}: {error.reason}"
            raise ImportRefused(event.line, sentence) from None
        # Only what the next evolve looks at is kept: a body may be large.
        body = b"" if after.exists else None
        items[event.item] = Item(event.item, after.version, place, place, body)
        if not is_there:
            yield place, event


async def import_events(
    partition: Partition, events: Iterable[tuple[str, ForeignEvent]], after: str
) -> AsyncGenerator[Written, None]:
    """Writes checked events after the position at which the log ends, and says so step by step.

    Raises LogMoved and LogBroken, and what a failing engine raises: then the step may have been
    written.
    """
    keys = partition.keys
    for batch in steps(events, _bytes_of, most=BATCH, most_bytes=BATCH_BYTES):
        arguments: list[str | bytes] = [keys.histories, after]
        for place, event in batch:
            arguments += [place, event.type, event.item, event.body, encode_meta(event.meta)]
        reply = await partition.run(
            IMPORT, keys=[keys.events, keys.current, keys.ids], args=arguments
        )
        after = reply.decode()
        yield Written(len(batch), batch[-1][1].line, after)


def _bytes_of(placed: tuple[str, ForeignEvent]) -> int:
    _, event = placed
    return len(event.body)


def _place(event: ForeignEvent, before: str, now: int) -> str:
    if event.position is not None and key_of(event.position) <= key_of(before):
        raise ImportRefused(event.line, f"position {event.position} is not after {before}")
    if event.position is None and (event.milliseconds or 0) > now + LATEST_MS:
        reason = "its time lies more than a day in the future; mend it, or leave it out"
        raise ImportRefused(event.line, reason)
    return _new_position(event, before, now)


def _new_position(event: ForeignEvent, before: str, now: int) -> str:
    if event.position is not None:
        return event.position
    # History is not always written in the order of its clocks; positions go up all the same.
    milliseconds, number = key_of(before)
    at = event.milliseconds if event.milliseconds is not None else now
    if at > milliseconds:
        return position_at(at, 0)
    if number < LARGEST:
        return position_at(milliseconds, number + 1)
    return position_at(milliseconds + 1, 0)


def _event(event: ForeignEvent) -> Event:
    if event.type == ItemDeleted.__name__:
        return ItemDeleted(event.item)
    kind = _WITH_BODY.get(event.type)
    if kind is None:
        names = ", ".join((*_WITH_BODY, ItemDeleted.__name__))
        raise ImportRefused(event.line, f"type is {event.type[:40]!r}, not one of {names}")
    return kind(event.item, event.body)
