"""The log as the engine has it: a stream, and a list of positions for each item.

It has the log's newer part: what comes after the store's border, and maybe something before that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.domain.positions import START, key_of
from itemstore.engine.ahead import Ahead
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_steps import (
    bounds_of,
    extents,
    part_of_item,
    prefixes_of,
    run,
    step_after,
)
from itemstore.eventlog.past import BORDER, BeforeBorder, checked_border
from itemstore.eventlog.reader import (
    ABOUT_BYTES,
    FIRST,
    LOOKED_AT,
    Entry,
    Extent,
    Part,
    Within,
    size_of,
)

_READ_AFTER, _READ_AT, _READ_VERSION, _READ_POSITIONS, _STEP_BACK, _LAST_CHANGE, _VERSION_AT = (
    Script(lua(__package__, *names))
    for names in (
        ("positions", "border", "entries", "wanted", "read_after"),
        ("entries", "read_at"),
        ("item_versions", "read_version"),
        ("item_versions", "read_positions"),
        ("entries", "step_back"),
        ("last_change",),
        ("positions", "item_history", "item_versions", "version_at"),
    )
)

MOST = 500
"""Entries in a slice: less than a millisecond of the engine's time."""

OF_ANOTHER_TYPE = 0
"""What stands for an entry that is there and not of the type that was asked for."""

Found = Entry | int | None
"""What is at a position: an entry, OF_ANOTHER_TYPE, or nothing."""


@dataclass(frozen=True, slots=True)
class VersionFound:
    """How many versions an item has, how many of these came before its history, and one of them.

    That has a position where it is in the history, and an entry where that is in the stream.
    """

    count: int
    before: int
    position: bytes | None = None
    entry: Entry | None = None


@dataclass(frozen=True)
class Stream:
    """Reads the stream, each time with one short step of the engine.

    What reads on after a position raises BeforeBorder where that is before the border: the stream
    may lack what comes then. All raise LogUnavailable and LogBroken.
    """

    client: Redis
    keys: Keys

    async def extent(self) -> Extent:
        """Where the log begins and ends."""
        [found] = await extents(self.client, [self.keys])
        return found

    async def entries_after(self, after: bytes, most: int) -> list[Entry]:
        """The next entries after a position, as many of them as were asked for, if there are."""
        # A name in bytes has no callback in redis-py: making a dict of each entry takes it as long
        # as reading them.
        both = self.client.pipeline(transaction=False)
        both.execute_command(b"XRANGE", self.keys.events, b"(" + after, b"+", b"COUNT", most)
        both.hget(self.keys.store.archive, BORDER)
        with translated():
            entries, border = await both.execute()
        if border is not None and key_of(checked_border(border)) > key_of(after.decode()):
            raise BeforeBorder(border)
        return list(entries)

    async def slices(
        self, after: str, *, most: int = MOST, first: int = FIRST
    ) -> AsyncGenerator[Part, None]:
        """What comes after a position, to the end, which writers may move meanwhile.

        At most `first` entries, and then `most` at once; where small ones are followed by large
        ones, they may be as large as bodies may be. The next slice is on its way while the caller
        works on one.
        """
        limit, at_end = first, False
        async with aclosing(Ahead[list[Entry]]()) as ahead:
            await ahead.ask(self.entries_after(after.encode(), limit))
            while not at_end:
                entries = await ahead.reply()
                at_end = len(entries) < limit
                if not at_end:
                    limit = min(most, _limit(entries))
                    await ahead.ask(self.entries_after(entries[-1][0], limit))
                if entries:
                    yield self._part(entries)

    async def part_after(self, after: str, within: Within) -> Part:
        """The next entries after a position, as many as are small together."""
        if within.item is not None:
            return await part_of_item(self.client, [self.keys], after, within)
        keys = [self.keys.events, self.keys.store.archive]
        arguments = (*bounds_of(after, within), *prefixes_of(within))
        reply = await step_after(self.client, _READ_AFTER, keys, *arguments)
        position, looked, is_end, *entries = reply
        whose = [self.keys.collection] * len(entries)
        return Part(*(entries, position.decode(), looked, bool(is_end), whose, self.keys.partition))

    async def entries_at(
        self, positions: Sequence[bytes], *, with_bodies: bool = True, kind: str = ""
    ) -> tuple[str, list[Found]]:
        """The border, and what is at the first of the positions: as many as are small together."""
        keys = [self.keys.events, self.keys.store.archive]
        arguments = (ABOUT_BYTES, int(with_bodies), kind, *positions[:LOOKED_AT])
        border, *found = await run(self.client, _READ_AT, keys, *arguments)
        return START if border is None else checked_border(border), found

    async def last_positions(self, count: int) -> list[str]:
        """The positions of the last events, the newest first, without sending their bodies."""
        found: list[bytes] = []
        while len(found) < count:
            place = b"(" + found[-1] if found else "+"
            arguments = (place, count - len(found), ABOUT_BYTES)
            some = await run(self.client, _STEP_BACK, [self.keys.events], *arguments)
            if not some:
                break
            found += some
        return [position.decode() for position in found]

    async def positions(self, item: str, after: int, limit: int) -> tuple[int, list[bytes]]:
        """Those of the item's positions after a version that its history has, at most `limit`.

        Versions after `after` count, whether the history has them or not. Also how many versions
        came before the history.
        """
        arguments = (item, after, limit)
        before, *found = await run(self.client, _READ_POSITIONS, self._of(item), *arguments)
        return before, found

    async def last_change(self, item: str) -> tuple[int, str]:
        """The item's last version and its position, of the same moment; 0 and START without one."""
        count, position = await run(self.client, _LAST_CHANGE, self._of(item), item)
        return count, position.decode() if position else START

    async def version(self, item: str, version: int, *, with_body: bool) -> VersionFound:
        """One of the item's versions."""
        keys = [*self._of(item), self.keys.events]
        arguments = (item, version, int(with_body))
        return VersionFound(*await run(self.client, _READ_VERSION, keys, *arguments))

    async def version_at(self, item: str, position: str) -> tuple[int, int]:
        """How many positions up to one the item's history has, and how many came before it.

        It takes logarithmic time in the number of its versions.
        """
        in_history, before = await run(self.client, _VERSION_AT, self._of(item), item, position)
        return in_history, before

    def _part(self, entries: list[Entry]) -> Part:
        position, whose = entries[-1][0].decode(), [self.keys.collection] * len(entries)
        return Part(
            *(entries, position, len(entries)),
            is_end=False,
            collections=whose,
            partition=self.keys.partition,
        )

    def _of(self, item: str) -> list[str]:
        return [self.keys.history(item), self.keys.current, self.keys.store.archive]


def _limit(entries: list[Entry]) -> int:
    sample = entries[::16]
    size = size_of(sample) // len(sample) + 1
    return max(1, min(MOST, ABOUT_BYTES // size, 4 * len(entries)))
