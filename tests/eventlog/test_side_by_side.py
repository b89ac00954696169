"""Several partitions are asked side by side."""

from __future__ import annotations

import asyncio

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.all_logs import last_positions
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition


@pytest.mark.filterwarnings("error")
async def test_who_ends_before_the_engines_are_asked_leaves_no_question_behind() -> None:
    """As a follower does that is told to end: a coroutine that nobody awaits is warned of."""
    engines = [FakeAsyncRedis(), FakeAsyncRedis()]
    partitions = [Partition(engine, Keys(partition=n)) for n, engine in enumerate(engines)]
    assert await last_positions(partitions) == ["0-0", "0-0"]
    asking = asyncio.create_task(last_positions(partitions))
    await asyncio.sleep(0)  # it has a task for each engine now, none of which has begun
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    for engine in engines:
        await engine.aclose()
