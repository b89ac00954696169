"""Making what the settings declare, beside the process that follows the log, in small steps.

Only that process writes, so it does this too, between its batches. A step is one transaction, with
the note of how far it went: one that is killed goes on there. Of two hosts with different settings
on one database, the one that follows decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from itemstore.projections.queries.indexes import columns, texts
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.paths import path_written
from itemstore.projections.sql.checkpoints import checkpoints, is_made
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import INDEXES, indexes


class Making:
    """Lets a database have what is declared for some collections, and nothing else.

    They are in so many `partitions`.
    """

    def __init__(self, declared: Mapping[str, Declared], partitions: int = 1) -> None:
        self._declared = declared
        self._partitions = partitions
        self._connection: Connection | None = None
        self._unfinished: list[str] = []

    @property
    def is_done(self) -> bool:
        """Whether there was nothing left to do in the database that it worked on last."""
        return self._connection is not None and not self._unfinished

    def work(self, connection: Connection) -> bool:
        """Does a little of what is left to do. Whether there was something that it could do.

        With another connection than before it looks anew: another database may be in the place. All
        steps are small, but that an SQL index of a million rows takes some seconds. Raises
        SqlUnavailable.
        """
        if connection is not self._connection:
            for collection, each in self._declared.items():
                columns.settle(connection, collection, each.indexes)
                texts.settle(connection, collection, each.text)
            self._connection, self._unfinished = connection, [*self._declared]
        for collection in [*self._unfinished]:
            if not is_made(checkpoints(connection, collection), self._partitions):
                continue  # an index is made faster after the rows of the logs' past
            if columns.step(connection, collection) or texts.step(connection, collection):
                return True
            self._unfinished.remove(collection)
        return False


@dataclass(frozen=True, slots=True)
class Made:
    """What a collection has of what was declared: paths, and whether queries use them already."""

    indexes: Mapping[str, bool]
    texts: Mapping[str, bool]


def made(connection: Connection, collection: str) -> Made:
    """What there is; nothing where the tables are still to be made. Raises SqlUnavailable."""
    if not connection.has_table(INDEXES):
        return Made({}, {})
    text = texts.text_of(connection, collection)
    return Made(
        {
            str(path_written(each.path)): each.is_complete
            for each in indexes(connection, collection)
        },
        {str(each): text.is_complete for each in text.paths} if text else {},
    )
