"""Counts: numbers under names, with the position up to which they count the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.eventlog.side_by_side import replies_of
from itemstore.projections.projection import ProjectionFailed

ANYWHERE = ""
"""Stands for the position of counts that can't be read."""

AddPage = Callable[[Counter[str], Sequence[Entry]], int]
"""Adds entries of the log to numbers, and says how many were none: see CountingProjection."""

OWN_IN_ORDER = ("position", "events")

OWN = frozenset(OWN_IN_ORDER)
"""Names that counts have for themselves."""

LARGEST = 10**18 - 1

_COMMIT = Script(lua("itemstore.eventlog", "positions") + lua(__package__, "commit_counts"))


class MalformedCounts(ValueError):
    """What stands in the place of counts is not counts. `projection` says whose."""

    def __init__(self, projection: str) -> None:
        super().__init__(f"The counts of {projection} can't be read; rebuild {projection}.")
        self.projection = projection


class TakenBack(Exception):
    """What was read of the log is not in it any more: a failover took it back."""

    def __init__(self, position: str) -> None:
        super().__init__(f"The log has no event at {position} any more: a failover took it back.")


@dataclass(slots=True)
class Counts:
    """Numbers, how many entries of the log they count, and the position of the last of these."""

    position: str = START
    events: int = 0
    numbers: Counter[str] = field(default_factory=Counter)

    def add(self, add_page: AddPage, entries: Sequence[Entry]) -> int:
        """Adds entries of the log; how many of them were no events, and changed no number."""
        skipped = add_page(self.numbers, entries)
        if entries:
            self.events += len(entries)
            self.position = entries[-1][0].decode()
        return skipped

    async def up_to(self, position: str, add_page: AddPage, partition: Partition) -> Counts:
        """These counts, with what the log has from theirs to a position added."""
        total = Counts(self.position, self.events, Counter(self.numbers))
        end = key_of(position)
        async with aclosing(partition.reader.slices(self.position)) as log:
            async for entries in log:
                within = [entry for entry in entries if key_of(entry[0].decode()) <= end]
                total.add(add_page, within)
                if len(within) < len(entries):
                    break
        return total

    def check(self, projection: str) -> None:
        """Raises ProjectionFailed where a name or a number is not one that can be stored."""
        for name, number in self.numbers.items():
            if not isinstance(name, str) or name in OWN:
                why = f"{name!r} is not a name to count under"
            elif type(number) is not int or abs(number) > LARGEST:
                why = f"{name!r} is {number!r}, and not a whole number of up to 18 digits"
            else:
                continue
            raise ProjectionFailed(projection, f"up to {self.position}", why)

    def number(self, name: str) -> int:
        """What is counted under a name, `events` among them."""
        return self.events if name == "events" else self.numbers[name]

    def differing(self, other: Counts) -> list[str]:
        """What differs: the position, and names of numbers, in order. 0 and none are the same."""
        names = sorted({"events", *self.numbers, *other.numbers})
        moved = ["position"] if self.position != other.position else []
        return moved + [name for name in names if self.number(name) != other.number(name)]

    def digest(self) -> str:
        """The SHA-256 of all numbers but zeros, in the order of their names."""
        names = [name for name in sorted({"events", *self.numbers}) if self.number(name)]
        text = "".join(f"{name} {self.number(name)}\n" for name in names)
        return sha256(text.encode()).hexdigest()


class CountsStore:
    """The counts of one projection in the engine."""

    def __init__(self, partition: Partition, projection: str) -> None:
        self._partition = partition
        self._projection = projection
        self._key = partition.keys.counts(projection)

    async def load(self) -> Counts:
        """What is counted so far. Raises LogUnavailable, MalformedCounts."""
        [counts] = await all_counts([self._partition], self._projection)
        if isinstance(counts, Exception):
            raise counts
        return counts

    async def position(self) -> str:
        """Up to where it is counted, START for nothing. Raises LogUnavailable, LogBroken."""
        with translated():
            position: Any = await self._partition.client.hget(self._key, "position")
        return START if position is None else position.decode(errors="replace")

    async def add(self, counts: Counts, position: str) -> bool:
        """Whether the counts were added; those in the engine must be at this position.

        Raises TakenBack.
        """
        return await self._run(counts, position, anew=0)

    async def replace(self, counts: Counts, position: str) -> bool:
        """Whether the counts took the place of those in the engine.

        These must be at `position`; with ANYWHERE they may be no counts at all. Raises TakenBack.
        """
        return await self._run(counts, position, anew=1)

    async def _run(self, counts: Counts, position: str, anew: int) -> bool:
        arguments: list[Any] = [position, counts.position, anew, "events", counts.events]
        for name, number in counts.numbers.items():
            arguments += [name, number]
        keys = self._partition.keys
        touched = [self._key, keys.events, keys.store.archive]
        outcome = await self._partition.run(_COMMIT, keys=touched, args=arguments)
        if outcome < 0:
            raise TakenBack(counts.position)
        return bool(outcome)


class CountsExtent(NamedTuple):
    """Up to where it is counted, how many entries of the log, and how many numbers there are."""

    position: str
    events: int
    numbers: int


async def all_counts(
    partitions: Sequence[Partition], projection: str
) -> list[Counts | MalformedCounts]:
    """What a projection has counted so far in each log. Raises LogUnavailable."""
    commands = [(each, ("HGETALL", each.keys.counts(projection))) for each in partitions]
    return [_counts(fields, projection) for fields in await replies_of(commands)]


async def extents_of_counts(
    partitions: Sequence[Partition], projection: str
) -> list[CountsExtent | Exception]:
    """How much a projection has counted in each log, without the numbers.

    LogBroken or MalformedCounts stands where that can't be read, and LogUnavailable where one of
    several engines can't be reached. Raises that where the only one can't.
    """
    keys = [(each, each.keys.counts(projection)) for each in partitions]
    commands = [
        (each, command)
        for each, key in keys
        for command in (("HMGET", key, *OWN_IN_ORDER), ("HLEN", key))
    ]
    found = await replies_of(commands)
    return [
        _extent(own, fields, projection)
        for own, fields in zip(found[::2], found[1::2], strict=True)
    ]


def _counts(fields: Any, projection: str) -> Counts | MalformedCounts:
    if isinstance(fields, LogBroken):
        return MalformedCounts(projection)
    if isinstance(fields, Exception):
        raise fields
    position = fields.pop(b"position", START.encode())
    try:
        numbers = Counter({name.decode(): int(number) for name, number in fields.items()})
        key_of(position.decode())
    except ValueError:
        return MalformedCounts(projection)
    return Counts(position.decode(), numbers.pop("events", 0), numbers)


def _extent(own: Any, fields: Any, projection: str) -> CountsExtent | Exception:
    if isinstance(own, Exception):
        return own
    position, events = own
    position, events = position or START.encode(), events or b"0"
    try:
        key_of(position.decode())
        return CountsExtent(position.decode(), int(events), max(0, fields - len(OWN)))
    except ValueError:
        return MalformedCounts(projection)
