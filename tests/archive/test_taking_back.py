"""After a failover the archive may have what the log has lost: it goes back to where both agree."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.archive import log_slices, sealing, segments
from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.manifest import SEGMENTS
from itemstore.archive.merging import indexes_as_one, segments_as_one
from itemstore.archive.sealing import TakenBack, copied
from itemstore.archive.segments import SegmentFile, SegmentWriter
from itemstore.archive.standing import claim, progress, standing
from itemstore.archive.taking_back import TAKEN_BACK
from itemstore.archive.trimming import Keep
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.past import PastDamaged
from tests.archive.stores import (
    ITEMS,
    LOGS,
    ORDERS,
    again,
    archiving_of,
    fail_over,
    in_archive,
    in_logs,
    put,
    snapshot,
)
from tests.logged import all_told


@pytest.mark.parametrize("process", ["the same", "a new one"])
async def test_what_a_failover_took_back_is_taken_back_by_the_archive(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive, process: str
) -> None:
    """It ends at the last common event, goes on from there, and keeps the files with the others."""
    await put(appender, ITEMS, *(f"{n}" for n in range(30)))
    await put(appender, ORDERS, "a", "b")
    await work.seal()
    await put(appender, ITEMS, "c", "d")
    replica = await snapshot(redis)
    await put(appender, ITEMS, "c", "lost")
    await put(appender, ORDERS, "lost")
    taken_back = await work.seal()
    await put(appender, ORDERS, "lost too")
    await work.seal()
    await fail_over(redis, replica)
    await put(Appender(redis, ITEMS.store), ORDERS, "new", "a")
    if process == "a new one":
        work = archiving_of(redis, again(archive))
    manifest = await work.seal()
    assert await in_archive(archive) == await in_logs(redis)
    assert manifest is not None
    assert taken_back is not None
    assert (await standing(redis, ITEMS)).sealed == manifest.last
    assert (await progress(redis, LOGS)).events == 0
    kept = await archive.objects.names(TAKEN_BACK)
    assert TAKEN_BACK + taken_back.segments[-1].name.removeprefix(SEGMENTS) in kept
    assert len(kept) == 2


async def test_the_log_says_that_events_were_taken_back(
    redis: Redis, appender: Appender, work: Archiving, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody will ask where they are."""
    await put(appender, ITEMS, "a")
    await work.seal()
    replica = await snapshot(redis)
    await put(appender, ITEMS, "lost")
    await work.seal()
    await fail_over(redis, replica)
    with caplog.at_level(logging.WARNING):
        await work.seal()
    assert all_told(caplog, rest="under taken-back/")


async def test_an_event_at_the_position_of_a_lost_one_is_another(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """Both engines may give the same position."""
    await put(appender, ITEMS, "a")
    await work.seal()
    replica = await snapshot(redis)
    await put(appender, ITEMS, "b", body=b"1")
    [*_, (_, (position, fields))] = await in_logs(redis)
    await work.seal()
    await fail_over(redis, replica)
    fields[7] = b"2"
    command = ("XADD", ITEMS.events, position, *fields)
    await redis.execute_command(*command)  # type: ignore[no-untyped-call]
    await redis.set(ITEMS.store.position, position)
    await work.seal()
    assert await in_archive(archive) == await in_logs(redis)


async def test_large_merged_files_are_cut_too(
    redis: Redis,
    appender: Appender,
    work: Archiving,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the middle of a frame, of a segment and of an index."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 7)
    for number in range(4):
        await put(appender, ITEMS, *(f"{n}" for n in range(10)))
        if number == 2:
            replica = await snapshot(redis)
        await work.seal()
    manifest = await archive.refreshed()
    assert manifest is not None
    merged = [await segments_as_one(archive, manifest.segments)]
    indexes = await indexes_as_one(archive, manifest.indexes)
    await archive.publish(manifest.followed_by(merged, indexes))
    await fail_over(redis, replica)
    cut = await archiving_of(redis, again(archive)).seal()
    assert await in_archive(archive) == await in_logs(redis)
    assert cut is not None
    assert [each.last for each in cut.indexes] == [cut.last]
    assert sum(each.events for each in cut.indexes) == cut.events == 30


async def test_what_was_trimmed_counts_as_there(
    redis: Redis,
    appender: Appender,
    work: Archiving,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log has no more of it, and the archive keeps all of it."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 5)
    await put(appender, ITEMS, *(f"{n}" for n in range(40)))
    record = await in_logs(redis)
    await work.seal()
    assert await work.trim(Keep(10, 10**9)) > 0
    replica = await snapshot(redis)
    await put(appender, ITEMS, "lost")
    await work.seal()
    await fail_over(redis, replica)
    await work.seal()
    assert await in_archive(archive) == record


async def test_a_log_with_none_of_the_archives_events_changes_nothing(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """Somebody has deleted the streams, and nothing else."""
    await put(appender, ITEMS, "a", "b")
    before = await work.seal()
    await redis.delete(ITEMS.events)
    await put(appender, ITEMS, "c")
    with pytest.raises(NotItsArchive, match="none of the events"):
        await work.seal()
    assert await again(archive).refreshed() == before


async def test_events_that_are_lost_while_they_are_read_are_not_sealed(
    redis: Redis, appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before a failover and what after it don't belong together."""
    await put(appender, ITEMS, "a", "b")
    claimed = await claim(redis, LOGS, "A")
    [_, (_, (last, _))] = await in_logs(redis)

    class FailingOver(SegmentWriter):
        def finish(self) -> SegmentFile:
            raise AssertionError("it is not made")

    async def read(*arguments: Any) -> None:
        await log_slices_read(*arguments)
        await redis.xdel(ITEMS.events, last)

    log_slices_read = log_slices._read
    monkeypatch.setattr(log_slices, "_read", read)
    monkeypatch.setattr(sealing, "SegmentWriter", FailingOver)
    with pytest.raises(TakenBack):
        await copied(redis, LOGS, "0-0", claimed.up_to)


async def test_what_comes_after_a_failover_up_to_the_claim_is_archived(
    redis: Redis,
    appender: Appender,
    work: Archiving,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The new primary knows of no claim, and its clock is behind that of the old one."""
    await put(appender, ITEMS, *(f"{n}" for n in range(300)))
    await put(appender, ORDERS, "a")
    await work.seal()
    await put(appender, ITEMS, *(f"{n}" for n in range(300)))
    replica = await snapshot(redis)
    await redis.set(ITEMS.store.position, f"{int(time.time() * 1000) + 60_000}-0")
    reads = 0

    async def read(*arguments: Any) -> None:
        nonlocal reads
        reads += 1
        if reads == 2:
            await fail_over(redis, replica)
            await put(Appender(redis, ITEMS.store), ORDERS, "b")
            await put(Appender(redis, ITEMS.store), ITEMS, "b")
        await log_slices_read(*arguments)

    log_slices_read = log_slices._read
    monkeypatch.setattr(log_slices, "_read", read)
    with suppress(TakenBack):
        await work.seal()
    assert reads > 2
    await work.seal()
    assert await in_archive(archive) == await in_logs(redis)


async def test_a_damaged_archive_is_not_cut(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """What can't be read can't be compared."""
    await put(appender, ITEMS, "a")
    await work.seal()
    replica = await snapshot(redis)
    await put(appender, ITEMS, "lost")
    manifest = await work.seal()
    assert manifest is not None
    await archive.objects.delete(manifest.segments[0].name)
    await fail_over(redis, replica)
    with pytest.raises(PastDamaged):
        await archiving_of(redis, again(archive)).seal()
    assert await again(archive).refreshed() == manifest
