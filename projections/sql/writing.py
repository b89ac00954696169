"""Applying events to the tables: rows and checkpoint in one transaction, or neither."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.reader import Entry
from itemstore.projections.sql.changes import Change, Updates, changes_of
from itemstore.projections.sql.checkpoints import Checkpoint
from itemstore.projections.sql.database import Connection, Value
from itemstore.projections.sql.tables import COLUMNS, Index, indexes, quoted

KeysOf = Callable[[Sequence[Index], bytes], Sequence[bytes | None]]
"""The sort keys of a body for each of the indexes of its collection, None where it has no value."""


class Text(Protocol):
    """The words of a collection's items, of those up to the id `filled_to`, None for all."""

    @property
    def filled_to(self) -> str | None:
        """Items after that may have none yet."""

    def rows(self, connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
        """The words that are kept of items, in the order of their ids."""

    def words_in(self, body: str) -> frozenset[str]:
        """Those that should be kept of an item with this body."""


class Texts(Protocol):
    """What keeps the words of items, for search, together with their rows."""

    def put(
        self, connection: Connection, collection: str, bodies: Iterable[tuple[str, bytes]]
    ) -> None:
        """Takes up what items are now, by id, whether they were there before or not."""

    def remove(self, connection: Connection, collection: str, ids: Sequence[str]) -> None:
        """Forgets items, those that it knows."""

    def clear(self, connection: Connection, collection: str) -> None:
        """Forgets all items of a collection."""

    def text_of(self, connection: Connection, collection: str) -> Text | None:
        """What is kept of a collection; None where nothing is."""


def digest_of(entry: Entry) -> str:
    """What is noted of an event. After a failover another one may have its position."""
    return hashlib.sha256(b"\n".join([entry[0], *entry[1]])).hexdigest()[:32]


class Writing:
    """Applies batches of a partition's log to the table of its collection.

    `keys_of` and `texts` are for its indexes.
    """

    def __init__(
        self,
        connection: Connection,
        collection: str,
        keys_of: KeysOf | None = None,
        texts: Texts | None = None,
        partition: int = 0,
    ) -> None:
        self._connection = connection
        self._collection = collection
        self._partition = partition
        self._table = quoted(collection)
        self._keys_of = keys_of
        self._texts = texts

    def apply(self, entries: Sequence[Entry], after: Checkpoint) -> bool:
        """Whether the entries were applied, all of them and the checkpoint with them.

        They were not where it is no longer at `after`: somebody else went on.
        """
        with self._connection.transaction():
            return self.apply_within(entries, after)

    def apply_within(self, entries: Sequence[Entry], after: Checkpoint) -> bool:
        """The same, within a transaction of the caller's."""
        if not self._moved(entries[-1], after):
            return False
        items = self._write(entries)
        self._connection.execute(
            "UPDATE itemstore_checkpoints SET items = items + ?, events = events + ?"
            " WHERE collection = ? AND partition = ?",
            (items, len(entries), self._collection, self._partition),
        )
        return True

    def put(self, existing: Sequence[Change], deleted: Sequence[Change]) -> None:
        """Puts items as they are said to be, each of whose `created` is known.

        Nothing may be left of what they were.
        """
        if existing:
            self._insert(existing, indexes(self._connection, self._collection))
            self._put_texts((each.id, each.body) for each in existing)
        if deleted:
            self._delete(deleted)

    def forget(self, ids: Sequence[str]) -> None:
        """Takes away all that there is of items, whether they exist or were deleted."""
        if self._texts is not None:
            self._texts.remove(self._connection, self._collection, ids)
        self._remove(ids)
        self._forget_deleted(ids)

    def _moved(self, last: Entry, after: Checkpoint) -> bool:
        return bool(
            self._connection.execute(
                "UPDATE itemstore_checkpoints SET position = ?, event = ?"
                " WHERE collection = ? AND partition = ?"
                " AND log = ? AND position = ? AND event = ? AND partitions = ?",
                (
                    *(last[0].decode(), digest_of(last), self._collection, self._partition),
                    *(after.log, after.position, after.event, after.partitions),
                ),
            )
        )

    def _write(self, entries: Sequence[Entry]) -> int:
        """Writes what the entries change; how many more items there are then."""
        changes = changes_of(entries)
        columns = indexes(self._connection, self._collection)
        items = 0
        if changes.deleted:
            items -= self._delete(changes.deleted)
        if changes.new:
            items += self._insert(changes.new, columns)
        if changes.updated.ids:
            items += self._update(changes.updated, columns)
        if changes.new or changes.updated.ids:
            self._put_texts(changes.bodies())
        return items

    def _put_texts(self, bodies: Iterable[tuple[str, bytes]]) -> None:
        if self._texts is not None:
            self._texts.put(self._connection, self._collection, bodies)

    def _delete(self, deleted: Sequence[Change]) -> int:
        self._connection.executemany(
            "INSERT INTO itemstore_deleted"  # noqa: S608 - quoted
            " (collection, partition, id, version, position, created_position)"
            f" VALUES (?, ?, ?, ?, ?, COALESCE(?, (SELECT created_position FROM {self._table}"
            " WHERE id = ?), (SELECT created_position FROM itemstore_deleted"
            " WHERE collection = ? AND id = ?), ?))"
            " ON CONFLICT (collection, id) DO UPDATE SET version = excluded.version,"
            " position = excluded.position, created_position = excluded.created_position",
            (
                (
                    *(self._collection, self._partition),
                    *(each.id, each.version, each.position, each.created),
                    *(each.id, self._collection, each.id, each.position),
                )
                for each in deleted
            ),
        )
        if self._texts is not None:
            self._texts.remove(self._connection, self._collection, [each.id for each in deleted])
        return self._remove([each.id for each in deleted])

    def _remove(self, ids: Sequence[str]) -> int:
        return self._connection.executemany(
            f"DELETE FROM {self._table} WHERE id = ?",  # noqa: S608 - quoted
            ((each,) for each in ids),
        )

    def _insert(self, new: Sequence[Change], columns: Sequence[Index]) -> int:
        """Puts items, those that are there already in the place of what they were."""
        rows = [self._row(each, each.created or each.position, columns) for each in new]
        names = ", ".join((*COLUMNS, *(each.column for each in columns)))
        statement = (
            f"INSERT INTO {self._table} ({names})"  # noqa: S608 - quoted, and our own
            f" VALUES ({', '.join('?' * (len(COLUMNS) + len(columns)))})"
            " ON CONFLICT (id) DO NOTHING"
        )
        more = self._connection.executemany(statement, rows)
        if more < len(rows):
            more -= self._remove([each.id for each in new])
            more += self._connection.executemany(statement, rows)
        self._forget_deleted([each.id for each in new if each.version > 1])
        return more

    def _update(self, updates: Updates, columns: Sequence[Index]) -> int:
        """Changes items; those that should be there and are not are put."""
        ids, versions, positions, bodies = updates
        times, texts = map(rfc3339, positions), map(_text, bodies)
        keys = zip(*(self._keys(body, columns) for body in bodies), strict=True) if columns else ()
        names = ("version = ?", "modified = ?", "position = ?", "body = ?")
        values = ", ".join((*names, *(f"{each.column} = ?" for each in columns)))
        done = self._connection.executemany(
            f"UPDATE {self._table} SET {values} WHERE id = ?",  # noqa: S608 - quoted, and our own
            zip(versions, times, positions, texts, *keys, ids, strict=True),
        )
        return self._put_missing(updates, columns) if done < len(ids) else 0

    def _put_missing(self, updates: Updates, columns: Sequence[Index]) -> int:
        """Puts those that are not there: the log has no creation of them, as it should."""
        missing = [
            each
            for each in updates.each()
            if not self._connection.one(
                f"SELECT 1 FROM {self._table} WHERE id = ?",  # noqa: S608 - quoted
                (each.id,),
            )
        ]
        rows = []
        for each in missing:
            known = self._connection.one(
                "SELECT created_position FROM itemstore_deleted WHERE collection = ? AND id = ?",
                (self._collection, each.id),
            )
            rows.append(each._replace(created=known[0] if known else each.position))
        more = self._insert(rows, columns)
        self._forget_deleted([each.id for each in missing])
        return more

    def _forget_deleted(self, ids: Sequence[str]) -> None:
        if ids:
            self._connection.executemany(
                "DELETE FROM itemstore_deleted WHERE collection = ? AND id = ?",
                ((self._collection, each) for each in ids),
            )

    def _row(self, change: Change, created: str, columns: Sequence[Index]) -> Sequence[Value]:
        position = change.position
        modified = rfc3339(position)
        first = modified if created == position else rfc3339(created)
        return (
            *(change.id, change.version, first, modified, position, created, _text(change.body)),
            self._partition,
            *self._keys(change.body, columns),
        )

    def _keys(self, body: bytes, columns: Sequence[Index]) -> Sequence[bytes | None]:
        if not columns or self._keys_of is None:
            return (None,) * len(columns)
        return self._keys_of(columns, body)


def _text(body: bytes) -> str:
    """A body as text; bytes that are none, which only another program can have put, are marked."""
    return body.decode(errors="replace")
