"""Bringing history in: events that happened elsewhere, with their own positions or new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Written:
    """A step of an import: how many events, up to which line, and where the logs end now.

    `ends` has the last position of each collection that is imported into, by name.
    """

    count: int
    line: int
    ends: Mapping[str, str]


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
    the events is for, from 1; it is empty where there is only one.
    """

    count: int
    line: int
    collections: tuple[str, ...]
    numbers: str
    arguments: list[str | bytes]

    @property
    def positions(self) -> list[str]:
        """Those of its events, `*` for a new one."""
        return [str(each) for each in self.arguments[::5]]


async def import_events(
    partitions: Mapping[str, Partition], checked: Iterable[Step], after: Mapping[str, str]
) -> AsyncGenerator[Written, None]:
    """Writes what was checked to the collections of these names, and says so step by step.

    `after` are the positions at which their logs end. Raises LogMoved, LogArchived and LogBroken,
    and what a failing engine raises: then the step may have been written.
    """
    ends = dict(after)
    for step in checked:
        into = [partitions[name] for name in step.collections]
        store = into[0].keys.store
        keys = [store.position, store.archive]
        arguments: list[str | bytes] = [step.numbers]
        for name, partition in zip(step.collections, into, strict=True):
            keys += (partition.keys.events, partition.keys.current, partition.keys.ids)
            arguments += (partition.keys.histories, ends[name])
        reply = await into[0].run(IMPORT, keys=keys, args=[*arguments, *step.arguments])
        ends |= {name: end.decode() for name, end in zip(step.collections, reply, strict=True)}
        yield Written(step.count, step.line, dict(ends))


def in_batches(events: Iterable[ForeignEvent]) -> Iterator[list[ForeignEvent]]:
    """The events, as many together as one script call writes."""
    return steps(events, bytes_of, most=BATCH, most_bytes=BATCH_BYTES)


def bytes_of(event: ForeignEvent) -> int:
    """How much of a script call an event takes."""
    return len(event.body)
