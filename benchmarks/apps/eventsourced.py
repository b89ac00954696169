"""The `eventsourcing` library behind the tutorial's route, in memory or in SQLite.

Configured in its favour: it keeps every item in its cache, and does not copy what it takes from
there. Its calls block, so they run in the route itself, where they are faster than in a thread.
"""

from __future__ import annotations

import os
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel


class Item(BaseModel):
    """The same two fields that the store's default model has."""

    name: str | None = None
    size: int | None = None


class StoredItem(Aggregate):
    """An item as the library wants it: methods that record events."""

    @event("Created")
    def __init__(self, item_id: str, name: str | None, size: int | None) -> None:
        self.item_id = item_id
        self.name = name
        self.size = size

    @staticmethod
    def create_id(item_id: str, **_: object) -> UUID:
        """The library names aggregates by UUID."""
        return uuid5(NAMESPACE_URL, item_id)

    @event("Updated")
    def update(self, name: str | None, size: int | None) -> None:
        """Make the item be this."""
        self.name = name
        self.size = size


class Items(Application[UUID]):
    """All items."""

    is_snapshotting_enabled = False


items = Items(
    env={
        "AGGREGATE_CACHE_MAXSIZE": "1000000",
        "AGGREGATE_CACHE_FASTFORWARD": "n",
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
    }
    | {
        name: os.environ[name]
        for name in ("PERSISTENCE_MODULE", "SQLITE_DBNAME")
        if name in os.environ
    }
)
app = FastAPI()


def _find(item_id: str) -> StoredItem | None:
    try:
        return items.repository.get(StoredItem.create_id(item_id))
    except AggregateNotFoundError:
        return None


@app.put("/items/{item_id}")
async def put_item(item_id: str, item: Item, response: Response) -> Item:
    """201 for a new item, 200 for another."""
    stored = _find(item_id)
    if stored is None:
        stored = StoredItem(item_id, item.name, item.size)
        response.status_code = 201
    else:
        stored.update(item.name, item.size)
    items.save(stored)
    return item


@app.get("/items/{item_id}")
async def get_item(item_id: str) -> Item:
    """The item."""
    stored = _find(item_id)
    if stored is None:
        raise HTTPException(404)
    return Item(name=stored.name, size=stored.size)
