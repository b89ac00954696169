"""Words in SQLite: a table, and an index of FTS5 over it.

FTS5 splits what it is given at the blanks that stand between the words, and changes nothing. It
keeps which item has a word, not where: phrases are found by reading the items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from itemstore.projections.queries.indexes.word_tables import Condition, WordTable
from itemstore.projections.queries.search import Search
from itemstore.projections.sql.database import Connection


@dataclass(frozen=True, slots=True)
class SqliteWords(WordTable):
    """A table that numbers the items, because FTS5 knows rows by their numbers."""

    name: str

    @property
    def index(self) -> str:
        """The name of the index."""
        return f"{self.name}_fts"

    def create(self, connection: Connection) -> None:
        """Makes both, empty."""
        connection.execute(
            f'CREATE TABLE "{self.name}" '
            "(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, words TEXT NOT NULL)"
        )
        connection.execute(
            f'CREATE VIRTUAL TABLE "{self.index}" USING fts5 (words, content="{self.name}", '
            "content_rowid=number, detail=none, columnsize=0, tokenize=\"ascii tokenchars '_'\")"
        )

    def drop(self, connection: Connection) -> None:
        """Takes both away."""
        for name in (self.index, self.name):
            connection.execute(f'DROP TABLE IF EXISTS "{name}"')

    def write(self, connection: Connection, words: Mapping[str, Sequence[str] | None]) -> None:
        """What is unchanged stays as it is; FTS5 has to be told what a row had before."""
        for item, kept in words.items():
            new = None if kept is None else " ".join(kept)
            sql = f'SELECT number, words FROM "{self.name}" WHERE id = ?'
            number, old = connection.one(sql, (item,)) or (None, None)
            if new == old:
                continue
            if old is not None:
                sql = f'INSERT INTO "{self.index}" ("{self.index}", rowid, words) VALUES (?, ?, ?)'
                connection.execute(sql, ("delete", number, old))
            if new is None:
                connection.execute(f'DELETE FROM "{self.name}" WHERE number = ?', (number,))
                continue
            sql = (
                f'INSERT INTO "{self.name}" (number, id, words) VALUES (?, ?, ?) '
                "ON CONFLICT (id) DO UPDATE SET words = excluded.words RETURNING number"
            )
            ((number,),) = [*connection.rows(sql, (number, item, new))]
            sql = f'INSERT INTO "{self.index}" (rowid, words) VALUES (?, ?)'
            connection.execute(sql, (number, new))

    def rows(self, connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
        """The words of all items, in the order of their ids."""
        for item, words in connection.rows(f'SELECT id, words FROM "{self.name}" ORDER BY id'):
            yield item, frozenset(words.split())

    def condition(self, search: Search) -> Condition:
        """What narrows the collection's rows to those that have what is searched for."""
        sql = (
            f'id IN (SELECT kept.id FROM "{self.index}" AS found JOIN "{self.name}" AS kept '
            f'ON kept.number = found.rowid WHERE found."{self.index}" MATCH ?)'
        )
        return Condition(sql, (_expression(search),))


def _expression(search: Search) -> str:
    """The search in FTS5's language: words have nothing in them but letters, digits and `_`."""
    wholes = [f'"{word}"' for word in search.words]
    return " AND ".join([*wholes, *(f'"{each}" *' for each in search.beginnings)])
