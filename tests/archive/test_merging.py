"""Merging: few files, each event written again a few times, and the same events as before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from itemstore.archive import index_merging, merging
from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archiving import Archiving
from itemstore.archive.manifest import SegmentInfo
from itemstore.archive.merging import MOST_EVENTS, Merging, replaced, to_merge
from itemstore.archive.publishing import Publishing
from itemstore.archive.trimming import Keep
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.past import PastDamaged
from tests.archive.manifests import segment
from tests.archive.stores import ITEMS, again, in_archive, in_logs, put


def sealed(sizes: Sequence[int]) -> tuple[list[SegmentInfo], int]:
    """What is left of segments of these sizes, merged as they come; events written again."""
    segments: list[SegmentInfo] = []
    again, last = 0, 0
    for size in sizes:
        segments.append(segment(last + 1, last + size))
        last += size
        while some := to_merge(segments):
            one = segment(int(some[0].first[:-2]), int(some[-1].last[:-2]))
            again += one.events
            segments = replaced(segments, some, [one])
    assert sum(each.events for each in segments) == last
    return segments, again


@pytest.mark.parametrize("kind", ["one by one", "as much each", "at random", "much and little"])
def test_few_segments_are_left_and_events_are_written_again_a_few_times(kind: str) -> None:
    """Whatever comes between two looks."""
    chance = random.Random(kind)
    sizes = {
        "one by one": [1] * 5000,
        "as much each": [40_000] * 500,
        "at random": [int(10 ** chance.uniform(0, 4.7)) for _ in range(2000)],
        "much and little": [chance.choice((1, 50_000)) for _ in range(1000)],
    }[kind]
    segments, again = sealed(sizes)
    full = sum(sizes) // (MOST_EVENTS // 2)
    assert len(segments) <= 60 + full
    assert again <= 5 * sum(sizes)
    assert max(each.events for each in segments) <= MOST_EVENTS


def test_few_large_segments_are_left_alone() -> None:
    """There is nothing to gain."""
    assert to_merge([segment(1, 600_000), segment(600_001, 1_200_000)]) == ()
    assert to_merge([segment(1, 9000), *(segment(n, n) for n in range(9001, 9010))]) == ()
    assert to_merge([]) == ()


def test_what_another_process_has_merged_is_not_merged_again() -> None:
    """Those that were to be replaced are gone, or stand no more together."""
    one, two, three = segment(1, 5), segment(6, 10), segment(11, 20)
    assert replaced([one, two, three], [one, two], [segment(1, 10)])[1:] == [three]
    for there in ([segment(1, 10), three], [one, three], [one, three, two], []):
        with pytest.raises(Outrun):
            replaced(there, [one, two], [segment(1, 10)])


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few files are many."""
    monkeypatch.setattr(merging, "TOGETHER", 3)
    monkeypatch.setattr(index_merging, "FANOUT", 2)


@pytest.mark.usefixtures("many")
async def test_merged_files_have_the_same_events(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """And what was merged can be trimmed and sealed after."""
    for number in range(10):
        await put(appender, ITEMS, *(f"{n}" for n in range(number + 1)))
        await work.seal()
    record = await in_logs(redis)
    await Merging(archive, work.publishing).step()
    manifest = await again(archive).refreshed()
    assert manifest is not None
    assert len(manifest.segments) < 6
    assert len(manifest.indexes) < 6
    assert await in_archive(again(archive)) == record
    await put(appender, ITEMS, "a")
    record = await in_logs(redis)
    await work.seal()
    await work.trim(Keep(3, 10**9))
    assert await in_archive(again(archive)) == record


@pytest.mark.usefixtures("many")
async def test_seals_go_on_while_files_are_merged(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """Both change the list of files, one after the other."""
    merger = Merging(archive, work.publishing)
    for _ in range(12):
        await put(appender, ITEMS, "a", "b")
        await asyncio.gather(work.seal(), merger.step())
    assert await in_archive(again(archive)) == await in_logs(redis)


@pytest.mark.usefixtures("many")
async def test_two_processes_that_merge_at_once_lose_nothing(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """One of them has worked for nothing."""
    for _ in range(6):
        await put(appender, ITEMS, "a", "b")
        await work.seal()
    places = [again(archive) for _ in range(3)]
    await asyncio.gather(
        *(Merging(each, Publishing(each)).step() for each in places), return_exceptions=True
    )
    manifest = await archive.refreshed()
    assert manifest is not None
    assert len(manifest.segments) < 6
    assert await in_archive(again(archive)) == await in_logs(redis)


@pytest.mark.usefixtures("many")
async def test_a_damaged_segment_is_merged_into_none(
    redis: Redis, appender: Appender, work: Archiving, archive: Archive
) -> None:
    """Its digest is compared first; the others stay as they are."""
    for _ in range(3):
        await put(appender, ITEMS, "a", "b")
        await work.seal()
    manifest = await archive.refreshed()
    assert manifest is not None
    name = manifest.segments[1].name
    content = await archive.objects.get(name)
    await archive.objects.delete(name)
    await archive.objects.put_new(name, content[:-1] + b"!")
    with pytest.raises(PastDamaged, match="SHA-256"):
        await Merging(archive, work.publishing).step()
    assert await again(archive).refreshed() == manifest


async def test_nothing_is_trimmed_that_can_not_be_read_back(
    redis: Redis,
    appender: Appender,
    work: Archiving,
    archive: Archive,
) -> None:
    """A segment was altered since it was put: the engine has the events, and keeps them."""
    for _ in range(3):
        await put(appender, ITEMS, "a", "b")
        await work.seal()
    manifest = await archive.refreshed()
    assert manifest is not None
    name = manifest.segments[0].name
    content = await archive.objects.get(name)
    await archive.objects.delete(name)
    await archive.objects.put_new(name, content[:20] + b"!" + content[21:])
    with pytest.raises(PastDamaged, match="SHA-256"):
        await work.trim(Keep(1, 10**9))
    assert await redis.xlen(ITEMS.events) == 6
    assert await redis.hget(ITEMS.store.archive, "border") is None
