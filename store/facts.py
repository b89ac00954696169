"""What a store is and holds: its engine, its durability, its sizes."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable, Collection, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.cursors import cursor_at
from itemstore.domain.positions import START, key_of
from itemstore.engine.acknowledgement import ENGINE
from itemstore.engine.durability import Durability, UnsafeEngine
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import in_time
from itemstore.projections.projection import Status
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.standing import statuses_of
from itemstore.store.archive_progress import archive_progress, look_at_archive
from itemstore.store.known_collections import unnamed_collections
from itemstore.store.look import Look, check_writable, look_at, promise_of_all
from itemstore.store.partition_states import nodes_and_partitions
from itemstore.store.sql_place import database_of, told
from itemstore.store.store import Store

LOOK_SECONDS = 3.0
"""How long the archive's place, or one of several nodes, may take to say what is there."""

SIZES = ("events", "items", "deleted_items", "log_bytes", "rows_bytes")
"""The facts of a collection that are numbers; those of a store are their sums."""

NOT_KNOWN = dict.fromkeys(("last_position", *SIZES))
"""The facts of a partition that is away."""

T = TypeVar("T")


async def facts_of(store: Store, chosen: Collection[str] | None = None) -> dict[str, Any]:
    """The facts by name, as JSON has them; None for what the engine does not tell.

    The numbers are those of the chosen collections together, or of all. Where there are several,
    `collections` has them for each by name; `not_named` counts the events of those that have some
    and that the settings don't name. Of a store with several partitions `partitions` has each, and
    `nodes` the servers; while some of these are away, what would be a sum over them is None. Where
    something is wrong with the store, `wrong` has a sentence for each, and what is not known for
    it is None. Raises LogUnavailable where all of it is away.
    """
    wrong = Wrong()
    look = await look_at(store, ENGINE) if store.has_partitions else None
    durability = await wrong.or_none(_durability(store, look))
    if look is None:
        await wrong.or_none(_why_no_write_is_taken(store))
    names = [*(chosen or store.collections)]
    # Side by side: where a node is away, each of them waits for it.
    engine, log, unnamed, archive, of_nodes, *found = await gather(
        _engine_of(store),
        wrong.or_none(_if_there(store, store.feed.identity.known())),
        wrong.or_none(_if_there(store, unnamed_collections(store))),
        wrong.or_none(_of_the_archive(store)),
        _of_nodes(store, look),
        *(wrong.or_none(_of_each(store.collections[name].partitions)) for name in names),
    )
    each = {
        name: NOT_KNOWN if facts is None else _together(facts)
        for name, facts in zip(names, found, strict=True)
    }
    facts: dict[str, Any] = {
        "engine": engine,
        "fsync": durability and durability.fsync,
        "durability": durability and durability.sentence,
        "namespace": store.keys.namespace or "none",
        "log": log,
    }
    facts |= _together([*each.values()])
    if len(each) > 1:
        facts["collections"] = each
    facts |= of_nodes
    if unnamed:
        facts["not_named"] = unnamed
    facts |= archive or {"archive": store.archived_at or "none"}
    is_whole = facts["events"] is not None
    facts |= await _of_the_read_model(store, [*each], is_whole=is_whole)
    return facts | ({"wrong": wrong.sentences} if wrong.sentences else {})


class NoWriteTaken(Exception):
    """An engine that answers takes no write: it is a replica, or is full."""


class Wrong:
    """What is found to be wrong with a store while it is looked at, each once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    async def or_none(self, asked: Awaitable[T]) -> T | None:
        """The answer; None where it can't be had for what is wrong, which is noted."""
        try:
            return await asked
        except (LogBroken, NoWriteTaken, UnsafeEngine) as error:
            if str(error) not in self.sentences:
                self.sentences.append(str(error))
            return None


async def _durability(store: Store, look: Look | None) -> Durability:
    return await promise_of_all(store, ENGINE) if look is None else look.durability


