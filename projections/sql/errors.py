"""Why the read model can't be used."""

from __future__ import annotations


class SqlUnavailable(Exception):
    """The database of the read model can't be reached, or can't be used; the sentence says why."""


class SqlMissing(SqlUnavailable):
    """There is no database yet. It is made when something is written into it."""


class SqlDamaged(SqlUnavailable):
    """The database is there, and is not what was written: it has to be made anew."""


class SqlTooSlow(SqlUnavailable):
    """The database itself ended a statement that took longer than it may."""


class ReadModelBehind(Exception):
    """The read model has not got to where it was asked to be; `position` is where it is."""

    def __init__(self, position: str, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason

    def __reduce__(self) -> tuple[type[ReadModelBehind], tuple[str, str]]:
        """It crosses the border of a process."""
        return ReadModelBehind, (self.position, self.reason)
