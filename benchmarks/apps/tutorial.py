"""What the tutorial has: a FastAPI route and a dict in memory. Nothing is stored."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel


class Item(BaseModel):
    """The same two fields that the store's default model has."""

    name: str | None = None
    size: int | None = None


app = FastAPI()
items: dict[str, Item] = {}


@app.put("/items/{item_id}")
async def put_item(item_id: str, item: Item, response: Response) -> Item:
    """201 for a new item, 200 for another."""
    if item_id not in items:
        response.status_code = 201
    items[item_id] = item
    return item


@app.get("/items/{item_id}")
async def get_item(item_id: str) -> Item:
    """The item."""
    if item_id not in items:
        raise HTTPException(404)
    return items[item_id]
