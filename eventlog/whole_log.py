"""The whole log of one collection: up to the border from the archive, after it from the stream.

What is asked for is looked for in the stream first, in the same step that says where the border is;
only what that can't have is asked of the archive (docs/decisions/0052).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from itemstore.domain.positions import START, key_of
from itemstore.eventlog import across_border
from itemstore.eventlog.across_border import known_past
from itemstore.eventlog.log_reader import MOST, LogReader
from itemstore.eventlog.past import Past, PastDamaged, border, sealed
from itemstore.eventlog.reader import FIRST, Entry, Extent, Outlook, Part, Within
from itemstore.eventlog.stream import OF_ANOTHER_TYPE, Stream

TYPE, DATA = 1, 7
"""The places of these values in an entry."""


@dataclass(frozen=True)
class WholeLog(LogReader):
    """Reads a stream, and the past for what is not in it any more."""

    stream: Stream
    past: Past | None = None

    @property
    def collection(self) -> str:
        """That of the stream."""
        return self.stream.keys.collection

    @property
    def partition(self) -> int | None:
        """That of the stream."""
        return self.stream.keys.partition

    async def extent(self) -> Extent:
        """Where the stream begins and ends, and how many events there are in all."""
        return await self.stream.extent()

    async def outlook(self, position: str) -> Outlook:
        """What comes after a position."""
        log = await self.stream.extent()
        is_lacking = log.lost > 0 and await self._lacks_what_comes_after(log, position)
        return Outlook(is_lacking, log.is_before(position))

    async def part_after(self, after: str, within: Within) -> Part:
        """The next entries, as many as are small together."""
        return await across_border.part_after(
            self.stream.part_after, self.past, [self.collection], after, within
        )

    async def slices(
        self, after: str = START, *, most: int = MOST, first: int = FIRST
    ) -> AsyncGenerator[list[Entry]]:
        """What the log has after a position, to its end, which writers may move meanwhile."""

        def newer(position: str) -> AsyncGenerator[Part, None]:
            return self.stream.slices(position, most=most, first=first)

        parts = across_border.parts_after(newer, self.past, [self.collection], after)
        async with aclosing(parts):
            async for part in parts:
                for start in range(0, len(part.entries), most):
                    yield part.entries[start : start + most]

    async def entries_at(
        self, positions: Sequence[bytes], *, with_bodies: bool = True, kind: str = ""
    ) -> tuple[list[Entry], int]:
        """The entries at the first of the positions, as many as are small together."""
        up_to, found = await self.stream.entries_at(positions, with_bodies=with_bodies, kind=kind)
        missing = [
            position
            for position, each in zip(positions, found, strict=False)
            if each is None and key_of(position.decode()) <= key_of(up_to)
        ]
        older = await self._older_at(up_to, missing) if missing else {}
        # It may have given the first of them only: what comes after these is asked for again.
        last = next((each for each in reversed(missing) if each in older), None)
        is_unknown = {*missing[missing.index(last) + 1 :]} if last is not None else set()
        entries: list[Entry] = []
        looked = 0
        for position, each in zip(positions, found, strict=False):
            if position in is_unknown:
                break
            looked += 1
            if each is None and position in older:
                fields = older[position]
                if kind in ("", fields[TYPE].decode()):
                    entries.append((position, fields if with_bodies else _without_body(fields)))
            elif each is not None and each != OF_ANOTHER_TYPE:
                assert isinstance(each, list | tuple)
                entries.append((each[0], each[1]))
        return entries, looked

    async def still_has(self, positions: Sequence[bytes]) -> bool:
        """Whether there is an entry at each of the positions, or they are not after the border."""
        done = 0
        while done < len(positions):
            up_to, found = await self.stream.entries_at(positions[done:], with_bodies=False)
            end = key_of(up_to)
            for position, each in zip(positions[done:], found, strict=False):
                if each is None and key_of(position.decode()) > end:
                    return False
            done += len(found)
        return True

    async def before_last(self, count: int) -> str:
        """The position after which the last `count` events are, without sending their bodies."""
        newest = await self.stream.last_positions(count + 1)
        if len(newest) > count:
            return newest[count]
        if not count:
            return START
        up_to = await self._border()
        return await across_border.before_last(newest, up_to, self.past, [self.collection], count)

    async def positions(self, item: str, after: int, limit: int) -> list[bytes]:
        """Those of the item's versions after one."""
        before, newer = await self.stream.positions(item, after, limit)
        older = min(before - after, limit)
        if older <= 0:
            return newer
        return [*await self._older_positions(item, after, older), *newer]

    async def last_change(self, item: str) -> tuple[int, str]:
        """The item's last version and the position that made it."""
        return await self.stream.last_change(item)

    async def entry_of(
        self, item: str, version: int, *, with_body: bool = True
    ) -> tuple[int, Entry | None]:
        """How many versions an item has, and the entry that made one of them."""
        found = await self.stream.version(item, version, with_body=with_body)
        if found.entry is not None or version > found.count:
            return found.count, found.entry
        positions = [found.position] if found.position else []
        if version <= found.before:
            positions = await self._older_positions(item, version - 1, 1)
        entries: list[Entry] = []
        if positions:
            entries, _ = await self.entries_at(positions, with_bodies=with_body)
        return found.count, entries[0] if entries else None

    async def version_at(self, item: str, position: str) -> int:
        """The version that an item had at a position, 0 before its first."""
        in_history, before = await self.stream.version_at(item, position)
        if in_history or not before:
            return before + in_history
        up_to = await self._border()
        if key_of(position) >= key_of(up_to):
            return before
        past = known_past(self.past, up_to)
        async with past.asking():
            return await past.version_at(self.collection, item, position)

    async def _lacks_what_comes_after(self, log: Extent, position: str) -> bool:
        """Whether a stream that lost events lacks some after a position that the past lacks too."""
        begins_at = log.first if log.length else log.end
        after = max(position, await self._border(), key=key_of)
        if key_of(after) >= key_of(begins_at):
            return False
        if self.past is None or not log.trimmed or not log.length:
            return True
        # What was removed may have been in the middle: the archive knows what the first is after.
        keys = self.stream.keys.store
        if key_of(await sealed(self.stream.client, keys)) < key_of(begins_at):
            return True
        async with self.past.asking():
            part = await self.past.part_after([self.collection], after, begins_at, Within(1))
        return [position for position, _ in part.entries] != [begins_at.encode()]

    async def _border(self) -> str:
        return await border(self.stream.client, self.stream.keys.store)

    async def _older_at(self, up_to: str, positions: Sequence[bytes]) -> dict[bytes, list[bytes]]:
        past = known_past(self.past, up_to)
        async with past.asking():
            return dict(await past.entries_at(self.collection, positions))

    async def _older_positions(self, item: str, after: int, count: int) -> list[bytes]:
        """The positions of versions that the archive has. Raises PastDamaged without them."""
        past = known_past(self.past, "the border")
        async with past.asking():
            found = await past.positions(self.collection, item, after, count)
        if len(found) < count:
            message = (
                f"The archive has {len(found)} of the {count} versions of item {item!r} after "
                f"{after}, and the engine has none of them."
            )
            raise PastDamaged(message)
        return found


def _without_body(fields: list[bytes]) -> list[bytes]:
    """As the engine sends it: with the first byte of the body."""
    return [*fields[:DATA], fields[DATA][:1], *fields[DATA + 1 :]]
