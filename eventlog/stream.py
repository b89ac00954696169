"""Reading raw entries of the log, in pieces that stay small whatever the bodies are like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.partition import Partition

MOST = 500
"""Entries in a slice: less than a millisecond of the engine's time."""

FIRST = 16

ABOUT_BYTES = 1024 * 1024
"""How large a slice should be, going by the one before it."""

PAGE_BYTES = 8 * 1024 * 1024
"""How large a page may be, unless it is a single event: it ends early where bodies are large."""

LOOKED_AT = 256
"""Entries that the engine looks at in one step: less than a millisecond of its time."""

Entry = tuple[bytes, list[bytes]]
"""A position, and names and values in turn, as the engine sends them."""

_READ_AFTER, _READ_AT, _LOG_ENDS, _STEP_BACK = (
    Script(lua(__package__, name)) for name in ("read_after", "read_at", "log_ends", "step_back")
)


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last position of the log, how many entries it has, and how many it had.

    Both positions are START where it has none. `end` is the last position that was ever given,
    also where its entry was removed.
    """

    first: str
    last: str
    length: int
    added: int
    end: str

    @property
    def lost(self) -> int:
        """How many entries XTRIM, XDEL or DEL have taken out."""
        return self.added - self.length

    def lacks_after(self, position: str) -> bool:
        """Whether events after the position were removed by hand (XTRIM, XDEL)."""
        if self.added == self.length:
            return False
        return self.length == 0 or key_of(position) < key_of(self.first)

    def are_before(self, position: str) -> bool:
        """Whether the position is from ahead of the log, which never gave it."""
        return key_of(self.end) < key_of(position)


@dataclass(frozen=True, slots=True)
class Within:
    """At most `entries` out of the `looked` first, and at most `bytes` of those that are looked at.

    One entry all the same, however large it is. Only those of a type, where one is named.
    """

    entries: int = LOOKED_AT
    looked: int = LOOKED_AT
    bytes: int = ABOUT_BYTES
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Entries of the log out of the `looked` that were looked at, which end at `position`.

    `is_end` says whether the log ended there.
    """

    entries: list[Entry]
    position: str
    looked: int
    is_end: bool


async def ends(partition: Partition) -> Ends:
    """Where the log begins and ends. Raises LogUnavailable, LogBroken."""
    first, last, length, added, end = await _run(partition, _LOG_ENDS)
    return Ends(first.decode(), last.decode(), length, added, end.decode())


async def slices(
    partition: Partition, after: str = START, *, most: int = MOST
) -> AsyncGenerator[list[Entry]]:
    """What the log has after a position, to its end, which writers may move meanwhile.

    At most `most` entries at once; where small ones are followed by large ones, they may be as
    large as bodies may be. The next slice is on its way while the caller works on one. Raises
    LogUnavailable, LogBroken.
    """
    limit, at_end = FIRST, False
    reading = asyncio.ensure_future(_read(partition, after.encode(), limit))
    try:
        while not at_end:
            heed_cancellation()
            entries = await reading
            at_end = len(entries) < limit
            if not at_end:
                limit = min(most, _limit(entries))
                reading = asyncio.ensure_future(_read(partition, entries[-1][0], limit))
                await asyncio.sleep(0)  # lets the request go out
            if entries:
                yield entries
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def recorded_slices(
    partition: Partition, after: str = START
) -> AsyncGenerator[list[RecordedEvent], None]:
    """What `slices` gives, as events. Raises MalformedEntry too."""
    async with aclosing(slices(partition, after)) as raw:
        async for entries in raw:
            yield [decode_flat(position, fields) for position, fields in entries]


async def part(partition: Partition, after: str, within: Within) -> Part:
    """The next entries after a position, in one short step of the engine."""
    arguments = (after, within.entries, min(within.looked, LOOKED_AT), within.bytes, within.kind)
    position, looked, is_end, *entries = await _run(partition, _READ_AFTER, *arguments)
    return Part(entries, position.decode(), looked, bool(is_end))


async def parts_at(
    partition: Partition,
    positions: Sequence[bytes],
    *,
    with_bodies: bool = True,
    kind: str = "",
) -> AsyncGenerator[tuple[list[Entry], int]]:
    """The entries at positions, in their order, without those that were removed.

    Only those of a type, where one is named.

    In parts, each with how many of the positions were looked at for it.
    """
    done = 0
    while done < len(positions):
        asked = positions[done : done + LOOKED_AT]
        arguments = (ABOUT_BYTES, int(with_bodies), kind, *asked)
        looked, *entries = await _run(partition, _READ_AT, *arguments)
        done += looked
        yield entries, looked


async def position_back(partition: Partition, count: int) -> str | None:
    """The position of the event at `count` from the end, from 1; None where there is none."""
    place = "+"
    while count:
        position, passed = await _run(partition, _STEP_BACK, place, count, ABOUT_BYTES)
        if not passed:
            return None
        count -= passed
        place = "(" + position.decode()
    return place[1:]


async def _run(partition: Partition, script: Script, *arguments: Any) -> Any:
    return await partition.run(script, keys=[partition.keys.events], args=arguments)


async def _read(partition: Partition, after: bytes, limit: int) -> list[Entry]:
    # A name in bytes has no callback in redis-py: making a dict of each entry takes it as long as
    # reading them.
    with translated():
        reply: Any = await partition.client.execute_command(  # type: ignore[no-untyped-call]
            b"XRANGE", partition.keys.events, b"(" + after, b"+", b"COUNT", limit
        )
    return list(reply)


def _limit(entries: list[Entry]) -> int:
    sample = entries[::16]
    size = size_of(sample) // len(sample) + 1
    return max(1, min(MOST, ABOUT_BYTES // size, 4 * len(entries)))


def size_of(entries: Sequence[Entry]) -> int:
    """Bytes of the fields of entries."""
    return sum(len(value) for _, fields in entries for value in fields)
