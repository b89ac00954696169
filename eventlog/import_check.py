"""What is checked of history that comes in, before any of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from itemstore.domain.events import (
    ITEMS,
    Event,
    ItemCreated,
    ItemDeleted,
    ItemUpdated,
    RecordedEvent,
)
from itemstore.domain.evolve import ImpossibleHistory, Item, evolve
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import LARGEST, START, key_of, position_at
from itemstore.engine.steps import steps
from itemstore.eventlog.codec import encode_meta
from itemstore.eventlog.importing import (
    BATCH,
    BATCH_BYTES,
    ForeignEvent,
    ImportRefused,
    Step,
    bytes_of,
)
from itemstore.eventlog.what_is_there import WhatIsThere

LATEST_MS = 24 * 60 * 60 * 1000
"""How far in the future the time of an event may be that has no position of its own: the log goes
on from there, so hardly. A position is kept as it is, for it may come from a log that is ahead."""

_WITH_BODY: dict[str, type[ItemCreated | ItemUpdated]] = {
    kind.__name__: kind for kind in (ItemCreated, ItemUpdated)
}


class NotItsBeginning(Exception):
    """The log is not the beginning of what is to be imported; `line` is the first that differs.

    None where the log goes on after the last line.
    """

    def __init__(self, line: int | None) -> None:
        super().__init__(line)
        self.line = line


CollectionOf = Callable[[ForeignEvent], str]
"""The name of the collection that an event is for. Raises ImportRefused."""


class ImportCheck:
    """Whether events can follow one another, and the position that each will have.

    `now`, in milliseconds since 1970, is the time of an event that has none. With `keep` an event
    keeps its own position, else it gets a new one. `collection_of` says which collection an event
    is for. `exists` says of items, by collection and id, whether they exist before the next event;
    those that it does not name do not. `archived` is, for each partition of the store, a position
    up to which no event may come in.
    """

    def __init__(
        self,
        now: int,
        *,
        keep: bool,
        collection_of: CollectionOf | None = None,
        archived: Sequence[str] = (START,),
    ) -> None:
        self.exists: dict[tuple[str, str], bool] = {}
        self.collection_of = collection_of or (lambda _: ITEMS)
        self._now = now
        self._keep = keep
        self._archived = archived
        self._last = [key_of(START)] * len(archived)

    async def not_there(
        self, logs: Sequence[WhatIsThere], events: Iterable[ForeignEvent]
    ) -> list[ForeignEvent]:
        """Those of the next events that are not in the logs, one for each partition, already.

        Raises NotItsBeginning where these are not what an import of these events that keeps
        positions leaves when it is interrupted, ImportRefused, and what a failing engine raises.
        """
        if all(log.is_over for log in logs):
            return [*events]
        new = []
        for event in events:
            number = self._partition_of(event)
            recorded = await logs[number].next()
            if recorded is None:
                new.append(event)
                continue
            if not self._became(event, recorded, self._last[number]):
                raise NotItsBeginning(event.line)
            self._follow(event, recorded.collection)
            self._last[number] = key_of(recorded.position)
        return new

    def checked(self, events: Iterable[ForeignEvent]) -> Iterator[Step]:
        """The events in script calls, each of them for one partition. Raises ImportRefused.

        That is for an event that the history before it does not allow, and for positions that do
        not go up within a partition.
        """
        placed: dict[int, list[_Placed]] = {}
        line = 0
        for event in events:
            placed.setdefault(self._partition_of(event), []).append((*self.place(event), event))
            line = event.line
        has_several = len(self._last) > 1
        for number, all_of_it in placed.items():
            batches = [*steps(all_of_it, _bytes_placed, most=BATCH, most_bytes=BATCH_BYTES)]
            for batch in batches:
                of_batch = line if has_several else batch[-1][-1].line
                is_last = not has_several or (number == [*placed][-1] and batch is batches[-1])
                yield _step(batch, of_batch, number, is_last=is_last)

    def place(self, event: ForeignEvent) -> tuple[str, str]:
        """The collection and the position of the next event, `*` for a new one.

        Raises ImportRefused.
        """
        collection = self.collection_of(event)
        place = self._next_position(event) if self._keep else "*"
        self._follow(event, collection)
        return collection, place

    def _partition_of(self, event: ForeignEvent) -> int:
        partitions = len(self._last)
        return 0 if partitions == 1 else partition_of(event.item, partitions)

    def _next_position(self, event: ForeignEvent) -> str:
        number = self._partition_of(event)
        last, archived = self._last[number], self._archived[number]
        key = _next_key(event, last, self._now)
        if event.position is not None and key <= last:
            raise ImportRefused(event.line, self._why_not_after(event.position, number))
        if event.position is None and (event.milliseconds or 0) > self._now + LATEST_MS:
            reason = "its time lies more than a day in the future; mend it, or leave it out"
            raise ImportRefused(event.line, reason)
        if key <= key_of(archived):
            reason = (
                f"the archive holds the log up to {archived}, and nothing can come in before "
                "that any more. Use --append, which gives the events new positions"
            )
            raise ImportRefused(event.line, reason)
        self._last[number] = key
        return event.position or position_at(*key)

    def _why_not_after(self, position: str, number: int) -> str:
        last = position_at(*self._last[number])
        where = f" in partition {number} of this store" if len(self._last) > 1 else ""
        reason = f"position {position} is not after {last}{where}"
        if position != last:
            return reason
        return (
            f"{reason}. Two events may have one position where their store has several partitions. "
            "Import into a store with a multiple of that number, or use --append, which gives new "
            "positions"
        )

    def _became(self, event: ForeignEvent, recorded: RecordedEvent, last: tuple[int, int]) -> bool:
        """Whether an import made this of the event, after the position before it."""
        if recorded.event != _event(event) or dict(recorded.meta) != dict(event.meta):
            return False
        if recorded.collection != self.collection_of(event):
            return False
        # Without an id or a time its position came from the clock, at a moment nobody knows now.
        has_time = event.position is not None or event.milliseconds is not None
        return not has_time or key_of(recorded.position) == _next_key(event, last, 0)

    def _follow(self, event: ForeignEvent, collection: str) -> None:
        item = (collection, event.item)
        outcome = _OUTCOMES.get((event.type, self.exists.get(item, False)))
        if outcome is None:
            raise _not_a_type(event)
        if isinstance(outcome, str):
            raise ImportRefused(event.line, f"{event.type} of {event.item!r}: {outcome}")
        self.exists[item] = outcome


_Placed = tuple[str, str, ForeignEvent]
"""An event with its collection and its position."""


def _bytes_placed(placed: _Placed) -> int:
    return bytes_of(placed[-1])


def _step(batch: Sequence[_Placed], line: int, partition: int, *, is_last: bool) -> Step:
    arguments: list[str | bytes] = []
    numbers: dict[str, str] = {}
    for collection, place, event in batch:
        numbers.setdefault(collection, str(len(numbers) + 1))
        arguments += (place, event.type, event.item, event.body, encode_meta(event.meta))
    of_each = "" if len(numbers) == 1 else " ".join(numbers[name] for name, *_ in batch)
    return Step(len(batch), line, (*numbers,), of_each, arguments, partition, is_last)


def _next_key(event: ForeignEvent, before: tuple[int, int], now: int) -> tuple[int, int]:
    """The milliseconds and the number of an event's position after one that has these."""
    if event.position is not None:
        return key_of(event.position)
    # History is not always written in the order of its clocks; positions go up all the same.
    milliseconds, number = before
    at = event.milliseconds if event.milliseconds is not None else now
    if at > milliseconds:
        return at, 0
    if number < LARGEST:
        return milliseconds, number + 1
    return milliseconds + 1, 0


def _event(event: ForeignEvent) -> Event:
    if event.type == ItemDeleted.__name__:
        return ItemDeleted(event.item)
    kind = _WITH_BODY.get(event.type)
    if kind is None:
        raise _not_a_type(event)
    return kind(event.item, event.body)


def _not_a_type(event: ForeignEvent) -> ImportRefused:
    names = ", ".join((*_WITH_BODY, ItemDeleted.__name__))
    return ImportRefused(event.line, f"type is {event.type[:40]!r}, not one of {names}")


def _outcome(event: Event, *, exists: bool) -> bool | str:
    """Whether an item exists after an event; why not, where the event can't happen to it."""
    item = Item(event.item, 1, START, START, b"") if exists else None
    try:
        return evolve(item, RecordedEvent(START, 2 if exists else 1, event)).exists
    except ImpossibleHistory as error:
        return error.reason


_OUTCOMES = {
    (type(event).__name__, exists): _outcome(event, exists=exists)
    for event in (ItemCreated("", b""), ItemUpdated("", b""), ItemDeleted(""))
    for exists in (False, True)
}
"""What `evolve` says of each type of event and of whether its item exists: it asks nothing else,
so it is asked once a case, and not once an event."""
