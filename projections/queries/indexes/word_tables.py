"""The words of items, in tables of their own: for full text.

Each collection whose text is declared has one table of words. The words are those that words.py
finds in the items' bodies, and are written together with them; a database has no say in what a
word is. How it finds them fast is a matter of its own: sqlite_words.py and postgres_words.py.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from itemstore.projections.queries.search import Search
from itemstore.projections.sql.database import Connection


@dataclass(frozen=True, slots=True)
class Condition:
    """What is true of the items that have all words of a search, and all beginnings of words.

    It stands in a statement that reads the table of the collection, whose `id` it means.
    """

    sql: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordTable(Protocol):
    """The words of one collection's items, in a table of this name: `id` and `words`."""

    name: str

    @abstractmethod
    def create(self, connection: Connection) -> None:
        """Makes the table, empty."""

    @abstractmethod
    def drop(self, connection: Connection) -> None:
        """Takes the table away, if it is there."""

    @abstractmethod
    def write(self, connection: Connection, words: Mapping[str, Sequence[str] | None]) -> None:
        """Puts the words of items, by their ids, in place of what they had; None: they are gone."""

    @abstractmethod
    def rows(self, connection: Connection) -> Iterator[tuple[str, frozenset[str]]]:
        """The words of all items, in the order of their ids."""

    @abstractmethod
    def condition(self, search: Search) -> Condition:
        """What narrows the collection's rows to those that have what is searched for."""
