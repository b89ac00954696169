"""An item with 100,000 versions: any of them is found without looking at all of them."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition

VERSIONS = 100_000


@pytest.fixture
async def log(real_redis: Redis, real_partition: Partition) -> EventLog:
    """A log with the long history of `foo`, one version in ten milliseconds."""
    for start in range(0, VERSIONS, 10_000):
        positions = (f"{10 * number}-0" for number in range(start + 1, start + 10_001))
        await real_redis.rpush(real_partition.keys.history("foo"), *positions)
    return EventLog(real_partition)


async def looks(redis: Redis) -> int:
    """How often an element of a list was looked at."""
    statistics = await redis.info("commandstats")
    return int(statistics.get("cmdstat_lindex", {"calls": 0})["calls"])


@pytest.mark.parametrize("version", [0, 1, 2, 4711, 50_000, 99_999, VERSIONS])
async def test_the_version_at_a_date_takes_seventeen_looks(
    real_redis: Redis, log: EventLog, version: int
) -> None:
    """Two to the seventeenth is more than 100,000."""
    before = await looks(real_redis)
    assert await log.reader.version_at("foo", f"{10 * version + 9}-0") == version
    assert await looks(real_redis) - before <= 17
