"""Steps: whatever the log is like, none holds up the engine for long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.engine.scripts import Script
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.rebuild.shadow import REPLAY_IN_ORDER, REPLAY_RUNS, Shadow
from itemstore.projections.verify.run import verify

FAR_TOO_LONG = 300_000
"""Microseconds: some hundred times what a step should take. A disk that is busy with something else
can hold up a write for as long, but hardly in each of TRIES."""

TRIES = 8


async def longest_step(redis: Redis) -> int:
    """Microseconds that the longest command took the engine since the last time."""
    slow: Any = await redis.slowlog_get(1000)
    await redis.slowlog_reset()
    return max((entry["duration"] for entry in slow), default=0)


@pytest.mark.parametrize(
    ("small", "items", "events", "size"),
    [(0, 12, 1100, 2), (0, 60, 1, 1_000_000), (150, 80, 1, 1_000_000)],
    ids=["long", "large", "large after small"],
)
async def test_no_step_of_a_rebuild_or_a_verify_is_long(
    real_redis: Redis, small: int, items: int, events: int, size: int
) -> None:
    """Items with more events than one run holds; large items, also after small ones."""
    keys = Keys()
    log = EventLog(Partition(real_redis, keys))
    body = b'"%s"' % (b"x" * (size - 2))
    await asyncio.gather(*(log.append(PutItem(f"small {n}", b"1")) for n in range(small)))
    for _ in range(events):
        await asyncio.gather(*(log.append(PutItem(f"{n}", body)) for n in range(items)))
    await real_redis.config_set("slowlog-log-slower-than", 10_000)
    await real_redis.config_set("slowlog-max-len", 1000)
    await longest_step(real_redis)

    longest = FAR_TOO_LONG
    for _ in range(TRIES):
        receipt = await rebuild(Partition(real_redis, keys), CURRENT_ITEMS)
        verdict = await verify(Partition(real_redis, keys), BUILT_IN)
        longest = min(longest, await longest_step(real_redis))
        if longest < FAR_TOO_LONG:
            break
    assert longest < FAR_TOO_LONG

    assert receipt.findings.events == small + items * events
    assert receipt.findings.digest_before == receipt.findings.digest_after == verdict.digest
    assert verdict.clean


async def test_a_step_does_as_much_as_fits(
    redis: Redis, partition: Partition, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a step leaves is done by the next one, and nothing twice."""
    for number in range(24):
        await log.append(PutItem(f"large {number % 8}", b'"%s"' % (b"x" * 900_000)))
    steps, asked = [], []
    step = Shadow._step

    async def counted(self: Shadow, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        if script is REPLAY_RUNS:
            asked.append(len(arguments))
        elif script is REPLAY_IN_ORDER:
            steps.append(self.events)
        return await step(self, script, keys, arguments)

    monkeypatch.setattr(Shadow, "_step", counted)
    await redis.delete(partition.keys.current)
    receipt = await rebuild(partition, CURRENT_ITEMS)

    assert steps[:5] == [0, 2, 4, 6, 8]  # the last of them finds that items come again
    assert asked[0] == 8
    assert len(asked) >= 3
    assert asked == sorted({*asked}, reverse=True)
    assert receipt.findings.events == 24
    assert receipt.findings.different["rows"] == 8
    assert (await verify(partition, BUILT_IN)).clean
