"""Which versions of an engine the store runs on."""

from __future__ import annotations

from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.errors import LogUnavailable
from itemstore.engine.redis_errors import translated

LEAST = (("Valkey", "valkey_version", 8), ("Redis", "redis_version", 7))
"""Kinds of engines, the field of INFO with the version of each, and the first that will do."""


async def check_version(redis: Redis) -> None:
    """Raises LogUnavailable for an engine that is too old; one that does not tell is taken."""
    with translated():
        try:
            server: Any = await redis.info("server")
        except exceptions.ResponseError:  # a provider keeps it to itself
            return
    for name, field, least in LEAST:
        version = str(server.get(field, ""))
        major = version.partition(".")[0]
        if major.isdigit():
            if int(major) < least:
                message = (
                    f"The engine is {name} {version}: the store takes Valkey 8 or later, or Redis "
                    "7 or later."
                )
                raise LogUnavailable(message)
            return
