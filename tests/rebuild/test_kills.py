"""A rebuild is killed at random moments, as a power cut or an impatient person would do it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.verify.run import verify
from tests.conftest import assert_agreement, contents, killed_when_silent, url_of
from tests.rebuild.conftest import write

KILLS = 15
MOST_KILLS = 30
"""The last of this many has 13 seconds, on a machine that is that slow."""

REBUILDS = """
import asyncio, os, sys
from itemstore.engine.connect import connect
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild

async def go_on():
    async with connect(sys.argv[1]) as redis:
        while True:
            await rebuild(Partition(redis, Keys()), CURRENT_ITEMS)

for _ in sys.stdin:
    if (child := os.fork()) == 0:
        asyncio.run(go_on())
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""For each line that it reads, forks a process that rebuilds for ever."""


@contextmanager
def rebuilding(url: str) -> Iterator[Callable[[float], None]]:
    """Gives a function that rebuilds in another process, and kills that after some seconds."""
    process = subprocess.Popen(
        [sys.executable, "-c", REBUILDS, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout

    def rebuild_for(seconds: float) -> None:
        print("go", file=process.stdin, flush=True)
        child = int(output.readline())
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        output.readline()

    with process, killed_when_silent(process, 120):
        yield rebuild_for
        process.stdin.close()


async def test_killed_at_any_moment_it_leaves_the_projection_as_it_was_or_right(
    real_redis: Redis, real_partition: Partition
) -> None:
    """Rows and ids are both the damaged ones or both the right ones; so is every history."""
    log = EventLog(real_partition)
    await write(log, 1000, items=200)
    await log.append(PutItem("kept", b"{}"))
    right = await contents(real_redis)
    healed = number = 0
    with rebuilding(url_of(real_redis)) as rebuild_for:
        while number < KILLS or (not healed and number < MOST_KILLS):
            await real_redis.hset(real_partition.keys.current, "kept", "?")
            await real_redis.zrem(real_partition.keys.ids, "kept")
            await real_redis.lset(real_partition.keys.history("kept"), 0, "1-1")
            damaged = await contents(real_redis)

            rebuild_for(random.uniform(0.7, 1.3) * 0.005 * 1.3**number)  # to a fifth of a second
            number += 1

            after = await contents(real_redis)
            for group in live(real_partition.keys, right):
                parts = [[held.get(key) for key in group] for held in (after, damaged, right)]
                assert parts[0] in parts[1:]
            healed += (
                after[real_partition.keys.current.encode()]
                == right[real_partition.keys.current.encode()]
            )
            await real_redis.delete(real_partition.keys.lease("rebuild"))  # as time does
    assert 0 < healed < number

    await rebuild(real_partition, CURRENT_ITEMS)

    assert not [key for key in await real_redis.keys("*") if b"rebuild" in key]
    assert (await verify(real_partition, BUILT_IN)).clean
    await assert_agreement(real_partition)


def live(keys: Keys, held: dict[bytes, Any]) -> list[list[bytes]]:
    """The derived keys, in groups that change together."""
    histories = [[key] for key in held if key.startswith(keys.histories.encode())]
    return [[keys.current.encode(), keys.ids.encode()], *histories]
