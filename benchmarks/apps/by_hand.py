"""What people write by hand: look, append, store. Wrong as soon as two clients write one item.

Between EXISTS and XADD another request may create the item (two 201), and between XADD and HSET
the process may end (an event without its row).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel
from redis.asyncio import Redis

# redis-py's own limit is 100 connections: past it requests fail.
redis = Redis.from_url(os.environ["BENCHMARK_ENGINE"], max_connections=1000)


class Item(BaseModel):
    """The same two fields that the store's default model has."""

    name: str | None = None
    size: int | None = None


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await redis.aclose()


app = FastAPI(lifespan=_lifespan)


@app.put("/items/{item_id}")
async def put_item(item_id: str, item: Item, response: Response) -> Item:
    """201 for a new item, 200 for another."""
    body = item.model_dump_json()
    created = not await redis.exists(f"item:{item_id}")
    kind = "ItemCreated" if created else "ItemUpdated"
    await redis.xadd("events", {"type": kind, "item": item_id, "data": body})
    await redis.hset(f"item:{item_id}", "data", body)
    if created:
        response.status_code = 201
    return item


@app.get("/items/{item_id}")
async def get_item(item_id: str) -> Item:
    """The item."""
    body = await redis.hget(f"item:{item_id}", "data")
    if body is None:
        raise HTTPException(404)
    return Item.model_validate_json(body)
