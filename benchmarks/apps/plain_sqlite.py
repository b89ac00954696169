"""What people write by hand for finding items: FastAPI routes and a table with an index on JSON.

Each route knows what it is asked for. There are no events, no history and no other questions.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import Any

from fastapi import FastAPI, Response

app = FastAPI()
local = threading.local()


@app.get("/items/none")
def none() -> Response:
    """Says that the server is there."""
    return Response(status_code=404)


@app.get("/equal")
def equal(size: int) -> dict[str, Any]:
    """The items of a size."""
    return page("size = ? ORDER BY id LIMIT 100", size)


@app.get("/range")
def between(low: int, high: int) -> dict[str, Any]:
    """The items from one size up to another, the largest first."""
    return page("size >= ? AND size < ? ORDER BY size DESC, id LIMIT 100", low, high)


@app.get("/beginning")
def beginning(name: str) -> dict[str, Any]:
    """The items whose name begins so."""
    return page("name >= ? AND name < ? || char(1114111) ORDER BY id LIMIT 100", name, name)


def page(condition: str, *values: object) -> dict[str, Any]:
    """A page, and how many there are."""
    for name in ("size", "name"):
        condition = condition.replace(f"{name} ", f"json_extract(body, '$.{name}') ")
    where, _, _ = condition.partition(" ORDER")
    rows = connection().execute(f"SELECT id, body FROM items WHERE {condition}", values)  # noqa: S608
    counted = connection().execute(f"SELECT count(*) FROM items WHERE {where}", values)  # noqa: S608
    return {
        "items": [{"id": id_, "item": body} for id_, body in rows],
        "total": counted.fetchone()[0],
    }


def connection() -> sqlite3.Connection:
    """The connection of this thread."""
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["BENCHMARK_SQLITE"])
    return local.connection  # type: ignore[no-any-return]
