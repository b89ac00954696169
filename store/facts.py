"""What a store is and holds: its engine, its durability, its sizes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.durability import promised
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.log_id import known_identity
from itemstore.store.store import Store


async def facts_of(store: Store) -> dict[str, Any]:
    """The facts by name, as JSON has them; None for what the engine does not tell."""
    redis, keys = store.partition.client, store.partition.keys
    log = await store.log.reader.extent()
    promise = await promised(redis)
    items = await _told(redis.zcard(keys.ids))
    rows = await _told(redis.hlen(keys.current))
    return {
        "engine": _engine(await _told(redis.info("server"))),
        "fsync": promise.fsync,
        "durability": promise.sentence,
        "namespace": keys.namespace or "none",
        "log": await known_identity(store.partition),
        "events": log.length,
        "last_position": log.last,
        "items": items,
        "deleted_items": None if items is None or rows is None else rows - items,
        "log_bytes": await _size(redis, keys.events),
        "rows_bytes": await _size(redis, keys.current),
    }


async def _size(redis: Redis, key: str) -> int | None:
    if await _told(redis.exists(key)) == 0:
        return 0
    size: int | None = await _told(redis.memory_usage(key))
    return size


async def _told(asked: Awaitable[Any] | Any) -> Any:
    """The engine's answer, None where it gives none. Raises LogUnavailable and LogBroken."""
    with translated():
        try:
            return await asked
        except exceptions.NoPermissionError:
            return None
        except exceptions.ResponseError as error:
            if "unknown" in str(error).lower():  # a command, or a part of one
                return None
            raise


def _engine(server: Any) -> str | None:
    if not isinstance(server, dict):
        return None
    for name, field in (("Valkey", "valkey_version"), ("Redis", "redis_version")):
        if field in server:
            return f"{name} {server[field]}"
    return None
