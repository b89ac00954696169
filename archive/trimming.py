"""Taking out of the engine what the archive has: which part, and how.

What goes is said by the border: readers ask the archive up to there. It is moved first, and then
the logs are trimmed up to it, in steps that can be repeated and abandoned anywhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.domain.positions import LARGEST, START, key_of, position_at
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.one_trip import replies
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import FIRST, Entry, size_of

_TRIM = Script(lua("itemstore.eventlog", "positions") + lua(__package__, "trim"))

STEP = 200
"""Most events that are taken out in one step: less than a millisecond of the engine's time."""

STEP_BYTES = 1024 * 1024
"""How many bytes of events such a step looks at."""

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


async def trim(client: Redis, logs: Sequence[Keys], keep: Keep | None = None) -> int:
    """Takes what is not after the border out of the logs and the histories of their items.

    The last event of each log stays. Gives how many events it took out, in short steps with a rest
    after each: a short one where the engine holds much more than what is to be kept, where that is
    said. Raises LogUnavailable and LogBroken.
    """
    rest = REST
    if keep and (await held_by_engine(client, logs)).is_too_much(keep):
        rest = SHORT_REST
    up_to = await border(client, logs[0].store)
    taken = 0
    if up_to == START:
        return taken
    for log in logs:
        step = Step()
        while step.goes_on:
            heed_cancellation()
            began = time.monotonic()
            step = await trim_step(client, log, up_to, step.size)
            taken += step.taken
            if step.goes_on:
                await asyncio.sleep(rest * (time.monotonic() - began))
    return taken


@dataclass(frozen=True, slots=True)
class Step:
    """How many events were taken out, whether there may be more, and how many to try next."""

    taken: int = 0
    goes_on: bool = True
    size: int = FIRST


async def trim_step(client: Redis, log: Keys, up_to: str, size: int = FIRST) -> Step:
    """Takes the first events of a log out, at most `size` of those up to a position."""
    size = min(size, STEP)
    asked = client.pipeline(transaction=False)  # EXEC is refused by an engine without memory
    asked.xlen(log.events)
    asked.execute_command(b"XRANGE", log.events, "-", up_to, "COUNT", size)
    with translated():
        length, entries = await asked.execute()
    going = _small(entries[: length - 1])
    if not going:
        return Step(goes_on=False)
    last = going[-1][0].decode()
    arguments = [log.histories, last, _next(last), len(going)]
    for position, fields in going:
        if fields[2:3] == [b"item"]:
            arguments += (position, fields[3])
    keys = [log.store.archive, log.events, log.trimmed]
    with translated():
        taken = await _TRIM.run(client.execute_command, keys, arguments)
    fitting = STEP_BYTES * len(going) // (size_of(going) + 1)
    is_last = taken == 0 or (len(entries) < size and len(going) >= min(len(entries), length - 1))
    return Step(taken, not is_last, max(1, min(STEP, fitting, 4 * size)))


def _small(entries: Sequence[Entry]) -> Sequence[Entry]:
    """As many of the first ones as are small together, one all the same."""
    size = 0
    for number, entry in enumerate(entries):
        size += size_of([entry])
        if number and size > STEP_BYTES:
            return entries[:number]
    return entries


def _next(position: str) -> str:
    milliseconds, number = key_of(position)
    if number < LARGEST:
        return position_at(milliseconds, number + 1)
    return position_at(milliseconds + 1, 0)
