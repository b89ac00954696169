"""A collection's rows, a few at a time, for work that must not take long."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.projections.sql.database import Connection, Row
from itemstore.projections.sql.tables import quoted

MOST_ROWS, MOST_CHARACTERS = 500, 1024 * 1024
"""Rows of a slice, or fewer where their bodies are large."""

LOCK_SECONDS = 1.0
"""How long a change of tables waits for those who read them. Whoever comes then waits behind it."""


def rows_after(
    connection: Connection, collection: str, after: str, columns: Sequence[str] = ()
) -> list[Row]:
    """Some rows that come after an id, by id: id, body, and these columns. None at the end."""
    names = ", ".join(("id", "body", *columns))
    sql = f"SELECT {names} FROM {quoted(collection)} WHERE id > ? ORDER BY id LIMIT ?"
    found: list[Row] = []
    size = 0
    rows = connection.rows(sql, (after, MOST_ROWS))
    for row in rows:
        found.append(row)
        size += len(row[1])
        if size >= MOST_CHARACTERS:
            break
    return found


def lock(connection: Connection, collection: str) -> None:
    """Keeps everybody else from writing the collection, until the transaction ends.

    What follows the log moves the checkpoint first, and so waits here too.
    """
    sql = "UPDATE itemstore_checkpoints SET items = items WHERE collection = ?"
    connection.execute(sql, (collection,))
