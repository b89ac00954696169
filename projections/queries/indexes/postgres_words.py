"""Words in PostgreSQL: a table with a `tsvector` for each item, and a GIN index on it.

None of PostgreSQL's parsers and dictionaries is asked: the vector is made of the words as they
are, without where they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from itemstore.projections.queries.indexes.word_tables import Condition, WordTable
from itemstore.projections.queries.search import Search
from itemstore.projections.sql.database import Connection


@dataclass(frozen=True, slots=True)
class PostgresWords(WordTable):
    """A table with an index."""

    name: str

    def create(self, connection: Connection) -> None:
        """Makes both, empty."""
        types = connection.types
        columns = f"id {types.text} NOT NULL PRIMARY KEY, words {types.words} NOT NULL"
        connection.execute(f'CREATE TABLE "{self.name}" ({columns})')
        connection.execute(f'CREATE INDEX "{self.name}_gin" ON "{self.name}" USING gin (words)')

    def drop(self, connection: Connection) -> None:
        """Takes both away."""
        connection.execute(f'DROP TABLE IF EXISTS "{self.name}"')

    def write(self, connection: Connection, words: Mapping[str, Sequence[str] | None]) -> None:
        """What is unchanged stays as it is."""
        sql = (
            f'INSERT INTO "{self.name}" AS had (id, words) '
            "VALUES (?, array_to_tsvector(string_to_array(?, ' '))) "
            "ON CONFLICT (id) DO UPDATE SET words = excluded.words "
            "WHERE had.words <> excluded.words"
        )
        kept = [(item, " ".join(each)) for item, each in words.items() if each is not None]
        connection.executemany(sql, kept)
        gone = [(item,) for item, each in words.items() if each is None]
        connection.executemany(f'DELETE FROM "{self.name}" WHERE id = ?', gone)

    def rows(self, connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
        """The words of all items, in the order of their ids."""
        words = "array_to_string(tsvector_to_array(words), ' ')"
        for item, each in connection.rows(f'SELECT id, {words} FROM "{self.name}" ORDER BY id'):
            yield item, frozenset(each.split())

    def condition(self, search: Search) -> Condition:
        """What narrows the collection's rows to those that have what is searched for."""
        sql = f'id IN (SELECT kept.id FROM "{self.name}" AS kept WHERE kept.words @@ ?::tsquery)'
        return Condition(sql, (_expression(search),))


def _expression(search: Search) -> str:
    """The search in PostgreSQL's language: words have nothing in them but letters, digits, `_`."""
    wholes = [f"'{word}'" for word in search.words]
    return " & ".join([*wholes, *(f"'{each}':*" for each in search.beginnings)])
