"""The collections that a store has ever had: commands know them without the setting.

Each is a field of the store's layout, `collection:<name>`, with the time since when there is one.
A collection that is no longer named keeps its field, as it keeps its data.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.events import ITEMS
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.store.named_collections import NAME, collection_names
from itemstore.store.settings import Settings
from itemstore.store.store import Store

_FIELD = "collection:"


async def names_for_a_command(redis: Redis, settings: Settings) -> tuple[str, ...]:
    """The collections that a command works on: those of the setting, else those that are known.

    Where neither says any there is `items`. Raises UnknownName, LogUnavailable and LogBroken.
    """
    if settings.collections is not None:
        return collection_names(settings.collections)
    return await known_names(redis, settings.namespace) or (ITEMS,)


async def known_names(redis: Redis, namespace: str | None) -> tuple[str, ...]:
    """The names of all collections that the store has ever had, in alphabetical order.

    Raises LogUnavailable and LogBroken.
    """
    with translated():
        fields: Any = await redis.hkeys(StoreKeys(namespace or "").layout)
    texts = (field.decode(errors="replace") for field in fields)
    names = (text.removeprefix(_FIELD) for text in texts if text.startswith(_FIELD))
    return tuple(sorted(name for name in names if NAME.fullmatch(name)))


async def remember(redis: Redis, namespace: str | None, names: Iterable[str]) -> None:
    """Writes down that the store has collections of these names from now on, or before.

    Raises LogUnavailable, LogFull and LogBroken.
    """
    layout, since = StoreKeys(namespace or "").layout, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for name in names:
        with translated():
            await redis.hsetnx(layout, _FIELD + name, since)


async def unnamed_collections(store: Store) -> dict[str, int]:
    """The collections with events that the store, as it was opened, does not have.

    By name, with the number of their events. One whose log holds something else is passed over:
    nobody asks for it. Raises LogUnavailable and LogBroken.
    """
    redis, namespace = store.partition.client, store.settings.namespace
    counts = {}
    for name in await known_names(redis, namespace):
        if name not in store.collections:
            with suppress(LogBroken), translated():
                counts[name] = int(await redis.xlen(Keys(name, namespace or "").events))
    return {name: count for name, count in counts.items() if count}
