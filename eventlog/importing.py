"""Bringing history in: events that happened elsewhere, with their own positions or new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from itemstore.domain.values import value
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.partition import Partition

BATCH = 500
"""Most events in one script call."""

BATCH_BYTES = 1024 * 1024
"""About how much one script call carries at most: the engine does nothing else meanwhile."""

IMPORT = Script(lua(__package__, "apply", "order", "import"))


class ImportRefused(Exception):
    """A line that can't be imported; `line` counts from 1. Nothing was written."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason.removesuffix('.')}.")
        self.line = line


@value
class ForeignEvent:
    """An event from elsewhere. `milliseconds` is its time since 1970, where there is no position.

    `body` is JSON as UTF-8 bytes, empty on a delete. `source` is what it says of where it is from.
    """

    line: int
    type: str
    item: str
    body: bytes
    position: str | None = None
    milliseconds: int | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one script call writes: how many events, up to which line, and its arguments.

    `collections` are the names of those that it writes to, and `numbers` says which of them each of
    the events is for, from 1; it is empty where there is only one. All are in the partition with
    the number `partition`, from 0. Where `is_last`, no event of a line up to this one is in a step
    after it.
    """

    count: int
    line: int
    collections: tuple[str, ...]
    numbers: str
    arguments: list[str | bytes]
    partition: int = 0
    is_last: bool = True

    @property
    def positions(self) -> list[str]:
        """Those of its events, `*` for a new one."""
        return [str(each) for each in self.arguments[::5]]


async def write_step(
    partitions: Mapping[str, Partition], step: Step, after: Mapping[str, str]
) -> Mapping[str, str]:
    """Writes a step to the collections of these names, whose logs end at `after`; gives their ends.

    Raises LogMoved, LogArchived and LogBroken, and what a failing engine raises: then the step may
    have been written.
    """
    into = [partitions[name] for name in step.collections]
    store = into[0].keys.store
    keys = [store.position, store.archive]
    arguments: list[str | bytes] = [step.numbers]
    for name, partition in zip(step.collections, into, strict=True):
        keys += (partition.keys.events, partition.keys.current, partition.keys.ids)
        arguments += (partition.keys.histories, after[name])
    reply = await into[0].run(IMPORT, keys=keys, args=[*arguments, *step.arguments])
    return {**after} | {
        name: end.decode() for name, end in zip(step.collections, reply, strict=True)
    }


def in_batches(
    events: Iterable[ForeignEvent], steps_at_once: int = 1
) -> Iterator[list[ForeignEvent]]:
    """The events, as many together as so many script calls write."""
    most, most_bytes = BATCH * steps_at_once, BATCH_BYTES * steps_at_once
    return steps(events, bytes_of, most=most, most_bytes=most_bytes)


def bytes_of(event: ForeignEvent) -> int:
    """How much of a script call an event takes."""
    return len(event.body)
