"""Bytes of engine memory: of an event, of an item, and of what they are compared with."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks import seeding
from benchmarks.workloads import BODY
from itemstore.domain.evolve import Item
from itemstore.engine.embedded import EmbeddedEngine, run
from itemstore.projections.row import encode

COUNT = 100_000
"""How many of each are stored; what they share, and what is allocated ahead, hardly counts then."""

POSITION = "1700000000000-0"


def memory() -> dict[str, float]:
    """Bytes each, in engines of their own."""
    with _engine() as engine, Redis.from_url(engine.url) as redis:
        created = _grown(redis, lambda: seeding.fill(engine.url, 0, COUNT))
        updated = _grown(redis, lambda: seeding.fill(engine.url, 0, COUNT))
    with _engine() as engine, Redis.from_url(engine.url) as redis:
        bare_event = _grown(redis, lambda: _add_events(redis))
        row_alone = _grown(redis, lambda: _set_rows(redis))
    return {
        "a new item, in all": created,
        "an update, in all": updated,
        "a bare XADD of the same fields": bare_event,
        "a row alone, in a hash": row_alone,
    }


def _grown(redis: Redis, store: Callable[[], None]) -> float:
    """Bytes by which the engine grew, for each of COUNT."""
    before = used(redis)
    store()
    return (used(redis) - before) / COUNT


def used(redis: Redis) -> int:
    """Bytes of all keys and what is in them: without the buffers of clients and of the file."""
    info: dict[str, Any] = redis.info("memory")
    return int(info["used_memory"] - info["mem_clients_normal"] - info["mem_aof_buffer"])


def _add_events(redis: Redis) -> None:
    for start in range(0, COUNT, 1_000):
        pipeline = redis.pipeline(transaction=False)
        for number in range(start, start + 1_000):
            fields: dict[Any, Any] = {
                "type": "ItemUpdated",
                "item": f"item-{number}",
                "version": 2,
                "data": BODY,
                "meta": "{}",
            }
            pipeline.xadd("bare", fields)
        pipeline.execute()


def _set_rows(redis: Redis) -> None:
    for start in range(0, COUNT, 1_000):
        rows: dict[Any, Any] = {
            name: encode(Item(name, 2, POSITION, POSITION, BODY))
            for name in (f"item-{number}" for number in range(start, start + 1_000))
        }
        redis.hset("rows", mapping=rows)


@contextmanager
def _engine() -> Iterator[EmbeddedEngine]:
    with tempfile.TemporaryDirectory() as directory, run(Path(directory)) as engine:
        yield engine
