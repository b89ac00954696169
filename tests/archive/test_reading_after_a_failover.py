"""A process that serves knows the archive as it was before a failover, until it looks again."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from itemstore.archive import segments
from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.trimming import Keep
from itemstore.domain.positions import START
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import Within
from itemstore.store.own_past import OwnPast
from tests.archive.stores import (
    ITEMS,
    again,
    archiving_of,
    fail_over,
    in_logs,
    put,
    snapshot,
)


@pytest.fixture
async def taken_back(
    redis: Redis, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> tuple[OwnPast, Archiving]:
    """What such a process reads, and what archives: five of the events are others since."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 5)
    appender = Appender(redis, ITEMS.store)
    work = archiving_of(redis, archive)
    await put(appender, ITEMS, *("a" for _ in range(10)), body=b"1")
    await work.seal()
    replica = await snapshot(redis)
    await put(appender, ITEMS, *("a" for _ in range(5)), body=b"2")
    await work.seal()
    assert await work.trim(Keep(10, 10**9)) > 0
    past = OwnPast(again(archive), redis, ITEMS.store)
    up_to = await border(redis, ITEMS.store)
    await past.part_after(["items"], START, up_to, Within(100))
    await fail_over(redis, replica)
    return past, work


async def test_what_was_taken_back_is_not_read(
    redis: Redis, taken_back: tuple[OwnPast, Archiving]
) -> None:
    """The events that the log has in its place are."""
    past, work = taken_back
    await put(Appender(redis, ITEMS.store), ITEMS, *("a" for _ in range(10)), body=b"3")
    record = await in_logs(redis)
    await work.seal()
    assert await work.trim(Keep(2, 10**9)) > 0
    up_to = await border(redis, ITEMS.store)
    trimmed = [entry for _, entry in record if entry not in [e for _, e in await in_logs(redis)]]
    known = [position for position, _ in trimmed]
    assert len(known) > 12
    assert await past.positions("items", "a", 0, 12) == known[:12]
    assert await past.entries_at("items", known) == trimmed
    part = await past.part_after(["items"], START, up_to, Within(100))
    assert [position for position, _ in part.entries][: len(known)] == known
    assert await past.count("items", up_to) >= len(known)


async def test_an_item_has_no_version_that_was_taken_back(
    redis: Redis, taken_back: tuple[OwnPast, Archiving]
) -> None:
    """Nor had it one at a time when the other engine had."""
    past, work = taken_back
    time = (await past.positions("items", "a", 12, 1))[0].decode()
    await put(Appender(redis, ITEMS.store), ITEMS, *("a" for _ in range(10)), body=b"3")
    await work.seal()
    assert await work.trim(Keep(2, 10**9)) > 0
    assert await past.version_at("items", "a", time) == 10
