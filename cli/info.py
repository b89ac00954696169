"""`itemstore info`: the engine, its durability, the sizes."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.cli.output import write_text
from itemstore.cli.terminal_text import escaped
from itemstore.engine.durability import durability
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.identity import known_identity
from itemstore.store.store import Store


async def info(store: Store, *, as_json: bool) -> None:
    """Prints what the store is and holds; what the engine does not tell is unknown, or null."""
    facts = await _facts(store)
    if as_json:
        write_text(json.dumps(facts))
        return
    for name, value in facts.items():
        write_text(f"{name:<16}{'unknown' if value is None else escaped(str(value))}")


async def _facts(store: Store) -> dict[str, Any]:
    log, redis, keys = store.log, store.partition.client, store.partition.keys
    promise = await durability(redis, keys.writer("settle"))
    items = await _told(redis.zcard(keys.ids))
    rows = await _told(redis.hlen(keys.current))
    return {
        "engine": _engine(await _told(redis.info("server"))),
        "fsync": promise.fsync,
        "durability": promise.sentence,
        "namespace": keys.namespace,
        "log": await known_identity(store.partition),
        "events": await log.length(),
        "last_position": await log.last_position(),
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
