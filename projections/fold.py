"""The log folded with the domain's `evolve`: what every item should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol

from itemstore.domain.events import ItemCreated, ItemDeleted, RecordedEvent
from itemstore.domain.evolve import POSSIBLE, ImpossibleHistory, Item, evolve
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.codec import (
    MalformedEntry,
    decode_flat,
    is_meta,
    without_meta,
)
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import Columns, columns_of
from itemstore.projections.digest import BODY, RowsDigest, reduced
from itemstore.projections.row import row_of
from itemstore.projections.verdict import Differences

_PLAIN = {(exists, kind.__name__.encode()): kind is ItemCreated for exists, kind in POSSIBLE}
"""Whether an item exists, and what can happen to it: is that a creation?"""


class Page(NamedTuple):
    """Entries of the log that are folded together, whatever they are.

    `columns` are theirs, None where one of them may be no event. `replaced` has the item and the
    position of each event that is no longer the last of its item.
    """

    entries: Sequence[Entry]
    columns: Columns | None
    replaced: Sequence[tuple[bytes, bytes]]


class Check(Protocol):
    """One projection's part in a verification: it compares what is live with the log."""

    async def take(self, page: Page) -> None:
        """Goes on with what the fold has just taken."""

    async def compare(self) -> None:
        """Notes what is different among the fold's differences, once the log is folded."""


State = tuple[int, bytes, bytes, bytes | None]
"""An item as its events left it: version, position, created and body, as the log has them.

See Item. The body is reduced. Millions of plain tuples are made in half the time of anything else.
"""

NEVER: State = (0, b"", b"", None)
"""What an item is before its first event."""


class Fold:
    """All items up to `position`, by their ids; `entries` of the log were folded.

    There is nothing more up to `reached`, which may be a position without an event of this log.

    What the log itself has wrong is noted as a difference: entries that are no events, and
    events that can't follow what was before them. `impossible` holds the items of the latter;
    from there on they are what these events made of them. `checks` are told of every event.
    `not_compared` says of projections why they can't be compared, where that is no difference.
    """

    def __init__(self, partition: Partition, in_engine_from: str = START) -> None:
        """With the position before which the engine had no event of the log."""
        self.partition = partition
        self.in_engine_from = in_engine_from
        self.differences = Differences()
        self.checks: list[Check] = []
        self.not_compared: dict[str, str] = {}
        self.position = START
        self.reached = START
        self.entries = 0
        self.items: dict[bytes, State] = {}
        self.impossible: set[bytes] = set()

    async def catch_up(self, told: Callable[[], None] = lambda: None) -> None:
        """Goes on to the end of the log, wherever that is kept; `told` of each step.

        Raises LogUnavailable, LogBroken.
        """
        up_to = await border(self.partition.client, self.partition.keys.store)
        async with aclosing(self.partition.reader.slices(self.reached)) as log:
            async for entries in log:
                await self.take(entries)
                told()
        self.reached = max(self.reached, up_to, key=key_of)

    async def take(self, entries: Sequence[Entry]) -> None:
        """Goes on with entries of the log, in their order."""
        columns = columns_of(entries) if entries else None
        page = Page(entries, columns, self._folded(entries, columns))
        if entries:
            self.position = self.reached = entries[-1][0].decode()
            self.entries += len(entries)
        for check in self.checks:
            await check.take(page)

    def digest(self) -> RowsDigest:
        """The digest of all rows as they should be."""
        digest = RowsDigest()
        for name, state in self.items.items():
            digest.add(name, row_of(*state))
        return digest

    def existing(self) -> int:
        """How many items exist."""
        return sum(body is not None for *_, body in self.items.values())

    def _folded(
        self, entries: Sequence[Entry], columns: Columns | None
    ) -> list[tuple[bytes, bytes]]:
        """Goes on with entries; which events these have replaced as the last of their items.

        Where a page is plain, a few comparisons of bytes tell that an event can follow. `evolve`
        judges all others; a test holds the two against each other.
        """
        items = self.items
        replaced: list[tuple[bytes, bytes]] = []
        if columns is None or not all(map(is_meta, {*columns.metas})):
            for entry in entries:
                self._judge(entry, replaced)
            return replaced
        positions, types, names, versions, bodies, _ = columns
        if max(map(len, bodies)) > BODY:
            bodies = [reduced(body) for body in bodies]
        for entry, position, kind, name, version, body in zip(
            entries, positions, types, names, versions, bodies, strict=True
        ):
            last, replaces, created, old = items.get(name, NEVER)
            creates = _PLAIN.get((old is not None, kind))
            if creates is None or version != b"%d" % (last + 1):
                self._judge(entry, replaced)
                continue
            if last:
                replaced.append((name, replaces))
            items[name] = last + 1, position, position if creates else created, body or None
        return replaced

    def _judge(self, entry: Entry, replaced: list[tuple[bytes, bytes]]) -> None:
        """Goes on with one entry, whatever it is, and notes what is wrong with it."""
        position, fields = entry
        try:
            recorded = decode_flat(position, fields)
        except MalformedEntry as error:
            self.differences.add("log", position.decode(), str(error), "an event of this store")
            readable = without_meta(position, fields)
            if readable is None:
                return
            recorded = readable
        name = recorded.item.encode()
        state = self.items.get(name)
        if state:
            replaced.append((name, state[1]))
        before = _item(name, state) if state else None
        self.items[name] = _state(self._evolved(before, recorded))

    def _evolved(self, before: Item | None, recorded: RecordedEvent) -> Item:
        try:
            return evolve(before, recorded)
        except ImpossibleHistory as error:
            version = before.version + 1 if before else 1
            expected = f"an event of version {version} that can follow the ones before"
            self.differences.add("log", recorded.position, str(error), expected)
            self.impossible.add(recorded.item.encode())
            return _forced(before, recorded)


def _forced(before: Item | None, recorded: RecordedEvent) -> Item:
    """What the projection makes of an event, whatever was before it."""
    event, position = recorded.event, recorded.position
    created = before.created if before and not isinstance(event, ItemCreated) else position
    body = None if isinstance(event, ItemDeleted) else event.body
    return Item(event.item, recorded.version, position, created, body)


def _item(name: bytes, state: State) -> Item:
    version, position, created, body = state
    return Item(name.decode(), version, position.decode(), created.decode(), body)


def _state(item: Item) -> State:
    body = None if item.body is None else reduced(item.body)
    return item.version, item.position.encode(), item.created.encode(), body
