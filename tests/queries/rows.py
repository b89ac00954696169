"""Rows of a collection's table, written as those of the log are: with their keys and words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.tables import indexes

ITEMS = "some-items"

_TIME, _POSITION = "2026-11-23T09:17:31.000Z", "1795425451000-0"


def put(connection: Connection, item: str, value: Mapping[str, Any]) -> None:
    """Writes an item, whether it is there or not."""
    body = json.dumps(value)
    with connection.transaction():
        connection.execute(f'DELETE FROM "{ITEMS}" WHERE id = ?', (item,))  # noqa: S608 - our own
        used = indexes(connection, ITEMS)
        keys = keys_of(used, body)
        columns = "".join(f", {each.column}" for each in used)
        sql = (
            f'INSERT INTO "{ITEMS}" (id, version, created, modified, position, created_position, '  # noqa: S608 - our own
            f"body{columns}) VALUES (?, 1, ?, ?, ?, ?, ?{', ?' * len(keys)})"
        )
        times = (_TIME, _TIME, _POSITION, _POSITION)
        connection.execute(sql, (item, *times, body, *keys))
        texts.put(connection, ITEMS, [(item, body.encode())])


def remove(connection: Connection, item: str) -> None:
    """Deletes an item."""
    with connection.transaction():
        connection.execute(f'DELETE FROM "{ITEMS}" WHERE id = ?', (item,))  # noqa: S608 - our own
        texts.remove(connection, ITEMS, [item])
