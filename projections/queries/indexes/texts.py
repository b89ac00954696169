"""The texts of collections: the words of what is declared, kept with the rows, and searched.

A new text is filled by id, as columns are; from its first moment on it has the words of every item
that the log changes. When other paths are declared, it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from itemstore.projections.queries.indexes.bodies import words_of_body
from itemstore.projections.queries.indexes.postgres_words import PostgresWords
from itemstore.projections.queries.indexes.slices import LOCK_SECONDS, lock, rows_after
from itemstore.projections.queries.indexes.sqlite_words import SqliteWords
from itemstore.projections.queries.indexes.word_tables import WordTable
from itemstore.projections.queries.paths import Path, paths_written
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import short_name


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a collection: the paths whose strings are in it, and the table of their words.

    It has the words of the items up to the id `filled_to`, and of all where that is None.
    """

    paths: tuple[Path, ...]
    words: WordTable
    filled_to: str | None

    @property
    def is_complete(self) -> bool:
        """Whether it has the words of all items."""
        return self.filled_to is None

    def rows(self, connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
        """The words that are kept of items, in the order of their ids."""
        return self.words.rows(connection)

    def words_in(self, body: str) -> frozenset[str]:
        """Those that should be kept of an item with this body."""
        return frozenset(words_of_body(body, self.paths))


def text_of(connection: Connection, collection: str) -> Text | None:
    """The text of a collection; None where none is declared."""
    sql = "SELECT paths, table_name, filled_to FROM itemstore_texts WHERE collection = ?"
    row = connection.one(sql, (collection,))
    if row is None:
        return None
    paths, table, filled_to = row
    return Text((*paths_written(paths),), _word_table(connection, table), filled_to)


def settle(connection: Connection, collection: str, paths: Sequence[Path]) -> None:
    """Lets there be a text of these paths, or none where there are none. It is not filled yet."""
    text = text_of(connection, collection)
    if (text.paths if text else ()) == (*paths,):
        return
    with connection.transaction():
        connection.give_up_waiting_after(LOCK_SECONDS)
        lock(connection, collection)
        if text is not None:
            _remove(connection, collection, text)
        if paths:
            _add(connection, collection, paths)


def step(connection: Connection, collection: str) -> bool:
    """Takes up the words of some items. Whether there was work."""
    text = text_of(connection, collection)
    if text is None or text.filled_to is None:
        return False
    with connection.transaction():
        lock(connection, collection)
        rows = rows_after(connection, collection, text.filled_to)
        text.words.write(connection, {item: words_of_body(body, text.paths) for item, body in rows})
        _note(connection, collection, rows[-1][0] if rows else None)
    return True


def put(connection: Connection, collection: str, bodies: Iterable[tuple[str, bytes]]) -> None:
    """Takes up the words that items have now, by id, in the transaction that writes their rows."""
    if (text := text_of(connection, collection)) is not None:
        words = {item: words_of_body(body, text.paths) for item, body in bodies}
        text.words.write(connection, words)


def remove(connection: Connection, collection: str, ids: Sequence[str]) -> None:
    """Forgets the words of items, in the transaction that takes their rows away."""
    if (text := text_of(connection, collection)) is not None:
        text.words.write(connection, dict.fromkeys(ids))


def clear(connection: Connection, collection: str) -> None:
    """Forgets all words, in the transaction that takes all rows away."""
    if (text := text_of(connection, collection)) is not None:
        _remove(connection, collection, text)
        _add(connection, collection, text.paths)


def _word_table(connection: Connection, name: str) -> WordTable:
    return SqliteWords(name) if connection.types.words == "TEXT" else PostgresWords(name)


def _add(connection: Connection, collection: str, paths: Sequence[Path]) -> None:
    name = short_name(f"itemstore_words_{collection}")
    _word_table(connection, name).create(connection)
    written = ",".join(each.normalized for each in paths)
    sql = (
        "INSERT INTO itemstore_texts (collection, paths, table_name, is_complete, filled_to) "
        "VALUES (?, ?, ?, 0, '')"
    )
    connection.execute(sql, (collection, written, name))
    if not rows_after(connection, collection, ""):
        _note(connection, collection, None)


def _remove(connection: Connection, collection: str, text: Text) -> None:
    text.words.drop(connection)
    connection.execute("DELETE FROM itemstore_texts WHERE collection = ?", (collection,))


def _note(connection: Connection, collection: str, filled_to: str | None) -> None:
    """Notes how far the text is."""
    sql = "UPDATE itemstore_texts SET is_complete = ?, filled_to = ? WHERE collection = ?"
    connection.execute(sql, (int(filled_to is None), filled_to, collection))
