"""A process that is killed at any of the statements that it gives to a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from itemstore.projections.sql.database import Connection, Database


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A connection of a process that is killed before one of its statements, or of its commits."""

    def __init__(self, connection: Connection, is_over: Callable[[], bool]) -> None:
        self._connection = connection
        self._is_over = is_over

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        return partial(self._step, found) if name in {"execute", "executemany", "rows"} else found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One that is not committed where it is over."""
        with self._connection.transaction():
            yield
            self._check()

    def _step(self, call: Callable[..., Any], *arguments: Any) -> Any:
        self._check()
        return call(*arguments)

    def _check(self) -> None:
        if self._is_over():
            raise Killed


@dataclass(frozen=True)
class Mortal(Database):
    """A database to which a process has a number of statements before it is killed."""

    database: Database
    left: Iterator[int]

    def reading(self) -> Connection:
        """The process's."""
        return Dying(self.database.reading(), self._is_over)

    def writing(self) -> Connection:
        """The process's."""
        return Dying(self.database.writing(), self._is_over)

    def _is_over(self) -> bool:
        return next(self.left, None) is None
