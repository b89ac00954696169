"""The tables of the read model. They are a contract: people read them with tools of their own.

A table for each collection, called as that is, holds its items. Those that belong to the read model
begin with `itemstore_`: a collection's name can't have a `_`.

The rows of all partitions of a collection are in one table, and each says which it is of. What a
partition's log has made of them has a checkpoint of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from itemstore.projections.sql.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    begin,
    checkpoints,
    has_checkpoints,
)
from itemstore.projections.sql.database import Connection, Types

COLUMNS = (
    *("id", "version", "created", "modified"),
    *("position", "created_position", "body", "partition"),
)
"""Those of a collection's table, before the columns of sort keys."""

DELETED = "itemstore_deleted"
INDEXES = "itemstore_indexes"

_IDS_AT_ONCE = 500

_LONGEST_NAME = 59  # some are made of one, with an ending

_ITEMS = """
CREATE TABLE {table} (
    id {text} NOT NULL PRIMARY KEY,
    version {integer} NOT NULL,
    created {time} NOT NULL,
    modified {time} NOT NULL,
    position {text} NOT NULL,
    created_position {text} NOT NULL,
    body {json} NOT NULL,
    partition {integer} NOT NULL DEFAULT 0
)"""

_CHECKPOINTS = """
CREATE TABLE IF NOT EXISTS itemstore_checkpoints (
    collection {text} NOT NULL,
    partition {integer} NOT NULL,
    partitions {integer} NOT NULL,
    log {text} NOT NULL,
    position {text} NOT NULL,
    event {text} NOT NULL,
    target {text} NOT NULL,
    items {integer} NOT NULL,
    events {integer} NOT NULL,
    PRIMARY KEY (collection, partition)
)"""

_OWN = (
    _CHECKPOINTS,
    """
CREATE TABLE IF NOT EXISTS itemstore_deleted (
    collection {text} NOT NULL,
    id {text} NOT NULL,
    version {integer} NOT NULL,
    position {text} NOT NULL,
    created_position {text} NOT NULL,
    partition {integer} NOT NULL DEFAULT 0,
    PRIMARY KEY (collection, id)
)""",
    """
CREATE TABLE IF NOT EXISTS itemstore_indexes (
    collection {text} NOT NULL,
    column_name {text} NOT NULL,
    path {text},
    is_complete {integer} NOT NULL,
    filled_to {text},
    PRIMARY KEY (collection, column_name)
)""",
    """
CREATE TABLE IF NOT EXISTS itemstore_texts (
    collection {text} NOT NULL PRIMARY KEY,
    paths {text} NOT NULL,
    table_name {text} NOT NULL,
    is_complete {integer} NOT NULL,
    filled_to {text}
)""",
)


@dataclass(frozen=True, slots=True)
class Index:
    """A column of sort keys: that of the values at a path, by its normalized spelling.

    Only one that is complete has the keys of all rows.
    """

    path: str
    column: str
    is_complete: bool


def quoted(name: str) -> str:
    """The name of a table or a column, as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def short_name(name: str) -> str:
    """The name, or one that is made of it: PostgreSQL cuts off what is longer than 63 bytes."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: _LONGEST_NAME - 17]}_{digest}"


def create_tables(connection: Connection, collections: Iterable[str], partitions: int = 1) -> None:
    """Makes the tables that are not there yet, for a store with so many partitions.

    Where somebody took one away, nothing is left of how far those are that depend on it. Those
    that an earlier version made get what they lack, and keep their rows.
    """
    were_deleted_known = connection.has_table(DELETED)
    if connection.has_table(CHECKPOINTS) and not has_checkpoints(connection):
        _add_partitions(connection, collections)
    for statement in _OWN:
        connection.execute(_filled(statement, connection.types))
    if not were_deleted_known:
        connection.execute(f"DELETE FROM {CHECKPOINTS}")  # noqa: S608 - ours
    for collection in collections:
        if not connection.has_table(collection):
            with connection.transaction():
                create_items(connection, collection)
                for table in (CHECKPOINTS, DELETED, INDEXES):
                    _forget(connection, table, collection)
        if partitions > 1:
            _create_partition_index(connection, collection)


