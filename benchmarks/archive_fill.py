"""Fills a store with a history, and says how much memory its engine has on the way.

`python -m benchmarks.archive_fill URL ITEMS EVENTS` does so in a process of its own. Beside an
archiver it goes no faster than events leave the engine.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvloop
from redis import Redis as BlockingRedis
from redis.asyncio import Redis

from benchmarks.archive_history import History
from benchmarks.measure import say
from benchmarks.memory import used
from benchmarks.seeding import without_fsync
from benchmarks.starting import HERE
from itemstore.domain.positions import START, key_of
from itemstore.engine.connect import connect
from itemstore.eventlog.importing import write_step
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.digest import RowsDigest, reduced_row

MARKS = 10
"""How often the memory is measured on the way."""

LOOK_EVERY = 10_000
"""Events between two looks at how many there are in the engine, at most."""

PATIENCE = 600.0
"""Seconds for the archive to have all of a log."""


def fill(
    url: str, history: History, first: int, last: int, *, most: int | None = None
) -> list[dict[str, float]]:
    """Events from a number up to, and without, another; what was measured at each mark.

    With `most` it waits while there are more in the engine.
    """
    return uvloop.run(_fill(url, history, first, last, most))


async def _fill(
    url: str, history: History, first: int, last: int, most: int | None
) -> list[dict[str, float]]:
    mark = history.events // MARKS
    together = min(LOOK_EVERY, mark)
    found = []
    redis = connect(url)
    partitions = {"items": Partition(redis, Keys())}
    async with redis, without_fsync(redis):
        waited, begun = 0.0, time.monotonic()
        for start in range(first, last, together):
            end = min(start + together, last)
            ends: Mapping[str, str] = {
                "items": START if start == 0 else history.position(start - 1)
            }
            for step in history.steps(start, end):
                ends = await write_step(partitions, step, ends)
            waited += await _until_fewer(redis, most)
            if end // mark > start // mark:
                seconds = time.monotonic() - begun
                found.append(
                    {
                        "events": end,
                        "megabytes": await asyncio.to_thread(megabytes, url),
                        "in_engine": await redis.xlen(Keys().events),
                        "seconds": seconds,
                        "waited": waited,
                    }
                )
                say(f"{found[-1]}")
    return found


async def _until_fewer(redis: Redis, most: int | None) -> float:
    """Seconds until no more than so many events are in the engine."""
    begun = time.monotonic()
    while most is not None and await redis.xlen(Keys().events) > most:
        if time.monotonic() - begun > PATIENCE:
            message = f"more than {most:,} events stay in the engine"
            raise RuntimeError(message)
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


def megabytes(url: str) -> float:
    """What keys and values take in an engine's memory."""
    with BlockingRedis.from_url(url) as redis:
        return round(used(redis) / 1e6, 1)


def until_archived(url: str) -> float:
    """Seconds until the archive has all that the log has now. Raises RuntimeError."""
    begun = time.monotonic()
    with BlockingRedis.from_url(url) as redis:
        end: Any = redis.xrevrange(Keys().events, count=1)
        while time.monotonic() < begun + PATIENCE:
            sealed: Any = redis.hget(Keys().store.archive, "sealed") or b"0-0"
            if key_of(sealed.decode()) >= key_of(end[0][0].decode()):
                return time.monotonic() - begun
            time.sleep(0.01)
    message = f"the archive is at {sealed!r}, and the log at {end[0][0]!r}"
    raise RuntimeError(message)


def until_trimmed(url: str, keep: int) -> float:
    """Seconds until no more than so many events are in the engine, or about as many."""
    return uvloop.run(_trimmed(url, keep))


async def _trimmed(url: str, keep: int) -> float:
    async with connect(url) as redis:
        return await _until_fewer(redis, int(keep * 1.1) + 1000)


def rows_digest(url: str) -> str:
    """The digest of the current items of a store, as `itemstore verify` says it."""
    digest = RowsDigest()
    with BlockingRedis.from_url(url) as redis:
        for item, row in redis.hscan_iter(Keys().current, count=1000):
            digest.add(item, reduced_row(row))
    return str(digest)


@contextmanager
def filling(url: str, history: History) -> Iterator[list[dict[str, float]]]:
    """Fills another store beside the block; what was measured is there once the block is over."""
    found: list[dict[str, float]] = []
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.archive_fill", url),
            *(str(history.items), str(history.events)),
        ],
        cwd=HERE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield found
        said, _ = process.communicate()
    if process.returncode:
        message = f"filling the other store ended with {process.returncode}"
        raise RuntimeError(message)
    found += json.loads(said)


if __name__ == "__main__":
    url, items, events = sys.argv[1:]
    whole = History(int(items), int(events))
    print(json.dumps(fill(url, whole, 0, whole.events)))
