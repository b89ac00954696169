"""The log as the engine has it: a stream, and a list of positions for each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.positions import START, key_of
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.log_steps import bounds_of, extents, part_of_item, prefixes_of, run
from itemstore.eventlog.reader import (
    ABOUT_BYTES,
    LOOKED_AT,
    Entry,
    Extent,
    Outlook,
    Part,
    Within,
)

_READ_AFTER, _READ_AT, _READ_VERSION, _STEP_BACK, _LAST_CHANGE, _VERSION_AT = (
    Script(lua(__package__, *names))
    for names in (
        ("entries", "wanted", "read_after"),
        ("entries", "read_at"),
        ("read_version",),
        ("entries", "step_back"),
        ("last_change",),
        ("in_order", "item_history", "version_at"),
    )
)


@dataclass(frozen=True)
class Stream(LogReader):
    """Reads the stream, each time with one short step of the engine."""

    client: Redis
    keys: Keys

    @property
    def collection(self) -> str:
        """That of the keys."""
        return self.keys.collection

    async def extent(self) -> Extent:
        """Where the log begins and ends."""
        [found] = await extents(self.client, [self.keys])
        return found

    async def outlook(self, position: str) -> Outlook:
        """What comes after a position."""
        log = await self.extent()
        begins_at = log.first if log.length else log.end
        is_lacking = log.lost > 0 and key_of(position) < key_of(begins_at)
        return Outlook(is_lacking, log.is_before(position))

    async def entries_after(self, after: bytes, most: int) -> list[Entry]:
        """The next entries, as many of them as were asked for."""
        # A name in bytes has no callback in redis-py: making a dict of each entry takes it as long
        # as reading them.
        command = (b"XRANGE", self.keys.events, b"(" + after, b"+", b"COUNT", most)
        with translated():
            reply: Any = await self.client.execute_command(*command)  # type: ignore[no-untyped-call]
        return list(reply)

    async def part_after(self, after: str, within: Within) -> Part:
        """The next entries, as many as are small together."""
        if within.item is not None:
            return await part_of_item(self.client, [self.keys], after, within)
        arguments = (*bounds_of(after, within), *prefixes_of(within))
        position, looked, is_end, *entries = await self._run(
            _READ_AFTER, self.keys.events, *arguments
        )
        whose = [self.collection] * len(entries)
        return Part(entries, position.decode(), looked, bool(is_end), whose)

    async def entries_at(
        self, positions: Sequence[bytes], *, with_bodies: bool = True, kind: str = ""
    ) -> tuple[list[Entry], int]:
        """The entries at the first of the positions, as many as are small together."""
        arguments = (ABOUT_BYTES, int(with_bodies), kind, *positions[:LOOKED_AT])
        looked, *entries = await self._run(_READ_AT, self.keys.events, *arguments)
        return entries, looked

    async def before_last(self, count: int) -> str:
        """The position of the event before the last ones, without sending their bodies."""
        last = await self.last_positions(count + 1)
        return last[count] if len(last) > count else START

    async def last_positions(self, count: int) -> list[str]:
        """The positions of the last events, the newest first, without sending their bodies."""
        found: list[bytes] = []
        while len(found) < count:
            place = b"(" + found[-1] if found else "+"
            arguments = (place, count - len(found), ABOUT_BYTES)
            some = await self._run(_STEP_BACK, self.keys.events, *arguments)
            if not some:
                break
            found += some
        return [position.decode() for position in found]

    async def positions(self, item: str, after: int, limit: int) -> list[bytes]:
        """A part of the item's list."""
        with translated():
            found: Any = await self.client.lrange(self.keys.history(item), after, after + limit - 1)
        return list(found)

    async def last_change(self, item: str) -> tuple[int, str]:
        """The length of the item's list and its last position, of the same moment."""
        count, position = await self._run(_LAST_CHANGE, self.keys.history(item))
        return count, position.decode() if position else START

    async def entry_of(
        self, item: str, version: int, *, with_body: bool = True
    ) -> tuple[int, Entry | None]:
        """The entry at a place of the item's list, and its length: versions are dense."""
        keys = [self.keys.history(item), self.keys.events]
        with translated():
            count, *found = await _READ_VERSION.run(
                self.client.execute_command, keys, [version - 1, int(with_body)]
            )
        return count, found[0] if found else None

    async def version_at(self, item: str, position: str) -> int:
        """The item's version then, in logarithmic time in the number of its versions."""
        return int(await self._run(_VERSION_AT, self.keys.history(item), position))

    async def _run(self, script: Script, key: str, *arguments: Any) -> Any:
        return await run(self.client, script, [key], *arguments)