def _add_partitions(connection: Connection, collections: Iterable[str]) -> None:
    """Gives tables that know no partitions what says that all their rows are of the only one."""
    with connection.transaction():
        if has_checkpoints(connection):
            return  # another process was faster
        rows = connection.rows(
            f"SELECT collection, log, position, event, target, items, events FROM {CHECKPOINTS}"  # noqa: S608 - ours
        )
        noted = {collection: Checkpoint(*values) for collection, *values in rows}
        for table in {DELETED, *collections, *noted}:
            if connection.has_table(table) and not connection.has_column(table, "partition"):
                column = f"partition {connection.types.integer} NOT NULL DEFAULT 0"
                connection.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {column}")
        connection.execute(f"DROP TABLE {CHECKPOINTS}")
        connection.execute(_filled(_CHECKPOINTS, connection.types))
        for collection, each in noted.items():
            begin(connection, collection, each)


def create_items(connection: Connection, table: str) -> None:
    """Makes a table for the items of a collection. Raises SqlUnavailable where there is one."""
    connection.execute(_filled(_ITEMS, connection.types, quoted(table)))


def _create_partition_index(connection: Connection, collection: str) -> None:
    """Lets the rows of one of several partitions be found without a look at all the others."""
    name = quoted(short_name(f"{collection}_partition"))
    connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(collection)} (partition, id)")


def remove_rows_of_nobody(connection: Connection, collection: str, partitions: int = 1) -> None:
    """Removes rows without a checkpoint: whoever writes rows has noted one before."""
    if len(checkpoints(connection, collection)) >= partitions:
        return
    with connection.transaction():
        begun = {each.partition for each in checkpoints(connection, collection)}
        for number in range(partitions):
            if number not in begun:
                _remove_rows(connection, collection, number)


def _remove_rows(connection: Connection, collection: str, number: int) -> None:
    """Takes the rows of a partition away, within a transaction, and what is noted of it."""
    connection.execute(f"DELETE FROM {quoted(collection)} WHERE partition = ?", (number,))  # noqa: S608 - quoted
    for table in (DELETED, CHECKPOINTS):
        connection.execute(
            f"DELETE FROM {table} WHERE collection = ? AND partition = ?",  # noqa: S608 - ours
            (collection, number),
        )


def _forget(connection: Connection, table: str, collection: str) -> None:
    sql = f"DELETE FROM {table} WHERE collection = ?"  # noqa: S608 - ours
    connection.execute(sql, (collection,))


def indexes(connection: Connection, collection: str) -> list[Index]:
    """The columns of sort keys of a collection, complete or not."""
    found = connection.rows(
        "SELECT path, column_name, is_complete FROM itemstore_indexes"
        " WHERE collection = ? AND path IS NOT NULL ORDER BY column_name",
        (collection,),
    )
    return [Index(path, column, bool(is_complete)) for path, column, is_complete in found]


def clear(connection: Connection, collection: str, begun: Checkpoint) -> None:
    """Takes the rows of a partition away, within a transaction, and begins as `begun` says."""
    if begun.partitions == 1:
        clear_all(connection, collection)
    else:
        _remove_rows(connection, collection, begun.partition)
    begin(connection, collection, begun)


def clear_all(connection: Connection, collection: str) -> None:
    """Takes the rows of all partitions away, within a transaction, and what is noted of them."""
    connection.execute(f"DELETE FROM {quoted(collection)}")  # noqa: S608 - quoted
    for table in (DELETED, CHECKPOINTS):
        _forget(connection, table, collection)


def ids_in(connection: Connection, collection: str, number: int) -> Iterator[list[str]]:
    """The ids of the items in a partition, some at a time, in their order."""
    sql = (
        f"SELECT id FROM {quoted(collection)}"  # noqa: S608 - quoted
        " WHERE partition = ? AND id > ? ORDER BY id LIMIT ?"
    )
    last = ""
    while ids := [item for [item] in connection.rows(sql, (number, last, _IDS_AT_ONCE))]:
        yield ids
        last = ids[-1]


def _filled(statement: str, types: Types, table: str = "") -> str:
    return statement.format(
        table=table,
        text=types.text,
        integer=types.integer,
        time=types.time,
        json=types.json,
    )
