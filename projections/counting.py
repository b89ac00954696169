"""Projections that count: numbers under names, with the position up to which they are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from typing import Any

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.codec import MalformedEntry, decode_flat, without_meta
from itemstore.eventlog.entries import Entry, slices
from itemstore.eventlog.partition import Partition

ANYWHERE = ""
"""Stands for the position of counts that can't be read."""

_COMMIT = files("itemstore.projections").joinpath("commit_counts.lua").read_text()


class MalformedCounts(ValueError):
    """What stands in the place of counts is not counts. `projection` says whose."""

    def __init__(self, projection: str) -> None:
        super().__init__(f"The counts of {projection} can't be read; rebuild {projection}.")
        self.projection = projection


@dataclass(frozen=True, slots=True)
class CountingProjection:
    """A projection that is told of every event once, in order, and adds to numbers.

    `count` names the numbers as it likes, except `position` and `events`. It goes by the event
    alone, and does not look at the numbers: these may be those of a few events only.
    """

    name: str
    count: Callable[[Counter[str], RecordedEvent], None]


@dataclass(slots=True)
class Counts:
    """Numbers, how many entries of the log they count, and the position of the last of these."""

    position: str = START
    events: int = 0
    numbers: Counter[str] = field(default_factory=Counter)

    def add(self, projection: CountingProjection, entries: Sequence[Entry]) -> int:
        """Counts entries of the log; how many of them were no events, and changed no number."""
        skipped = 0
        for position, fields in entries:
            try:
                recorded = decode_flat(position, fields)
            except MalformedEntry:
                readable = without_meta(position, fields)
                if readable is None:
                    skipped += 1
                    continue
                recorded = readable
            projection.count(self.numbers, recorded)
        if entries:
            self.events += len(entries)
            self.position = entries[-1][0].decode()
        return skipped


class CountsStore:
    """The counts of one projection in the engine."""

    def __init__(self, partition: Partition, projection: CountingProjection) -> None:
        self.projection = projection
        self._partition = partition
        self._key = partition.keys.counts(projection.name)
        self._commit = partition.client.register_script(_COMMIT)

    async def load(self) -> Counts:
        """What is counted so far. Raises LogUnavailable, MalformedCounts."""
        try:
            with translated():
                fields: Any = await self._partition.client.hgetall(self._key)
        except LogBroken:
            raise MalformedCounts(self.projection.name) from None
        position = fields.pop(b"position", START.encode())
        try:
            numbers = Counter({name.decode(): int(number) for name, number in fields.items()})
            key_of(position.decode())
        except ValueError:
            raise MalformedCounts(self.projection.name) from None
        return Counts(position.decode(), numbers.pop("events", 0), numbers)

    async def position(self) -> str:
        """Up to where it is counted, START for nothing. Raises LogUnavailable, LogBroken."""
        with translated():
            position: Any = await self._partition.client.hget(self._key, "position")
        return START if position is None else position.decode(errors="replace")

    async def add(self, counts: Counts, position: str) -> bool:
        """Whether the counts were added; those in the engine must be at this position."""
        return await self._run(counts, position, anew=0)

    async def replace(self, counts: Counts, position: str) -> bool:
        """Whether the counts took the place of those in the engine.

        These must be at `position`; with ANYWHERE they may be no counts at all.
        """
        return await self._run(counts, position, anew=1)

    async def _run(self, counts: Counts, position: str, anew: int) -> bool:
        arguments: list[Any] = [position, counts.position, anew, "events", counts.events]
        for name, number in counts.numbers.items():
            arguments += [name, number]
        with translated():
            return bool(await self._commit(keys=[self._key], args=arguments))


async def counted_up_to(
    partition: Partition, projection: CountingProjection, counts: Counts, position: str
) -> Counts:
    """Counts that stand before a position, with what the log has from there up to it added."""
    total = Counts(counts.position, counts.events, Counter(counts.numbers))
    end = key_of(position)
    async with aclosing(slices(partition, counts.position)) as log:
        async for entries in log:
            within = [entry for entry in entries if key_of(entry[0].decode()) <= end]
            total.add(projection, within)
            if len(within) < len(entries):
                break
    return total


def differing(one: Counts, other: Counts) -> list[str]:
    """What differs: the position, and names of numbers, in order. 0 and none are the same."""
    names = sorted({"events", *one.numbers, *other.numbers})
    moved = ["position"] if one.position != other.position else []
    return moved + [name for name in names if number(one, name) != number(other, name)]


def number(counts: Counts, name: str) -> int:
    """What is counted under a name, `events` among them."""
    return counts.events if name == "events" else counts.numbers[name]


def digest(counts: Counts) -> str:
    """The SHA-256 of all numbers but zeros, in the order of their names."""
    names = [name for name in sorted({"events", *counts.numbers}) if number(counts, name)]
    text = "".join(f"{name} {number(counts, name)}\n" for name in names)
    return sha256(text.encode()).hexdigest()
