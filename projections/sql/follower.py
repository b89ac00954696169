"""Keeping the table of a collection up with the log of one of its partitions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import Entry
from itemstore.projections.projection import Follower
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint, checkpoints
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import clear, clear_all, ids_in
from itemstore.projections.sql.whole_transactions import with_the_rest
from itemstore.projections.sql.writer import Writer
from itemstore.projections.sql.writing import KeysOf, Texts, Writing, digest_of

logger = logging.getLogger(__name__)


class _Fit(Enum):
    """How a checkpoint fits the log."""

    IS_IN_IT = 0
    IS_CUT_OFF = 1
    IS_NOT_IN_IT = 2


class SqlFollower(Follower):
    """Applies a log to its table, and finds out where the two don't belong together.

    The table may be of another log, or from ahead of one that a failover or a restore has set back.
    Then the rows of the log's partition are taken away, and made again from its first event on;
    those of the others stay. Where the table is of a store with another number of partitions, the
    first follower empties all of it: each id may be in another one.
    """

    def __init__(
        self,
        writer: Writer,
        partition: Partition,
        keys_of: KeysOf | None,
        texts: Texts | None,
        partitions: int = 1,
    ) -> None:
        self._writer = writer
        self._partition = partition
        self._partitions = partitions
        self._collection = partition.keys.collection
        self._number = partition.keys.partition or 0
        self._keys_of = keys_of
        self._texts = texts
        self._at: Checkpoint | None = None
        self._cut_off = ""  # a position whose event was removed by hand, with all before it
        self._archived: Checkpoint | None = None  # one whose event stays in the log for ever

    async def position(self) -> str:
        """Where the table is, once that is a place in the log.

        Raises SqlUnavailable, LogUnavailable, LogBroken.
        """
        log = await identity(self._partition)
        at = await self._writer.run(self._noted)
        if at is None:
            at = await self._begun(log)
        elif at.log != log:
            at = await self._emptied(log, f"it is of another log ({at.log}) than this ({log})")
        elif not (_same_place(at, self._at) and await self._still_has([at])):
            at = await self._fitted(at)
        if key_of(at.position) < key_of(at.target):
            at = await self._with_target_in_reach(at)
        self._at = at
        return at.position

    @property
    def knows_its_position(self) -> bool:
        """Whether the table is where it last applied events to, or the next ones won't be applied.

        One that is just being made may have to be told that what it is made for was taken back.
        """
        at = self._at
        return at is not None and key_of(at.position) >= key_of(at.target)

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether the entries were applied, with the checkpoint, in one transaction.

        They were not where the table is no longer at `after`, and where the log does not have what
        was read: it may have led from one engine to another. Where they end within a transaction,
        the rest of that is applied with them.
        """
        at = self._at
        if at is None or at.position != after:
            return False
        entries = await with_the_rest(entries, self._partition.reader)
        last = entries[-1]
        coming = replace(at, position=last[0].decode(), event=digest_of(last))
        if not await self._still_has([at, coming]):
            return False
        self._writer.database.check_space()

        def applied(connection: Connection) -> bool:
            writing = Writing(
                connection, self._collection, self._keys_of, self._texts, self._number
            )
            return writing.apply(entries, at)

        self._at = None
        if not await self._writer.run(applied):
            return False
        self._at = coming
        return True

    def _noted(self, connection: Connection) -> Checkpoint | None:
        """How far the partition is, in a table that is of as many partitions as the store has."""
        noted = checkpoints(connection, self._collection)
        if any(each.partitions != self._partitions for each in noted):
            self._empty_all(connection)
            return None
        return next((each for each in noted if each.partition == self._number), None)

    def _empty_all(self, connection: Connection) -> None:
        logger.warning(
            "The read model is made again",
            extra={
                "collection": self._collection,
                "reason": "it is of a store with another number of partitions",
            },
        )
        with connection.transaction():
            clear_all(connection, self._collection)
            if self._texts is not None:
                self._texts.clear(connection, self._collection)

    async def _at_the_start(self, log: str) -> Checkpoint:
        last = await self._partition.reader.last_position()
        return Checkpoint(log, target=last, partition=self._number, partitions=self._partitions)

    async def _begun(self, log: str) -> Checkpoint:
        begun = await self._at_the_start(log)

        def begin_there(connection: Connection) -> Checkpoint | None:
            begin(connection, self._collection, begun)
            return checkpoint(connection, self._collection, self._number)

        return await self._writer.run(begin_there) or begun

    async def _emptied(self, log: str, why: str) -> Checkpoint:
        """Begins again from the first event on."""
        logger.warning("The read model is made again", extra={**self._named, "reason": why})
        begun = await self._at_the_start(log)

        def empty(connection: Connection) -> None:
            with connection.transaction():
                self._forget_words(connection)
                clear(connection, self._collection, begun)

        await self._writer.run(empty)
        return begun

    def _forget_words(self, connection: Connection) -> None:
        if self._texts is None:
            return
        if self._partitions == 1:
            self._texts.clear(connection, self._collection)
            return
        for ids in ids_in(connection, self._collection, self._number):
            self._texts.remove(connection, self._collection, ids)

    @property
    def _named(self) -> dict[str, object]:
        """What is followed, as the log names it."""
        number = self._partition.keys.partition
        of = {} if number is None else {"partition": number}
        return {"collection": self._collection, **of}

    async def _fitted(self, at: Checkpoint) -> Checkpoint:
        """The place to go on from, where it is not known whether the log has this one."""
        fit = await self._fit(at)
        if fit is _Fit.IS_NOT_IN_IT:
            return await self._emptied(at.log, f"the log has no such event at {at.position}")
        if fit is _Fit.IS_CUT_OFF and self._cut_off != at.position:
            self._cut_off = at.position
            logger.warning(
                "The read model may lack events, as the log begins later than it is",
                extra={**self._named, "position": at.position},
            )
        return at

    async def _with_target_in_reach(self, at: Checkpoint) -> Checkpoint:
        """What the table is made for may have been taken back meanwhile."""
        last = await self._partition.reader.last_position()
        if key_of(at.target) <= key_of(last):
            return at

        def note(connection: Connection) -> None:
            connection.execute(
                "UPDATE itemstore_checkpoints SET target = ?"
                " WHERE collection = ? AND partition = ? AND target = ?",
                (last, self._collection, self._number, at.target),
            )

        await self._writer.run(note)
        return replace(at, target=last)

    async def _fit(self, at: Checkpoint) -> _Fit:
        """How a checkpoint fits the log, wherever that has the event."""
        if at.position == START:
            return _Fit.IS_IN_IT
        reader = self._partition.reader
        found, _ = await reader.entries_at([at.position.encode()])
        if found:
            return _Fit.IS_IN_IT if digest_of(found[0]) == at.event else _Fit.IS_NOT_IN_IT
        log = await reader.extent()
        begins_later = not log.length or key_of(at.position) < key_of(log.first)
        if log.lost and begins_later and not log.is_before(at.position):
            return _Fit.IS_CUT_OFF
        return _Fit.IS_NOT_IN_IT

    async def _still_has(self, places: Sequence[Checkpoint]) -> bool:
        """Whether the log has these events.

        One before the border is looked for in the archive: it may have been taken back before the
        border came there. What the archive has no event leaves, so it is asked once.
        """
        up_to = key_of(await border(self._partition.client, self._partition.keys.store))
        wanted = [
            each
            for each in places
            if each.position not in (START, self._cut_off) and not _same_place(each, self._archived)
        ]
        done = 0
        while done < len(wanted):
            left = wanted[done:]
            positions = [each.position.encode() for each in left]
            found, looked = await self._partition.reader.entries_at(positions)
            if [digest_of(each) for each in found] != [each.event for each in left[:looked]]:
                return False
            done += looked
        for each in wanted:
            if key_of(each.position) <= up_to:
                self._archived = each
        return True


def _same_place(one: Checkpoint, other: Checkpoint | None) -> bool:
    return other is not None and (one.log, one.position, one.event) == (
        *(other.log, other.position, other.event),
    )
