"""`itemstore info`: the engine, its durability, the sizes."""

from __future__ import annotations

import json
from typing import Any

from redis import exceptions

from cli.connection import Connection
from eventlog.durability import durability


async def info(connection: Connection, *, as_json: bool) -> None:
    """Prints what the store is and holds."""
    facts = await _facts(connection)
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        print(f"{name:<16}{value}")


async def _facts(connection: Connection) -> dict[str, Any]:
    redis, keys, log = connection.redis, connection.keys, connection.log
    promise = await durability(redis, keys)
    engine = await _engine(connection)
    return {
        "engine": engine,
        "fsync": promise.fsync,
        "durability": promise.sentence,
        "namespace": keys.namespace,
        "events": await log.length(),
        "last_position": await log.last_position(),
        "items": await redis.zcard(keys.ids),
        "deleted_items": await redis.hlen(keys.current) - await redis.zcard(keys.ids),
        "log_bytes": await redis.memory_usage(keys.events) or 0,
        "rows_bytes": await redis.memory_usage(keys.current) or 0,
    }


async def _engine(connection: Connection) -> str:
    try:
        server: Any = await connection.redis.info("server")
    except exceptions.ResponseError:
        return "unknown"
    if "valkey_version" in server:
        return f"Valkey {server['valkey_version']}"
    return f"Redis {server['redis_version']}"
