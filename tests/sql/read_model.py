"""A read model as tests write it: what follows the log, without a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256

from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.tables import Index, create_tables
from itemstore.projections.sql.writing import Writing


def keys_of(indexes: Sequence[Index], body: bytes) -> list[bytes | None]:
    """A key for each index, which depends on its path and on the body; none of an empty object."""
    return [
        sha256(index.path.encode() + body).digest()[:8] if body != b"{}" else None
        for index in indexes
    ]


def change(database: Database, *statements: str) -> None:
    """Somebody writes into the database."""
    with closing(database.writing()) as connection:
        for statement in statements:
            connection.execute(statement)


def with_an_index(database: Database, *, is_complete: bool = True) -> None:
    """Gives the collection an index."""
    with closing(database.writing()) as connection:
        connection.execute(f"ALTER TABLE items ADD COLUMN k1 {connection.types.bytes}")
        connection.execute(
            "INSERT INTO itemstore_indexes (collection, column_name, path, is_complete)"
            " VALUES ('items', 'k1', '$[''name'']', ?)",
            (int(is_complete),),
        )


async def follow(partition: Partition, database: Database, *, up_to: int | None = None) -> None:
    """Applies what the log has after the checkpoint, or so many events of it."""
    collection = partition.keys.collection
    with closing(database.writing()) as connection:
        create_tables(connection, [collection])
        begin(connection, collection, Checkpoint(await identity(partition)))
        at = checkpoint(connection, collection)
        assert at is not None
        entries = [entry async for some in partition.reader.slices(at.position) for entry in some][
            :up_to
        ]
        if entries:
            assert Writing(connection, collection, keys_of).apply(entries, at)
