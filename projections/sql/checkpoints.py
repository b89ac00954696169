"""How far the table of a collection is with the log of each of the collection's partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itemstore.domain.positions import START, key_of
from itemstore.projections.sql.database import Connection

CHECKPOINTS = "itemstore_checkpoints"

_CHECKPOINT = "log, position, event, target, items, events, partition, partitions"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the table of a collection is with the log of one of its partitions.

    That is the one with the number `partition`, of so many `partitions`. The table has the events
    of the log with the id `log` up to `position`, the last of which is `event`, a digest; `events`
    is how many these were. The table is of use from `target` on: before that it is just being made.
    `items` is how many rows of the partition it has.
    """

    log: str
    position: str = START
    event: str = ""
    target: str = START
    items: int = 0
    events: int = 0
    partition: int = 0
    partitions: int = 1


def has_checkpoints(connection: Connection) -> bool:
    """Whether there is a table of them: one that an earlier version made has no partitions."""
    return connection.has_column(CHECKPOINTS, "partition")


def checkpoint(connection: Connection, collection: str, number: int = 0) -> Checkpoint | None:
    """How far a partition of a collection is; None where nothing was begun."""
    row = connection.one(
        f"SELECT {_CHECKPOINT} FROM {CHECKPOINTS} WHERE collection = ? AND partition = ?",  # noqa: S608 - ours
        (collection, number),
    )
    return None if row is None else Checkpoint(*row)


def checkpoints(connection: Connection, collection: str) -> list[Checkpoint]:
    """How far the partitions of a collection are, by their numbers; those that were begun."""
    rows = connection.rows(
        f"SELECT {_CHECKPOINT} FROM {CHECKPOINTS} WHERE collection = ? ORDER BY partition",  # noqa: S608 - ours
        (collection,),
    )
    return [Checkpoint(*row) for row in rows]


def is_made(noted: Sequence[Checkpoint], partitions: int) -> bool:
    """Whether a table has the past of the logs of all partitions of its collection."""
    return [each.partition for each in noted] == [*range(partitions)] and all(
        each.partitions == partitions and key_of(each.position) >= key_of(each.target)
        for each in noted
    )


def begin(connection: Connection, collection: str, begun: Checkpoint) -> None:
    """Notes where a partition of a collection begins, if it has no checkpoint yet."""
    connection.execute(
        f"INSERT INTO {CHECKPOINTS} (collection, {_CHECKPOINT})"  # noqa: S608 - ours
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection, partition) DO NOTHING",
        (
            *(collection, begun.log, begun.position, begun.event, begun.target),
            *(begun.items, begun.events, begun.partition, begun.partitions),
        ),
    )
