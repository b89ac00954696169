"""The SQL read model as a projection: the current items of each collection, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.fold import Fold
from itemstore.projections.projection import Status
from itemstore.projections.sql.checking import SqlCheck
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.follower import SqlFollower
from itemstore.projections.sql.rebuilding import rebuild_sql
from itemstore.projections.sql.standing import statuses_of
from itemstore.projections.sql.writer import Writer
from itemstore.projections.sql.writing import KeysOf, Texts
from itemstore.projections.task import Findings, Task

NAME = "sql"


class SqlProjection:
    """Follows the logs of some collections, in so many partitions, into a database.

    `keys_of` and `texts` are for the indexes that the operator has declared.
    """

    name = NAME

    def __init__(
        self,
        database: Database,
        collections: Sequence[str],
        keys_of: KeysOf | None = None,
        texts: Texts | None = None,
        partitions: int = 1,
    ) -> None:
        self.database = database
        self.collections = collections
        self.partitions = partitions
        self.writer = Writer(database, collections, partitions)
        self.keys_of = keys_of
        self.texts = texts

    def follower(self, partition: Partition) -> SqlFollower:
        """What keeps the table of a collection up with the log of one of its partitions."""
        return SqlFollower(self.writer, partition, self.keys_of, self.texts, self.partitions)

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """How far the tables are. Raises SqlUnavailable, LogUnavailable, LogBroken."""
        return await statuses_of(self.database, logs)

    async def rebuild(self, task: Task) -> Findings:
        """Makes the rows of a partition again, and mends what differs. Raises SqlUnavailable."""
        return await rebuild_sql(
            task, self.database, self.keys_of, self.texts, partitions=self.partitions
        )

    def check(self, fold: Fold) -> SqlCheck:
        """What compares tables, keys and words with the fold, as of their checkpoint."""
        return SqlCheck(
            self.name, fold, self.database, self.keys_of, self.texts, partitions=self.partitions
        )
