"""The log folded with the domain's `evolve`: what every item should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from itemstore.domain.events import ItemCreated, ItemDeleted, RecordedEvent
from itemstore.domain.evolve import ImpossibleHistory, Item, evolve
from itemstore.domain.positions import START
from itemstore.eventlog.codec import MalformedEntry, decode_flat, without_meta
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections.digest import BODY, RowsDigest, reduced
from itemstore.projections.row import encode
from itemstore.projections.verdict import Differences


class Check(Protocol):
    """One projection's part in a verification: it compares what is live with the log."""

    async def take(self, events: Sequence[RecordedEvent]) -> None:
        """Goes on with events that the fold has just taken."""

    async def compare(self) -> None:
        """Notes what is different among the fold's differences, once the log is folded."""


class Fold:
    """All items up to `position`, with their bodies reduced; `entries` of the log were folded.

    What the log itself has wrong is noted as a difference: entries that are no events, and
    events that can't follow what was before them. `impossible` holds the items of the latter;
    from there on they are what these events made of them. `checks` are told of every event.
    """

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.differences = Differences()
        self.checks: list[Check] = []
        self.position = START
        self.entries = 0
        self.items: dict[str, Item] = {}
        self.impossible: set[str] = set()

    async def catch_up(self) -> None:
        """Goes on to the end of the log. Raises LogUnavailable, LogBroken."""
        async for entries in self.partition.reader.slices(self.position):
            await self.take(entries)

    async def take(self, entries: Sequence[Entry]) -> None:
        """Goes on with entries of the log, in their order."""
        events = []
        for position, fields in entries:
            try:
                recorded = decode_flat(position, fields)
            except MalformedEntry as error:
                readable = self._readable(position, fields, error)
                if readable is None:
                    continue
                recorded = readable
            self._evolve(recorded)
            events.append(recorded)
        if entries:
            self.position = entries[-1][0].decode()
            self.entries += len(entries)
        for check in self.checks:
            await check.take(events)

    def digest(self) -> RowsDigest:
        """The digest of all rows as they should be."""
        digest = RowsDigest()
        for item in self.items.values():
            digest.add(item.id.encode(), encode(item))
        return digest

    def existing(self) -> int:
        """How many items exist."""
        return sum(item.exists for item in self.items.values())

    def _readable(
        self, position: bytes, fields: list[bytes], error: MalformedEntry
    ) -> RecordedEvent | None:
        """Notes an entry that is no event; one whose meta alone is wrong has happened."""
        self.differences.add("log", position.decode(), str(error), "an event of this store")
        return without_meta(position, fields)

    def _evolve(self, recorded: RecordedEvent) -> None:
        name = recorded.item
        before = self.items.get(name)
        try:
            item = evolve(before, recorded)
        except ImpossibleHistory as error:
            item = self._impossible(before, recorded, error)
        if item.body is not None and len(item.body) > BODY:
            item = replace(item, body=reduced(item.body))
        self.items[name] = item

    def _impossible(
        self, before: Item | None, recorded: RecordedEvent, error: ImpossibleHistory
    ) -> Item:
        version = before.version + 1 if before else 1
        expected = f"an event of version {version} that can follow the ones before"
        self.differences.add("log", recorded.position, str(error), expected)
        self.impossible.add(recorded.item)
        return _forced(before, recorded)


def _forced(before: Item | None, recorded: RecordedEvent) -> Item:
    """What the projection makes of an event, whatever was before it."""
    event, position = recorded.event, recorded.position
    created = before.created if before and not isinstance(event, ItemCreated) else position
    body = None if isinstance(event, ItemDeleted) else event.body
    return Item(event.item, recorded.version, position, created, body)
