"""The collections that a store has ever had: commands know them without the setting.

Each is a field of the store's layout, `collection:<name>`, with the time since when there is one.
A collection that is no longer named keeps its field, as it keeps its data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.events import ITEMS
from itemstore.engine.one_trip import sound
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.side_by_side import replies_of
from itemstore.store.named_collections import NAME, collection_names
from itemstore.store.settings import Settings
from itemstore.store.store import Store

_FIELD = "collection:"


async def names_for_a_command(redis: Redis, keys: StoreKeys, settings: Settings) -> tuple[str, ...]:
    """The collections that a command works on: those of the setting, else those that are known.

    Where neither says any there is `items`. Raises UnknownName, LogUnavailable and LogBroken.
    """
    if settings.collections is not None:
        return collection_names(settings.collections)
    return await known_names(redis, keys) or (ITEMS,)


async def known_names(redis: Redis, keys: StoreKeys) -> tuple[str, ...]:
    """The names of all collections that the store has ever had, in alphabetical order.

    Raises LogUnavailable and LogBroken.
    """
    with translated():
        fields: Any = await redis.hkeys(keys.layout)
    texts = (field.decode(errors="replace") for field in fields)
    names = (text.removeprefix(_FIELD) for text in texts if text.startswith(_FIELD))
    return tuple(sorted(name for name in names if NAME.fullmatch(name)))


async def remember(store: Store, names: Iterable[str]) -> None:
    """Writes down that the store has collections of these names from now on, or before.

    Each of its partitions has them; where some of several are away, the others have. Raises
    LogUnavailable, LogFull and LogBroken.
    """
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    fields = [_FIELD + name for name in names]
    asked = [
        (section.partition, ("HSETNX", section.keys.layout, field, since))
        for section in store.sections
        for field in fields
    ]
    sound(await replies_of(asked))


async def unnamed_collections(store: Store) -> dict[str, int]:
    """The collections with events that the store, as it was opened, does not have.

    By name, with the number of their events; what is in a partition that is away is not counted.
    One whose log holds something else is passed over: nobody asks for it. Raises LogUnavailable
    where the first partition is away, and LogBroken.
    """
    known = await known_names(store.partition.client, store.keys)
    logs = [
        (section.partition, ("XLEN", section.keys.collection(name).events), name)
        for name in known
        if name not in store.collections
        for section in store.sections
    ]
    counts: Counter[str] = Counter()
    found = await replies_of([(partition, command) for partition, command, _ in logs])
    for (*_, name), count in zip(logs, found, strict=True):
        if not isinstance(count, Exception):
            counts[name] += int(count)
    return {name: count for name, count in counts.items() if count}
