"""Rebuilding the rows of a partition: made again beside the live ones, compared, put in place.

What is made again has a table and a checkpoint of its own, as if it were another collection. Where
the live rows of the partition differ from it, they are mended in one transaction, in which both are
at the same event. So readers see all of it or nothing, whoever dies, and the one that follows goes
on from there (docs/decisions/0064).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, closing
from dataclasses import replace

from itemstore.domain.positions import START, key_of, position_of
from itemstore.eventlog.codec import without_meta
from itemstore.eventlog.lease import LeaseLost
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.reader import Entry, size_of
from itemstore.projections.columns import columns_of
from itemstore.projections.digest import RowsDigest
from itemstore.projections.row import row_of
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.comparison import Comparison, Difference, States, StatesDigest
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.rebuilt_tables import (
    changes_in,
    create,
    name_of,
    remove_all,
    states_in,
)
from itemstore.projections.sql.tables import create_tables, indexes
from itemstore.projections.sql.word_comparison import differing_words
from itemstore.projections.sql.writing import KeysOf, Texts, Writing, digest_of
from itemstore.projections.task import EXAMPLES, Findings, Task

ENOUGH, ENOUGH_BYTES = 2000, 4 * 1024 * 1024
"""Events that are applied together, or fewer where they are large."""

MENDED = 200
"""Items that are put in place with one statement."""

KINDS = {"row": "rows", "deleted": "deleted", "key": "keys", "words": "words"}
"""What a receipt calls the kinds of differences."""


async def rebuild_sql(
    task: Task,
    database: Database,
    keys_of: KeysOf | None = None,
    texts: Texts | None = None,
    *,
    partitions: int = 1,
) -> Findings:
    """Rebuilds the rows of the task's partition, and puts them in place unless it is a dry run.

    It is one of so many `partitions`. Raises SqlUnavailable, and what a projection's `rebuild`
    raises.
    """
    keys = task.partition.keys
    with closing(database.writing()) as connection:
        create_tables(connection, [keys.collection], partitions)
        remove_all(connection, keys)
        try:
            with closing(database.reading()) as live:
                rebuild = _SqlRebuild(task, connection, live, keys_of, texts, partitions)
                return await rebuild.findings()
        finally:
            remove_all(connection, keys)


class _SqlRebuild:
    def __init__(  # noqa: PLR0913, PLR0917 - what it is given, and where it puts it
        self,
        task: Task,
        connection: Connection,
        live: Connection,
        keys_of: KeysOf | None,
        texts: Texts | None,
        partitions: int,
    ) -> None:
        self._task = task
        keys = task.partition.keys
        self._collection = keys.collection
        self._number = keys.partition or 0
        self._partitions = partitions
        self._name = name_of(keys, task.lease.token)
        self._connection = connection
        self._live = live
        self._keys_of = keys_of
        self._texts = texts
        self._beside = Writing(connection, self._name, partition=self._number)
        self._in_place = Writing(connection, self._collection, keys_of, texts, self._number)
        self._first = ""
        self._events = self._skipped = 0
        self._differing: dict[str, None] = {}
        self._different: Counter[str] = Counter()
        self._examples: dict[str, None] = {}

    async def findings(self) -> Findings:
        """Does all of it."""
        await self._begin()
        is_over = False
        while not is_over:
            await self._replay()
            compared = await self._compare()
            is_over = self._task.dry_run or await self._put_in_place(compared)
        last = self._at()
        return Findings(
            first=self._first,
            last=last.position if self._first else "",
            events=self._events,
            skipped=self._skipped,
            items=last.items,
            digest_before=str(self._right.plus(self._live_less_right)),
            digest_after=str(self._right),
            different=dict.fromkeys((*KINDS.values(), "checkpoint"), 0) | self._different,
            examples=[*self._examples][:EXAMPLES],
        )

    async def _begin(self) -> None:
        log = await identity(self._task.partition)
        begun = Checkpoint(log, partition=self._number, partitions=self._partitions)
        create(self._connection, self._name, begun)

    def _at(self) -> Checkpoint:
        """How far it is beside the live tables."""
        found = checkpoint(self._connection, self._name, self._number)
        if found is None:
            raise LeaseLost  # and somebody else has removed it
        return found

    async def _replay(self) -> None:
        """Applies what the log has beside the live tables, to its end."""
        async with aclosing(self._batches(self._at().position)) as batches:
            async for batch in batches:
                self._beside.apply(batch, self._at())
                self._count(batch)
                self._task.tell("replaying", self._events + self._skipped)
                await self._task.lease.renew_in_time()

    async def _batches(self, after: str) -> AsyncGenerator[list[Entry]]:
        batch: list[Entry] = []
        size = 0
        async with aclosing(self._task.partition.reader.slices(after)) as log:
            async for entries in log:
                batch += entries
                size += size_of(entries)
                if len(batch) >= ENOUGH or size >= ENOUGH_BYTES:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch

    def _count(self, batch: Sequence[Entry]) -> None:
        self._first = self._first or batch[0][0].decode()
        no_events = 0
        if columns_of(batch) is None:
            no_events = sum(without_meta(*entry) is None for entry in batch)
        self._events += len(batch) - no_events
        self._skipped += no_events

    async def _compare(self) -> Checkpoint | None:
        """Finds what differs, and both digests, as of one moment of the live tables."""
        self._right, self._live_less_right = StatesDigest(), RowsDigest()
        self._differing.clear()
        self._different.clear()
        self._examples.clear()
        live = self._live
        with live.transaction():
            found = checkpoint(live, self._collection, self._number)
            comparison = Comparison(
                live,
                self._collection,
                indexes(live, self._collection),
                self._keys_of,
                self._number,
            )
            common = _common(found, self._at())
            with closing(comparison.steps(self._states())) as steps:
                for step in steps:
                    for each in step:
                        self._note(each, is_new=common and key_of(each.position) > common)
                    self._task.tell("comparing", self._events + self._skipped)
                    await self._task.lease.renew_in_time()
                    await asyncio.sleep(0)
            await self._compare_texts()
            if found is None or not await self._is_right(found, comparison.items):
                self._different["checkpoint"] += 1
        return found

    async def _compare_texts(self) -> None:
        text = self._texts.text_of(self._live, self._collection) if self._texts else None
        if text is not None:
            words = differing_words(
                self._live, self._collection, text, self._number, self._partitions
            )
            with closing(words) as steps:
                for step in steps:
                    for each in step:
                        self._note(each, is_new=False)
                    await self._task.lease.renew_in_time()

    def _note(self, difference: Difference, *, is_new: bool | None) -> None:
        """Notes that an item is to be mended; counts it unless only one side has its last event."""
        item = difference.item.decode(errors="surrogateescape")
        self._differing[item] = None
        if is_new:
            return
        kind = KINDS[difference.kind]
        self._different[kind] += 1
        if len(self._examples) < EXAMPLES:
            self._examples[difference.item.decode(errors="replace")] = None
        if isinstance(difference.expected, tuple):
            self._live_less_right.remove(difference.item, row_of(*difference.expected))
        if isinstance(difference.found, tuple):
            self._live_less_right.add(difference.item, row_of(*difference.found))

    async def _is_right(self, found: Checkpoint, items: int) -> bool:
        """Whether a checkpoint counts right, and the log has the event that it says."""
        right = self._at()
        if found.partitions != right.partitions:
            return False
        if found.log != right.log or found.items != items:
            return False
        if found.position == right.position and found.events != right.events:
            return False
        if found.position == START:
            return found.event == ""
        position = position_of(found.position)
        if position is None:
            return False
        entries, _ = await self._task.partition.reader.entries_at([position.encode()])
        return [digest_of(entry) for entry in entries] == [found.event]

    def _states(self) -> States:
        """The items as they should be, which are in the digest from then on."""
        for pair in states_in(self._connection, self._name):
            self._right.add_all([pair])
            yield pair

    async def _put_in_place(self, compared: Checkpoint | None) -> bool:
        """Whether the live tables were mended. They were not where they were begun again meanwhile.

        What is not known to differ was the same, and got the same events since.
        """
        self._task.tell("swapping", self._events + self._skipped)
        connection = self._connection
        with connection.transaction():
            connection.execute(  # now nobody else writes
                "UPDATE itemstore_checkpoints SET items = items"
                " WHERE collection IN (?, ?) AND partition = ?",
                (self._name, self._collection, self._number),
            )
            live = checkpoint(connection, self._collection, self._number)
            if not _goes_on(compared, live):
                return False
            if live is not None:
                await self._catch_up(live)
            right = self._at()
            for start in range(0, len(self._differing), MENDED):
                self._mend([*self._differing][start : start + MENDED])
                await self._task.lease.renew_in_time()
            connection.execute(
                "DELETE FROM itemstore_checkpoints WHERE collection = ? AND partition = ?",
                (self._collection, self._number),
            )
            begin(connection, self._collection, replace(right, target=START))
        return True

    async def _catch_up(self, live: Checkpoint) -> None:
        """Applies what the live tables have got since, beside them."""
        at = self._at()
        end = key_of(live.position)
        if key_of(at.position) >= end:
            return
        async with aclosing(self._batches(at.position)) as batches:
            async for batch in batches:
                within = [entry for entry in batch if key_of(entry[0].decode()) <= end]
                if within:
                    self._beside.apply_within(within, self._at())
                    self._count(within)
                if len(within) < len(batch):
                    return

    def _mend(self, items: Sequence[str]) -> None:
        """Puts items as they are beside in place of what they are."""
        existing, deleted = changes_in(self._connection, self._name, items)
        self._in_place.forget(items)
        self._in_place.put(existing, deleted)


def _common(live: Checkpoint | None, right: Checkpoint) -> tuple[int, int] | None:
    """Up to where both have the log; None where the live tables have another one, or nothing."""
    if live is None or live.log != right.log:
        return None
    return min(key_of(live.position), key_of(right.position))


def _goes_on(compared: Checkpoint | None, live: Checkpoint | None) -> bool:
    """Whether tables have only got events since they were compared."""
    if compared is None or live is None:
        return compared == live
    return compared.log == live.log and key_of(compared.position) <= key_of(live.position)
