"""A past that is a list in memory, what moves logs into it, and a store whose readers ask it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from redis.asyncio import Redis

from itemstore.archive.trimming import trim_step
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.feed import OrderedFeed
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.past import BORDER, Past
from itemstore.eventlog.reader import Entry, Part, Within, size_of
from itemstore.projections.current_items import CurrentItems
from itemstore.store.collection import Collection
from itemstore.store.store import Store
from tests.archive.streams import heads


@dataclass
class MemoryPast(Past):
    """The entries that were put into it, in order, each with the collection that it is of.

    `calls` are the names of what it was asked.
    """

    kept: list[tuple[str, Entry]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def end(self) -> str:
        """The position up to which it has everything."""
        return self.kept[-1][1][0].decode() if self.kept else START

    async def part_after(
        self, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries, with the bounds of the engine."""
        self.calls.append("part_after")
        entries, whose, looked, size, place = [], [], 0, 0, after
        for collection, entry in self._of(collections, after, up_to):
            position, fields = entry
            if within.item not in (None, fields[3].decode()):
                continue
            if looked and size + size_of([entry]) > within.bytes:
                break
            looked, size, place = looked + 1, size + size_of([entry]), position.decode()
            is_wanted = within.kind in ("", fields[1].decode())
            if is_wanted and fields[3].decode().startswith(within.prefixes):
                entries.append((position, fields))
                whose.append(collection)
            if min(within.entries - len(entries), within.looked - looked, within.bytes - size) <= 0:
                break
        else:
            return Part(entries, up_to, looked, is_end=True, collections=whose)
        return Part(entries, place, looked, is_end=False, collections=whose)

    async def slices(
        self, collections: Sequence[str], after: str, up_to: str
    ) -> AsyncGenerator[Part, None]:
        """A few at a time."""
        self.calls.append("slices")
        left = iter([*self._of(collections, after, up_to)])
        while some := [*islice(left, 7)]:
            entries = [entry for _, entry in some]
            position = entries[-1][0].decode()
            yield Part(entries, position, len(some), is_end=False, collections=[c for c, _ in some])

    async def entries_at(self, collection: str, positions: Sequence[bytes]) -> list[Entry]:
        """The first few of them."""
        self.calls.append("entries_at")
        there = {entry[0]: entry for of, entry in self.kept if of == collection}
        return [there[position] for position in positions if position in there][:5]

    async def positions(self, collection: str, item: str, after: int, limit: int) -> list[bytes]:
        """Those of the item's versions after one."""
        self.calls.append("positions")
        return self._history(collection, item)[after : after + limit]

    async def version_at(self, collection: str, item: str, position: str) -> int:
        """How many of its positions there are up to one."""
        self.calls.append("version_at")
        keys = [key_of(each.decode()) for each in self._history(collection, item)]
        return bisect_right(keys, key_of(position))

    async def count(self, collection: str, up_to: str) -> int:
        """How many there are."""
        return len([*self._of([collection], START, up_to)])

    async def before_last(self, collections: Sequence[str], count: int, up_to: str) -> str:
        """The position of the one before them."""
        self.calls.append("before_last")
        found = [entry[0].decode() for _, entry in self._of(collections, START, up_to)]
        return found[-1 - count] if count < len(found) else START

    def _of(
        self, collections: Sequence[str], after: str, up_to: str
    ) -> Iterator[tuple[str, Entry]]:
        first, last = key_of(after), key_of(up_to)
        return (
            each
            for each in self.kept
            if each[0] in collections and first < key_of(each[1][0].decode()) <= last
        )

    def _history(self, collection: str, item: str) -> list[bytes]:
        return [
            entry[0] for of, entry in self.kept if of == collection and entry[1][3] == item.encode()
        ]


def with_past(store: Store, past: Past | None) -> Store:
    """The store, with readers that ask the past."""
    partitions = {
        name: replace(each.partition, past=past) for name, each in store.collections.items()
    }
    appender = Appender(store.partition.client, store.partition.keys.store, past=past)
    collections: Mapping[str, Collection] = {
        name: Collection(
            name, (partition,), EventLog(partition, appender=appender), CurrentItems(partition)
        )
        for name, partition in partitions.items()
    }
    feed = OrderedFeed.on([*partitions.values()])
    return replace(store, collections=collections, appender=appender, feed=feed)


@dataclass
class Trimmer:
    """Moves the older part of logs into a past, as an archiver does."""

    client: Redis
    logs: Sequence[Keys]
    past: MemoryPast = field(default_factory=MemoryPast)

    async def raise_border(self, up_to: str) -> None:
        """Copies what the logs have up to a position, and lets readers ask for it."""
        some: list[tuple[str, Entry]] = []
        for log in self.logs:
            after = b"(" + self.past.end.encode()
            entries: Any = await self.client.execute_command(  # type: ignore[no-untyped-call]
                b"XRANGE", log.events, after, up_to
            )
            some += [(log.collection, (place, fields)) for place, fields in entries]
        self.past.kept += sorted(some, key=lambda each: key_of(each[1][0].decode()))
        await self.client.hset(self.logs[0].store.archive, BORDER, self.past.end)

    async def trim(self, events: int = 250) -> None:
        """Takes as many of the events that may go out of each log, in one step."""
        for log in self.logs:
            if some := await heads(self.client, log, up_to=self.past.end, count=events):
                await trim_step(self.client, log, some)
