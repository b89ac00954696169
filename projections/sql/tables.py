"""The tables of the read model. They are a contract: people read them with tools of their own.

A table for each collection, called as that is, holds its items. Those that belong to the read model
begin with `itemstore_`: a collection's name can't have a `_`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from itemstore.domain.positions import START
from itemstore.projections.sql.database import Connection, Types

COLUMNS = ("id", "version", "created", "modified", "position", "created_position", "body")
"""Those of a collection's table, before the columns of sort keys."""

CHECKPOINTS = "itemstore_checkpoints"
DELETED = "itemstore_deleted"
INDEXES = "itemstore_indexes"

_LONGEST_NAME = 59  # some are made of one, with an ending

_CHECKPOINT = "log, position, event, target, items, events"

_ITEMS = """
CREATE TABLE {table} (
    id {text} NOT NULL PRIMARY KEY,
    version {integer} NOT NULL,
    created {time} NOT NULL,
    modified {time} NOT NULL,
    position {text} NOT NULL,
    created_position {text} NOT NULL,
    body {json} NOT NULL
)"""

_OWN = (
    """
CREATE TABLE IF NOT EXISTS itemstore_checkpoints (
    collection {text} NOT NULL PRIMARY KEY,
    log {text} NOT NULL,
    position {text} NOT NULL,
    event {text} NOT NULL,
    target {text} NOT NULL,
    items {integer} NOT NULL,
    events {integer} NOT NULL
)""",
    """
CREATE TABLE IF NOT EXISTS itemstore_deleted (
    collection {text} NOT NULL,
    id {text} NOT NULL,
    version {integer} NOT NULL,
    position {text} NOT NULL,
    created_position {text} NOT NULL,
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
class Checkpoint:
    """How far the table of a collection is.

    It has the events of the log with the id `log` up to `position`, the last of which is `event`, a
    digest; `events` is how many these were. The table is of use from `target` on: before that it is
    just being made. `items` is how many rows it has.
    """

    log: str
    position: str = START
    event: str = ""
    target: str = START
    items: int = 0
    events: int = 0


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


def create_tables(connection: Connection, collections: Iterable[str]) -> None:
    """Makes the tables that are not there yet.

    Where somebody took one away, nothing is left of how far those are that depend on it.
    """
    were_deleted_known = connection.has_table(DELETED)
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


def create_items(connection: Connection, table: str) -> None:
    """Makes a table for the items of a collection. Raises SqlUnavailable where there is one."""
    connection.execute(_filled(_ITEMS, connection.types, quoted(table)))


def remove_rows_of_nobody(connection: Connection, collection: str) -> None:
    """Removes rows without a checkpoint: whoever writes rows has noted one before."""
    table = quoted(collection)
    if checkpoint(connection, collection) is not None:
        return
    with connection.transaction():
        has_rows = connection.one(f"SELECT 1 FROM {table} LIMIT 1") is not None  # noqa: S608 - quoted
        if has_rows and checkpoint(connection, collection) is None:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - quoted
            _forget(connection, DELETED, collection)


def _forget(connection: Connection, table: str, collection: str) -> None:
    sql = f"DELETE FROM {table} WHERE collection = ?"  # noqa: S608 - ours
    connection.execute(sql, (collection,))


def checkpoint(connection: Connection, collection: str) -> Checkpoint | None:
    """How far the table of a collection is; None where nothing was begun."""
    row = connection.one(
        f"SELECT {_CHECKPOINT} FROM itemstore_checkpoints WHERE collection = ?",  # noqa: S608 - ours
        (collection,),
    )
    return None if row is None else Checkpoint(*row)


def indexes(connection: Connection, collection: str) -> list[Index]:
    """The columns of sort keys of a collection, complete or not."""
    found = connection.rows(
        "SELECT path, column_name, is_complete FROM itemstore_indexes"
        " WHERE collection = ? AND path IS NOT NULL ORDER BY column_name",
        (collection,),
    )
    return [Index(path, column, bool(is_complete)) for path, column, is_complete in found]


def clear(connection: Connection, collection: str, begun: Checkpoint) -> None:
    """Takes all rows of a collection away, within a transaction, and begins as `begun` says."""
    connection.execute(f"DELETE FROM {quoted(collection)}")  # noqa: S608 - the name is quoted
    connection.execute("DELETE FROM itemstore_deleted WHERE collection = ?", (collection,))
    connection.execute("DELETE FROM itemstore_checkpoints WHERE collection = ?", (collection,))
    begin(connection, collection, begun)


def begin(connection: Connection, collection: str, begun: Checkpoint) -> None:
    """Notes where a collection begins, if it has no checkpoint yet."""
    connection.execute(
        f"INSERT INTO itemstore_checkpoints (collection, {_CHECKPOINT})"  # noqa: S608 - ours
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection) DO NOTHING",
        (
            *(collection, begun.log, begun.position, begun.event),
            *(begun.target, begun.items, begun.events),
        ),
    )


def _filled(statement: str, types: Types, table: str = "") -> str:
    return statement.format(
        table=table,
        text=types.text,
        integer=types.integer,
        time=types.time,
        json=types.json,
    )