async def _why_no_write_is_taken(store: Store) -> None:
    """Raises NoWriteTaken. What is broken or unsafe is told by what is asked besides."""
    try:
        with suppress(LogBroken, UnsafeEngine):
            await check_writable(store)
    except (LogFull, LogUnavailable) as error:
        raise NoWriteTaken(str(error)) from None


async def _of_nodes(store: Store, look: Look | None) -> dict[str, Any]:
    """The nodes and partitions, where there are several."""
    return {} if look is None else await nodes_and_partitions(store, look)


async def _if_there(store: Store, asked: Awaitable[T]) -> T | None:
    """The answer; None where the node of one of several partitions is away."""
    if not store.has_partitions:
        return await asked
    found = await in_time(asked, LOOK_SECONDS)
    return None if isinstance(found, LogUnavailable) else found


async def _engine_of(store: Store) -> str | None:
    """What the first node that answers says that it is."""
    asked = [
        _if_there(store, _told(each.partition.client.info("server"))) for each in store.sections
    ]
    return next(filter(None, map(_engine, await gather(*asked))), None)


async def _of_each(partitions: Sequence[Partition]) -> list[dict[str, Any]]:
    """The facts of a collection's partitions: None each of those that are away.

    Raises LogUnavailable where all are.
    """
    if len(partitions) == 1:
        return [await _facts_of(partitions[0])]
    found = await gather(*(in_time(_facts_of(each), LOOK_SECONDS) for each in partitions))
    away = [each for each in found if isinstance(each, LogUnavailable)]
    if len(away) == len(found):
        raise away[0]
    return [NOT_KNOWN if isinstance(each, LogUnavailable) else each for each in found]


def _together(each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several logs have together, in the order of the facts of one."""
    facts = dict(each[0])
    ends = [one["last_position"] for one in each]
    facts["last_position"] = None if None in ends else max(ends, key=key_of)
    for name in SIZES:
        numbers = [one[name] for one in each]
        facts[name] = None if None in numbers else sum(numbers)
    return facts


async def _of_the_archive(store: Store) -> dict[str, Any]:
    await look_at_archive(store, LOOK_SECONDS)
    found = await archive_progress(store)
    place = store.archived_at or "none"
    if found is None:
        return {"archive": place}
    return {
        "archive": place,
        "archive_id": found.standing.archive,
        "archived": found.standing.sealed,
        "not_archived": found.events,
        "trimmed_up_to": found.standing.border,
        "archive_state": found.sentence,
    }


async def _of_the_read_model(
    store: Store, names: Sequence[str], *, is_whole: bool
) -> dict[str, Any]:
    """Where it is, and how far in the chosen collections; None for what its database won't say.

    Without `is_whole` a partition is away, so nobody can say how far it is in all.
    """
    database = database_of(store.settings)
    facts: dict[str, Any] = {"queries": told(database)}
    if database is None:
        return facts
    partitions = [each for name in names for each in store.collections[name].partitions]
    logs: list[tuple[Partition, Extent]] = []
    if is_whole:
        ends = await gather(*(_if_there(store, each.reader.extent()) for each in partitions))
        logs = [(each, log) for each, log in zip(partitions, ends, strict=True) if log is not None]
    found: Sequence[Status] | None = None
    if len(logs) == len(partitions):
        with suppress(SqlUnavailable):
            found = await statuses_of(database, logs)
    return facts | {
        "queries_up_to": found and _furthest(partitions, found),
        "queries_behind": found and sum(each.lag for each in found),
    }


def _furthest(partitions: Sequence[Partition], found: Sequence[Status]) -> str:
    """The cursor of the last events of any collection."""
    ends: dict[int | None, str] = {}
    for partition, status in zip(partitions, found, strict=True):
        number = partition.keys.partition
        ends[number] = max(ends.get(number, START), status.position, key=key_of)
    return cursor_at([*ends.values()])


async def _facts_of(partition: Partition) -> dict[str, Any]:
    redis, keys = partition.client, partition.keys
    log = await partition.reader.extent()
    items = await _told(redis.zcard(keys.ids))
    rows = await _told(redis.hlen(keys.current))
    return {
        "events": log.events,
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
