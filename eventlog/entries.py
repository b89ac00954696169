"""Reading raw entries of the log, in pieces that stay small whatever the bodies are like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from domain.events import RecordedEvent
from eventlog.cancellation import heed_cancellation
from eventlog.codec import decode_flat
from eventlog.faults import translated
from eventlog.keys import Keys
from eventlog.positions import START

MOST = 500
"""Entries in a slice: less than a millisecond of the engine's time."""

FIRST = 16

ABOUT_BYTES = 1024 * 1024
"""How large a slice should be, going by the one before it."""

PAGE_BYTES = 8 * 1024 * 1024
"""About how large a page may be: it ends early where bodies are large."""

Entry = tuple[bytes, list[bytes]]
"""A position, and names and values in turn, as the engine sends them."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many entries the log has, and how many it has lost to XTRIM, XDEL or DEL."""

    length: int
    lost: int


async def extent(redis: Redis, keys: Keys) -> Extent:
    """How much there is of the log. Raises LogUnavailable, LogBroken."""
    with translated():
        if not await redis.exists(keys.events):
            return Extent(0, 0)
        log: Any = await redis.xinfo_stream(keys.events)
    return Extent(log["length"], log["entries-added"] - log["length"])


async def slices(redis: Redis, keys: Keys, after: str = START) -> AsyncGenerator[list[Entry]]:
    """What the log has behind a position, to its end, which writers may move meanwhile.

    The next slice is on its way while the caller works on one. Raises LogUnavailable, LogBroken.
    """
    limit, at_end = FIRST, False
    reading = asyncio.ensure_future(_read(redis, keys, after.encode(), limit))
    try:
        while not at_end:
            heed_cancellation()
            entries = await reading
            at_end = len(entries) < limit
            if not at_end:
                limit = _limit(entries)
                reading = asyncio.ensure_future(_read(redis, keys, entries[-1][0], limit))
                await asyncio.sleep(0)  # lets the request go out
            if entries:
                yield entries
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def recorded_slices(
    redis: Redis, keys: Keys, after: str = START
) -> AsyncGenerator[list[RecordedEvent], None]:
    """The same as events. Raises MalformedEntry too."""
    async with aclosing(slices(redis, keys, after)) as raw:
        async for entries in raw:
            yield [decode_flat(position, fields) for position, fields in entries]


async def page(redis: Redis, keys: Keys, after: str, most: int) -> list[Entry]:
    """At most so many entries behind a position; fewer, but not none, where they are large."""
    entries: list[Entry] = []
    place, size, limit = after.encode(), 0, min(FIRST, most)
    while size < PAGE_BYTES and len(entries) < most:
        some = await _read(redis, keys, place, limit)
        entries += some
        if len(some) < limit:
            break
        place, size = some[-1][0], size + _size(some)
        limit = min(_limit(some), most - len(entries))
    return entries


async def page_at(redis: Redis, keys: Keys, positions: Sequence[bytes]) -> list[Entry]:
    """The entries at positions, in their order, without those that were removed; as `page`."""
    entries: list[Entry] = []
    looked_at, size, limit = 0, 0, FIRST
    while size < PAGE_BYTES and looked_at < len(positions):
        pipeline: Any = redis.pipeline(transaction=False)
        for position in positions[looked_at : looked_at + limit]:
            pipeline.execute_command(b"XRANGE", keys.events, position, position)
        with translated():
            some = [entry for found in await pipeline.execute() for entry in found]
        entries += some
        looked_at, size = looked_at + limit, size + _size(some)
        limit = _limit(some) if some else limit
    return entries


async def _read(redis: Redis, keys: Keys, after: bytes, limit: int) -> list[Entry]:
    # A name in bytes has no callback in redis-py: making a dict of each entry takes it as long as
    # reading them.
    with translated():
        reply: Any = await redis.execute_command(  # type: ignore[no-untyped-call]
            b"XRANGE", keys.events, b"(" + after, b"+", b"COUNT", limit
        )
    return list(reply)


def _limit(entries: list[Entry]) -> int:
    sample = entries[::16]
    size = _size(sample) // len(sample) + 1
    return max(1, min(MOST, ABOUT_BYTES // size, 4 * len(entries)))


def _size(entries: list[Entry]) -> int:
    return sum(len(value) for _, fields in entries for value in fields)
