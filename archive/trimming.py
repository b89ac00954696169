"""Taking out of the engine what the archive has: which part, and how.

What goes is said by the border: readers ask the archive up to there. It is moved first, and then
the logs are trimmed up to it, in steps that can be repeated and abandoned anywhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.archive.frame_lines import Head
from itemstore.domain.positions import START
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.one_trip import replies
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.past import border

_TRIM = Script(lua("itemstore.eventlog", "positions") + lua(__package__, "trim"))

STEP = 200
"""Most events that are taken out in one step: less than a millisecond of the engine's time."""

REST, SHORT_REST = 4.0, 0.5
"""After a step nothing is trimmed for so many times as long as it took; the short one where the
engine holds TOO_MUCH."""

TOO_MUCH = 1.25
"""So many times what is to be kept: more comes in than was trimmed."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the archive that begins at an event: how many there are, and how large together."""

    first: str
    events: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Keep:
    """How many of the newest events stay in the engine, and how many bytes of these."""

    events: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the engine holds: events, their bytes there, and how many there have been in all."""

    events: int
    bytes: int
    counted: int

    def is_too_much(self, keep: Keep) -> bool:
        """Whether it is time to trim without much rest."""
        return self.events > TOO_MUCH * keep.events or self.bytes > TOO_MUCH * keep.bytes


def next_border(stretches: Sequence[Stretch], after: Stretch, held: Held, keep: Keep) -> str | None:
    """The first event of the last stretch that is not wholly among those to keep; None if all are.

    `stretches` are those of the archive after the border, oldest first, `after` is what comes after
    them and is not archived yet. How large things are in the engine is told by the size of all of
    it, and by how large the stretches are next to each other.
    """
    sizes = sum(each.bytes for each in stretches) + after.bytes
    scale = held.bytes / sizes if sizes else 1.0
    events, size = after.events, after.bytes * scale
    for each in reversed(stretches):
        events, size = events + each.events, size + each.bytes * scale
        if events > keep.events or size > keep.bytes:
            return each.first
    return None


async def held_by_engine(client: Redis, logs: Sequence[Keys]) -> Held:
    """What the logs hold. An engine that tells no sizes holds no bytes. Raises LogUnavailable."""
    commands = [
        command
        for log in logs
        for command in (
            ("XLEN", log.events),
            ("GET", log.trimmed),
            ("MEMORY", "USAGE", log.events),
        )
    ]
    found = await replies(client, commands, at_once=False)
    lengths, trimmed, sizes = (
        sum(int(each or 0) for each in found[n::3] if not isinstance(each, Exception))
        for n in range(3)
    )
    return Held(lengths, sizes, lengths + trimmed)


Archived = Callable[[Mapping[str, str], str], AsyncGenerator[tuple[str, list[Head]]]]
"""Gives the events that the archive has of collections, of each from a position of its own on, up
to one for all: some at a time, which are of one collection and small together."""


async def trim(
    client: Redis, logs: Sequence[Keys], archived: Archived, keep: Keep | None = None
) -> int:
    """Takes what is not after the border out of the logs and the histories of their items.

    The last event of each log stays. Gives how many events it took out, in short steps with a rest
    after each: a short one where the engine holds much more than what is to be kept, where that is
    said. Raises LogUnavailable, LogBroken, and what `archived` raises.
    """
    rest = REST
    if keep and (await held_by_engine(client, logs)).is_too_much(keep):
        rest = SHORT_REST
    up_to = await border(client, logs[0].store)
    begin_at = await _beginnings(client, logs, up_to)
    taken = 0
    if not begin_at:
        return taken
    keys = {log.collection: log for log in logs}
    async with aclosing(archived(begin_at, up_to)) as parts:
        async for collection, heads in parts:
            for start in range(0, len(heads), STEP):
                heed_cancellation()
                began = time.monotonic()
                taken += await trim_step(client, keys[collection], heads[start : start + STEP])
                await asyncio.sleep(rest * (time.monotonic() - began))
    return taken


async def trim_step(client: Redis, log: Keys, heads: Sequence[Head]) -> int:
    """Takes the first events out of a log: how many. Some may be gone already.

    It takes none out where the log has others before them: they would stay in the histories of
    their items, of which nobody has told.
    """
    arguments: list[str | bytes] = [log.histories, heads[0][0], heads[-1][0]]
    for item, last in {item: position for position, item in heads if item}.items():
        arguments += (last, item)
    keys = [log.store.archive, log.events, log.trimmed]
    with translated():
        return int(await _TRIM.run(client.execute_command, keys, arguments))


async def _beginnings(client: Redis, logs: Sequence[Keys], up_to: str) -> dict[str, str]:
    """The first positions of the logs that have more than one event, and one up to a position."""
    if up_to == START:
        return {}
    asked = client.pipeline(transaction=False)  # EXEC is refused by an engine without memory
    for log in logs:
        asked.xlen(log.events)
        asked.execute_command(b"XRANGE", log.events, "-", up_to, "COUNT", 1)
    with translated():
        found = await asked.execute()
    return {
        log.collection: first[0][0].decode()
        for log, length, first in zip(logs, found[::2], found[1::2], strict=True)
        if length > 1 and first
    }
