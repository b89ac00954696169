"""A SQL database, as much of it as the read model needs.

Its kinds: `sqlite.py` and `postgres.py`. Both are given the very same statements, with `?` for each
parameter; what they call the types of columns differs (`Types`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Value = str | bytes | int | float | None
"""What a parameter may be."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Types:
    """What the database calls the types of columns.

    Text is compared by its bytes of UTF-8, which is by code point. A time is written as RFC 3339,
    and a body as the text of its JSON, which is kept as it is and read as that text. `words` is
    what words are kept as, to be searched.
    """

    text: str
    integer: str
    bytes: str
    time: str
    json: str
    words: str


class Connection(Protocol):
    """A connection, for one thread at a time. Everything raises SqlUnavailable."""

    types: Types

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """What a statement finds, read as it is asked for: it may be more than fits in memory.

        No other statement is run on this connection until it is read to its end or closed.
        """

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Runs a statement; how many rows it changed."""

    @abstractmethod
    def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> int:
        """Runs a statement for each row of parameters; how many rows they changed together."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All of the block or nothing of it.

        For reading, all of the block sees the database as of one moment.
        """

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""

    @abstractmethod
    def has_column(self, table: str, name: str) -> bool:
        """Whether there is such a table, with a column of this name."""

    @abstractmethod
    def is_current(self) -> bool:
        """Whether it still is a connection to the database that is in its place.

        A file may have been removed, or another one put there.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the connection. What is not committed is not done."""

    @abstractmethod
    def give_up_waiting_after(self, seconds: float) -> None:
        """For the rest of the transaction: a lock that others hold for longer is SqlUnavailable."""

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of what a statement finds, None where it finds none."""
        found = [*self.rows(sql, parameters)]
        return found[0] if found else None


class Database(Protocol):
    """Where the read model is. A plain value, which crosses the border of a process."""

    @abstractmethod
    def reading(self) -> Connection:
        """A connection that can't change anything. Raises SqlUnavailable."""

    @abstractmethod
    def writing(self) -> Connection:
        """A connection for the one that follows; what is missing is made. Raises SqlUnavailable."""

    def discard(self) -> None:
        """Takes all of it away, for it is damaged: it is made anew. A server mends itself."""
        return

    def check_space(self) -> None:
        """Raises SqlUnavailable where nothing should be written, for lack of space.

        A server finds that out itself.
        """
        return
