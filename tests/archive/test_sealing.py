"""Sealing: the archive gets all that the logs have, in their order, and once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from redis.asyncio import Redis

from itemstore.archive import sealing
from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.manifest import Manifest
from itemstore.archive.object_store import object_store_of
from itemstore.archive.standing import progress, standing
from itemstore.archive.trimming import Keep
from itemstore.domain.commands import DeleteItem
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from tests.archive.stores import (
    ITEMS,
    LOGS,
    ORDERS,
    again,
    archiving_of,
    in_archive,
    in_logs,
    put,
)


async def test_a_store_without_events_has_no_archive_yet(
    redis: Redis, work: Archiving, archive: Archive
) -> None:
    """Nothing is put there, and nothing noted."""
    assert await work.seal() is None
    assert await archive.refreshed() is None
    assert (await standing(redis, ITEMS)).archive is None


async def test_the_archive_gets_the_events_of_all_logs_in_one_order(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """To the byte, what came first first."""
    for number in range(5):
        await put(appender, ITEMS, *(f"{number}-{n}" for n in range(7)))
        await put(appender, ORDERS, "a", "b")
    await appender.append(ORDERS, DeleteItem("a"), {"actor": "é"})
    manifest = await work.seal()
    assert manifest is not None
    assert await in_archive(archive) == await in_logs(redis)
    assert manifest.events == 46
    noted = await standing(redis, ITEMS)
    assert (noted.archive, noted.sealed) == (manifest.archive, manifest.last)
    assert (await progress(redis, LOGS)).events == 0


async def test_what_came_since_goes_into_another_segment(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """And where nothing came nothing is published."""
    await put(appender, ITEMS, "a", "b")
    first = await work.seal()
    assert await work.seal() == first
    await put(appender, ITEMS, "a")
    assert (await progress(redis, LOGS)).events == 1
    second = await work.seal()
    assert first is not None
    assert second is not None
    assert second.number == first.number + 1
    assert [each.events for each in second.segments] == [2, 1]
    assert await in_archive(archive) == await in_logs(redis)


async def test_much_that_is_new_goes_into_several_segments(
    redis: Redis,
    appender: Appender,
    work: Archiving,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is published when it is made."""
    monkeypatch.setattr(sealing, "MOST_EVENTS", 300)
    for _ in range(10):
        await put(appender, ITEMS, *(f"{n}" for n in range(100)))
    manifest = await work.seal()
    assert manifest is not None
    assert len(manifest.segments) > 1
    assert await in_archive(archive) == await in_logs(redis)


async def test_an_archiver_that_is_new_goes_on_where_another_one_stopped(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """It knows the last event from the archive."""
    await put(appender, ITEMS, "a", "b")
    await work.seal()
    await put(appender, ORDERS, "a")
    await archiving_of(redis, again(archive)).seal()
    assert await in_archive(archive) == await in_logs(redis)


async def test_two_archivers_at_once_seal_each_event_once(
    redis: Redis, appender: Appender, archive: Archive
) -> None:
    """One of them loses the race for a manifest."""
    several = [archiving_of(redis, again(archive)) for _ in range(3)]
    for _ in range(5):
        await put(appender, ITEMS, "a", "b", "c")
        await asyncio.gather(*(each.seal() for each in several), return_exceptions=True)
    await several[0].seal()
    assert await in_archive(archive) == await in_logs(redis)


async def test_the_archive_of_another_log_is_left_alone(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """An engine that was emptied has another log; its sentence says what to do."""
    await put(appender, ITEMS, "a", "b")
    before = await work.seal()
    await redis.flushall()
    with pytest.raises(NotItsArchive, match="itemstore restore"):
        await work.seal()
    await put(appender, ITEMS, "c")
    with pytest.raises(NotItsArchive, match="itemstore restore"):
        await work.seal()
    assert await again(archive).refreshed() == before


async def test_another_archive_than_the_stores_gets_nothing(
    redis: Redis, appender: Appender, work: Archiving, tmp_path: Path, archive: Archive
) -> None:
    """Neither an empty place nor the archive of the same log elsewhere."""
    await put(appender, ITEMS, "a")
    await work.seal()
    elsewhere = Archive(object_store_of(tmp_path / "elsewhere"), 0)
    with pytest.raises(NotItsArchive, match="is empty"):
        await archiving_of(redis, elsewhere).seal()
    await elsewhere.begin(await identity(Partition(redis, ITEMS)))
    with pytest.raises(NotItsArchive, match="has the id"):
        await archiving_of(redis, elsewhere).seal()


async def test_an_older_copy_of_the_archive_gets_nothing(
    redis: Redis, appender: Appender, tmp_path: Path
) -> None:
    """It lacks what was trimmed, and nothing could ever fill that."""
    await put(appender, ITEMS, "a")
    await archiving_of(redis, Archive(object_store_of(tmp_path / "own"), 0)).seal()
    shutil.copytree(tmp_path / "own", tmp_path / "copy")
    for name in ("b", "c"):
        await put(appender, ITEMS, name)
        own = archiving_of(redis, Archive(object_store_of(tmp_path / "own"), 0))
        await own.seal()
    assert await own.trim(Keep(1, 2**30)) == 2
    copy = Archive(object_store_of(tmp_path / "copy"), 0)
    before = await copy.refreshed()
    with pytest.raises(NotItsArchive, match="an older copy"):
        await archiving_of(redis, copy).seal()
    assert await again(copy).refreshed() == before


async def test_of_two_places_that_begin_at_once_one_is_the_stores(
    redis: Redis, appender: Appender, tmp_path: Path
) -> None:
    """The other one is refused."""
    await put(appender, ITEMS, "a")
    places = [Archive(object_store_of(tmp_path / f"{n}"), 0) for n in range(2)]
    outcomes = await asyncio.gather(
        *(archiving_of(redis, each).seal() for each in places), return_exceptions=True
    )
    assert sorted(type(each) in (LogBroken, NotItsArchive) for each in outcomes) == [False, True]
    [good] = [each for each in outcomes if isinstance(each, Manifest)]
    assert good.archive == (await standing(redis, ITEMS)).archive
