"""Reading the streams of a store up to a position that is claimed, in one order.

What is up to there doesn't change any more, so each stream is read by itself, with the engine's own
command: a script that reads all of them at one moment takes the engine five times as long.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis

from itemstore.archive.lines import Placed
from itemstore.domain.positions import key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.reader import ABOUT_BYTES, FIRST, Entry

MOST = 250
"""Entries that are read of a stream at once: a fraction of a millisecond to take in."""


@dataclass(slots=True)
class _Stream:
    """A stream, and what was read of it and not given yet."""

    log: Keys
    after: str
    count: int = FIRST
    is_read: bool = False
    bytes: int = 0
    waiting: list[Entry] = field(default_factory=list)

    def take(self, entries: list[Entry], share: int) -> None:
        """Notes what was read. `share` is how many bytes the next read should bring."""
        self.is_read = len(entries) < self.count
        self.waiting = entries
        self.bytes = sum(len(b"".join(fields)) for _, fields in entries)
        if entries:
            self.after = entries[-1][0].decode()
            fitting = share * len(entries) // (self.bytes + 1)
            self.count = max(1, min(MOST, fitting, 4 * self.count))

    def up_to(self, last: tuple[int, int] | None) -> list[Placed]:
        """Gives what is not after a key, or all."""
        number = len(self.waiting)
        while last is not None and number and _key(self.waiting[number - 1]) > last:
            number -= 1
        given, self.waiting = self.waiting[:number], self.waiting[number:]
        return [(self.log.collection, entry) for entry in given]


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries in their order; the last of each stream that was read for them, and all its bytes."""

    entries: list[Placed]
    ends: list[Placed]
    bytes: int


async def slices(
    client: Redis, logs: Sequence[Keys], after: str, up_to: str
) -> AsyncGenerator[Slice]:
    """All entries after a position up to another. Raises LogUnavailable and LogBroken."""
    streams = [_Stream(log, after) for log in logs]
    while streams:
        heed_cancellation()
        empty = [each for each in streams if not each.waiting]
        await _read(client, empty, up_to)
        ends = [(each.log.collection, each.waiting[-1]) for each in empty if each.waiting]
        streams = [each for each in streams if each.waiting]
        # What a stream that goes on has after this may come before what others have.
        last = min((_key(each.waiting[-1]) for each in streams if not each.is_read), default=None)
        found = [each.up_to(last) for each in streams]
        entries = [placed for some in found for placed in some]
        if sum(map(bool, found)) > 1:
            entries.sort(key=lambda placed: _key(placed[1]))
        if entries:
            yield Slice(entries, ends, sum(each.bytes for each in empty))
        streams = [each for each in streams if each.waiting or not each.is_read]


async def _read(client: Redis, streams: Sequence[_Stream], up_to: str) -> None:
    share = ABOUT_BYTES // max(1, len(streams))
    for each in streams:
        # A name in bytes has no callback in redis-py, which would make a dict of each entry.
        command = (b"XRANGE", each.log.events, f"({each.after}", up_to, "COUNT", each.count)
        with translated():
            each.take(await client.execute_command(*command), share)  # type: ignore[no-untyped-call]


def _key(entry: Entry) -> tuple[int, int]:
    return key_of(entry[0].decode())
