"""Comparing the rows of a partition with its log, as of their own checkpoint.

The tables are read as of one moment, and the fold is brought to where they were then. So writes go
on, and nothing is a difference that was not one at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from time import monotonic

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.log_id import known_identity
from itemstore.eventlog.reader import Entry
from itemstore.projections.fold import Fold, Page, State
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoint, has_checkpoints
from itemstore.projections.sql.comparison import Comparison, Difference, StatesDigest, told
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import SqlDamaged, SqlMissing
from itemstore.projections.sql.tables import indexes
from itemstore.projections.sql.word_comparison import differing_words
from itemstore.projections.sql.writing import KeysOf, Texts, digest_of

PATIENCE = 0.5
"""Seconds in which the tables have to move, where they are behind what is folded: then somebody
follows, and they are waited for."""

LOOK = 0.02
"""Seconds between two looks whether they did."""

NOT_BEGUN = "nothing of it is there yet"


class SqlCheck:
    """Compares tables, checkpoint, keys and counts with the fold.

    A model that is behind is compared as far as it is. What is compared is as of one moment of the
    database, which keeps what it replaces until then.
    """

    def __init__(  # noqa: PLR0913 - what is compared, and what it should be
        self,
        name: str,
        fold: Fold,
        database: Database,
        keys_of: KeysOf | None = None,
        texts: Texts | None = None,
        *,
        partitions: int = 1,
    ) -> None:
        self._name = name
        self._fold = fold
        self._database = database
        self._keys_of = keys_of
        self._texts = texts
        self._collection = fold.partition.keys.collection
        self._number = fold.partition.keys.partition or 0
        self._partitions = partitions

    async def take(self, page: Page) -> None:
        """Needs no event: the fold has the items."""

    async def compare(self) -> None:
        """Compares what is there. Raises SqlUnavailable where the database can't be reached."""
        try:
            with closing(self._database.reading()) as connection:
                if self._checkpoint(connection) is None:
                    self._fold.not_compared[self._name] = NOT_BEGUN
                    return
                await self._wait_for(connection)
                with connection.transaction():
                    await self._compare(connection)
        except SqlMissing:
            self._fold.not_compared[self._name] = NOT_BEGUN
        except SqlDamaged as error:
            self._note("database", str(error), "one that can be read")

    def _checkpoint(self, connection: Connection) -> Checkpoint | None:
        if not has_checkpoints(connection):
            return None
        return checkpoint(connection, self._collection, self._number)

    async def _wait_for(self, connection: Connection) -> None:
        """Waits until the tables are where the fold is, for as long as they come nearer."""
        before, until = None, 0.0
        while (found := self._checkpoint(connection)) is not None:
            if _place(found) >= key_of(self._fold.position):
                return
            if found != before:
                before, until = found, monotonic() + PATIENCE
            if monotonic() > until:
                return
            await asyncio.sleep(LOOK)

    async def _compare(self, connection: Connection) -> None:
        """Compares what the transaction of a connection shows."""
        found = self._checkpoint(connection)
        if found is None:
            self._fold.not_compared[self._name] = NOT_BEGUN
            return
        log = await known_identity(self._fold.partition)
        if found.log != log:
            self._note("log", found.log, log)
            return
        if found.partitions != self._partitions:
            self._note("partitions", found.partitions, self._partitions)
            return
        right = await self._as_of(found)
        self._compare_checkpoint(found, right)
        comparison = Comparison(
            connection,
            self._collection,
            indexes(connection, self._collection),
            self._keys_of,
            self._number,
        )
        with closing(comparison.steps(right.states())) as steps:
            for step in steps:
                for each in step:
                    self._differs(each)
                await asyncio.sleep(0)
        await self._compare_texts(connection)
        if found.items != comparison.items:
            self._note("count", found.items, comparison.items)
        digest = StatesDigest()
        digest.add_all(right.states())
        if str(comparison.digest) != str(digest):
            self._note("digest", comparison.digest, digest)

    async def _compare_texts(self, connection: Connection) -> None:
        text = self._texts.text_of(connection, self._collection) if self._texts else None
        if text is not None:
            words = differing_words(
                connection, self._collection, text, self._number, self._partitions
            )
            with closing(words) as steps:
                for step in steps:
                    for each in step:
                        self._differs(each)
                    await asyncio.sleep(0)

    def _compare_checkpoint(self, found: Checkpoint, right: AsOf) -> None:
        if right.last is None or right.last[0].decode() != found.position:
            end = START if right.last is None else right.last[0].decode()
            if found.position != end:
                self._note("checkpoint", found.position, f"the position of an event, as {end}")
        elif found.event != digest_of(right.last):
            self._note("checkpoint", f"event {found.event}", f"event {digest_of(right.last)}")
        elif found.events != right.entries:
            self._note("events", found.events, right.entries)

    async def _as_of(self, found: Checkpoint) -> AsOf:
        """The items as they were at a checkpoint, wherever the fold is."""
        fold, at = self._fold, _place(found)
        last = None
        if at > key_of(fold.position):
            last, _ = await _fold_up_to(fold, at, lambda _: True)
        if at >= key_of(fold.position):
            return AsOf(fold, {}, last or await self._entry_at(fold.position), fold.entries)
        changed: dict[bytes, State | None] = {
            item: None
            for item, (_, position, *_) in fold.items.items()
            if key_of(position.decode()) > at
        }
        earlier = Fold(fold.partition)
        last, entries = await _fold_up_to(earlier, at, changed.__contains__)
        return AsOf(fold, {**changed, **earlier.items}, last, entries)

    async def _entry_at(self, position: str) -> Entry | None:
        if position == START:
            return None
        entries, _ = await self._fold.partition.reader.entries_at([position.encode()])
        return entries[0] if entries else None

    def _differs(self, difference: Difference) -> None:
        self._note(difference.name, told(difference.found), told(difference.expected))

    def _note(self, name: str, found: object, expected: object) -> None:
        self._fold.differences.add(self._name, name, found, expected)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The items as of a moment, and those that changed since as they were then.

    The log had so many `entries`, of which `last` was the last one.
    """

    fold: Fold
    changed: dict[bytes, State | None]
    last: Entry | None
    entries: int

    def states(self) -> Iterator[tuple[bytes, State]]:
        """All that there was, in the order of their ids."""
        items, changed = self.fold.items, self.changed
        for item in sorted(items):
            state = changed[item] if item in changed else items[item]
            if state is not None:
                yield item, state


async def _fold_up_to(
    fold: Fold, place: tuple[int, int], is_wanted: Callable[[bytes], bool]
) -> tuple[Entry | None, int]:
    """Goes on with the events of some items up to a place.

    The last entry there of any item, and how many came before it, and it.
    """
    last, count = None, 0
    async with aclosing(fold.partition.reader.slices(fold.reached)) as log:
        async for entries in log:
            within = [entry for entry in entries if key_of(entry[0].decode()) <= place]
            last, count = within[-1] if within else last, count + len(within)
            await fold.take([entry for entry in within if is_wanted(_item_of(entry))])
            if len(within) < len(entries):
                break
    return last, count


def _item_of(entry: Entry) -> bytes:
    """The id in an entry, whatever else that is."""
    fields = entry[1]
    return fields[3] if fields[2:3] == [b"item"] else b""


def _place(found: Checkpoint) -> tuple[int, int]:
    try:
        return key_of(found.position)
    except ValueError:  # somebody put something else there
        return key_of(START)
