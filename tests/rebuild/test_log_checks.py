"""What verify says of a log that this store did not write, or that has lost events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.progress import Progress
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.verdict import Verdict
from itemstore.projections.verify.run import verify
from tests.conftest import Unchanged

EVENT = {"type": "ItemUpdated", "item": "foo", "version": "2", "data": "{}", "meta": "{}"}


async def verdict_with(partition: Partition, fields: dict[str, str]) -> Verdict:
    """What verify says once an entry was added to the log by hand."""
    await partition.client.xadd(partition.keys.events, fields)  # type: ignore[arg-type]
    return await verify(partition, BUILT_IN)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "ItemRenamed"},
        {"version": "two"},
        {"data": ""},
        {"type": "ItemDeleted"},
        {"more": "1"},
    ],
)
async def test_an_entry_that_is_no_event_is_named(
    redis: Redis, partition: Partition, log: EventLog, change: dict[str, str]
) -> None:
    """The difference has the position of the entry."""
    await log.append(PutItem("foo", b"{}"))
    position: Any = await redis.xadd(partition.keys.events, EVENT | change)  # type: ignore[arg-type]

    found = await verify(partition, BUILT_IN)

    assert found.counted == {"log": 1}
    assert found.differences[0].name == position.decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "3"}, "version 3, not 2"),
        ({"version": "1"}, "version 1, not 2"),
        ({"type": "ItemCreated"}, "exists already"),
        ({"item": "bar", "version": "1"}, "does not exist"),
        ({"item": "bar", "version": "1", "type": "ItemDeleted", "data": ""}, "does not exist"),
    ],
)
async def test_an_event_that_cannot_be_is_named(
    partition: Partition, log: EventLog, change: dict[str, str], reason: str
) -> None:
    """The difference says why, and a rebuild does not make it go away, nor fails."""
    await log.append(PutItem("foo", b"{}"))
    found = await verdict_with(partition, EVENT | change)
    assert found.counted["log"] == 1
    assert reason in found.differences[0].found

    await rebuild(partition, CURRENT_ITEMS)

    assert (await verify(partition, BUILT_IN)).counted == {"log": 1}


async def test_an_event_added_by_hand_is_missing_from_the_projection(
    partition: Partition, log: EventLog
) -> None:
    """It is a good event: verify misses its effect, and a rebuild applies it."""
    await log.append(PutItem("foo", b"{}"))
    assert (await verdict_with(partition, EVENT)).counted == {"row": 1, "history": 1}

    await rebuild(partition, CURRENT_ITEMS)

    assert (await verify(partition, BUILT_IN)).clean


async def test_an_event_with_a_meta_that_is_none_is_named_and_counts(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """What it did to the item is clear."""
    await log.append(PutItem("foo", b"{}"))
    await redis.xadd(partition.keys.events, EVENT | {"meta": "[]"})  # type: ignore[arg-type]
    assert (await verify(partition, BUILT_IN)).counted == {"log": 1, "row": 1, "history": 1}

    await rebuild(partition, CURRENT_ITEMS)

    assert (await verify(partition, BUILT_IN)).counted == {"log": 1}


async def test_a_rebuild_skips_and_counts_what_is_no_event(
    redis: Redis, partition: Partition, log: EventLog
) -> None:
    """The items are those of the events around it."""
    await log.append(PutItem("foo", b"{}"))
    await redis.xadd(partition.keys.events, {"what": "ever"})
    await log.append(PutItem("foo", b"{}"))

    found = (await rebuild(partition, CURRENT_ITEMS)).findings

    assert (found.events, found.skipped, found.items) == (2, 1, 1)
    assert not any(found.different.values())


async def test_a_log_that_lost_events_is_named_and_not_rebuilt_from(
    redis: Redis, partition: Partition, history: EventLog, unchanged: Unchanged
) -> None:
    """What only the live projection still knows is not thrown away."""
    await redis.xtrim(
        partition.keys.events, maxlen=(await history.reader.extent()).length - 3, approximate=False
    )

    assert (await verify(partition, BUILT_IN)).counted["log"] > 0
    async with unchanged():
        with pytest.raises(LogIncomplete) as refused:
            await rebuild(partition, CURRENT_ITEMS)
    assert "lacks 3 events" in str(refused.value)


async def test_a_log_that_loses_events_meanwhile_is_not_rebuilt_from(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """Whether or not they were replayed before; rows and ids are as they were."""
    live = [partition.keys.current, partition.keys.ids]
    before = [await redis.dump(key) for key in live]
    length = (await history.reader.extent()).length

    async def trim() -> None:
        await redis.xtrim(partition.keys.events, maxlen=length - 3, approximate=False)

    trimming: list[asyncio.Task[None]] = []

    def report(progress: Progress) -> None:
        if progress.stage == "comparing" and not trimming:
            trimming.append(asyncio.create_task(trim()))

    with pytest.raises(LogIncomplete, match="lost events meanwhile"):
        await rebuild(partition, CURRENT_ITEMS, report=report)

    assert [await redis.dump(key) for key in live] == before


async def test_a_log_that_is_gone_is_not_rebuilt_from(
    redis: Redis, partition: Partition, history: EventLog, unchanged: Unchanged
) -> None:
    """The rows are all there is."""
    await redis.delete(partition.keys.events)

    assert not (await verify(partition, BUILT_IN)).clean
    async with unchanged():
        with pytest.raises(LogIncomplete):
            await rebuild(partition, CURRENT_ITEMS)


async def test_an_empty_store_is_clean_and_can_be_rebuilt(partition: Partition) -> None:
    """There is nothing, and nothing is right."""
    empty = await verify(partition, BUILT_IN)
    receipt = await rebuild(partition, CURRENT_ITEMS)

    assert empty.clean
    assert (empty.events, empty.items) == (0, 0)
    assert receipt.findings.digest_after == empty.digest
    assert receipt.findings.first == receipt.findings.last == ""


async def test_what_should_not_be_there_is_counted_once(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """Wherever it is found: among the rows, the ids and the histories."""
    await redis.hset(partition.keys.current, "ghost", "{}")
    await redis.zadd(partition.keys.ids, {"ghost": 0})
    await redis.rpush(partition.keys.history("ghost"), "1-1")

    found = (await verify(partition, BUILT_IN)).counted

    assert found == {"row": 1, "index": 1, "history": 1, "total": 1}


async def test_an_event_whose_meta_is_wrong_has_happened(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """For all projections alike: after their rebuilds only the log itself is named."""
    await redis.xadd(
        partition.keys.events,
        {"type": "ItemCreated", "item": "new", "version": "1", "data": "{}", "meta": "[1]"},
    )
    for projection in BUILT_IN:
        await rebuild(partition, projection)

    assert (await verify(partition, BUILT_IN)).counted == {"log": 1}
