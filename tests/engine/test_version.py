"""Which versions of an engine are taken, as INFO tells them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.errors import LogUnavailable
from itemstore.engine.version import check_version


class Telling:
    """An engine that tells of itself what it was made with."""

    def __init__(self, told: dict[str, Any] | Exception) -> None:
        self._told = told

    async def info(self, section: str) -> dict[str, Any]:
        """What it tells."""
        assert section == "server"
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


async def check(told: dict[str, Any] | Exception) -> None:
    """Looks at such an engine."""
    await check_version(cast("Redis", Telling(told)))


@pytest.mark.parametrize(
    "told",
    [
        {"redis_version": "7.0.15"},
        {"redis_version": "8.2.1"},
        {"redis_version": "7.2.4", "valkey_version": "8.0.0"},
        {"redis_version": "unknown"},
        {},
        exceptions.NoPermissionError("this user has no permissions to run the 'info' command"),
        exceptions.ResponseError("unknown command 'INFO'"),
    ],
)
async def test_an_engine_that_will_do_or_does_not_tell_is_taken(told: Any) -> None:
    """Providers keep INFO to themselves."""
    await check(told)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"redis_version": "6.2.14"}, "The engine is Redis 6.2.14: the store takes Valkey 8"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, "The engine is Valkey 7.2.5: "),
    ],
)
async def test_an_engine_that_is_too_old_is_refused_with_its_version(told: Any, says: str) -> None:
    """And with those that will do."""
    with pytest.raises(LogUnavailable, match=says):
        await check(told)
