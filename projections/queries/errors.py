"""Why a query is not answered, but for what is wrong with the database (sql/errors.py)."""

from __future__ import annotations

from itemstore.engine.errors import LogOverloaded


class InvalidQuery(ValueError):
    """A part of a query is not what it should be.

    `parameter` is its name; `place` counts the characters of its text before what is wrong. `text`
    is that text, where whoever passes the error on knows it.
    """

    text: str | None = None

    def __init__(self, parameter: str, reason: str, place: int | None = None) -> None:
        super().__init__(reason)
        self.parameter = parameter
        self.reason = reason
        self.place = place

    def __reduce__(self) -> tuple[type[InvalidQuery], tuple[str, str, int | None]]:
        """It crosses the border of a process."""
        return InvalidQuery, (self.parameter, self.reason, self.place)


class QueryTooExpensive(Exception):
    """More rows would be looked at than may be, or it takes too long.

    `index` is the path whose index would help, where there is one. Whoever passes the error on may
    know what ITEMSTORE_INDEXES has to be then, the `setting`, or that it `is_declared` already.
    """

    setting: str | None = None
    is_declared = False

    def __init__(self, reason: str, index: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index

    def __reduce__(self) -> tuple[type[QueryTooExpensive], tuple[str, str | None]]:
        """It crosses the border of a process."""
        return QueryTooExpensive, (self.reason, self.index)


class TooManyQueries(LogOverloaded):
    """More queries are waiting for a process than may, or one has waited for too long."""
