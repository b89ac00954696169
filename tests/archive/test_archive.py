"""Manifests are published one after the other, and the newest is found again."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.manifest import manifest_name
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import ObjectMissing
from itemstore.eventlog.past import PastDamaged
from tests.archive.manifests import index, segment


async def test_an_archive_begins_with_an_id_of_its_own_and_the_logs(archive: Archive) -> None:
    """The first manifest has both, and whoever comes later finds them."""
    assert await archive.current() is None

    first = await archive.begin("a-log")

    assert (first.number, first.log, first.events, first.last) == (1, "a-log", 0, "0-0")
    assert len(first.archive) == 16
    assert await Archive(archive.objects, 0).begin("another") == first


async def test_what_is_published_is_the_newest_for_all(archive: Archive) -> None:
    """A process that knew the one before finds it with the next look, and not before."""
    other = Archive(archive.objects, 0)
    first = await archive.begin("a-log")
    assert await other.current() == first
    second = first.followed_by([segment(1, 5)], [index(1, 5)])

    await archive.publish(second)

    assert await archive.current() == second
    assert await other.current() == first
    assert await other.refreshed() == second
    assert second.previous == first.sha256
    assert (second.first, second.last, second.events) == ("1-0", "5-0", 5)


async def test_of_two_that_publish_one_loses_and_reads_again(archive: Archive) -> None:
    """The number is taken: nothing of the second one is there."""
    other = Archive(archive.objects, 0)
    first = await archive.begin("a-log")
    await other.current()
    await archive.publish(first.followed_by([segment(1, 5)], []))

    with pytest.raises(Outrun):
        await other.publish(first.followed_by([segment(1, 3)], []))

    found = await other.refreshed()
    assert found is not None
    assert found.last == "5-0"


async def test_of_many_that_begin_all_find_the_same(objects: ObjectStore) -> None:
    """One archive has one id."""
    archives = [Archive(objects, 0) for _ in range(8)]

    begun = await asyncio.gather(*(archive.begin("a-log") for archive in archives))

    assert len({manifest.archive for manifest in begun}) == 1
    assert await objects.names("manifests/") == [manifest_name(1)]


async def test_one_that_slept_takes_no_number_that_was_removed(archive: Archive) -> None:
    """Its next number is free, but later ones are there."""
    sleeper = Archive(archive.objects, 0)
    first = await archive.begin("a-log")
    await sleeper.current()
    newest = first
    for last in range(1, 5):
        newest = newest.followed_by([segment(1, last)], [])
        await archive.publish(newest)
    for number in (1, 2, 3):
        await archive.objects.delete(manifest_name(number))

    with pytest.raises(Outrun):
        await sleeper.publish(first.followed_by([], []))

    assert await archive.objects.names("manifests/") == [manifest_name(4), manifest_name(5)]
    assert await sleeper.refreshed() == newest


async def test_nothing_is_published_where_the_one_before_is_gone(archive: Archive) -> None:
    """Somebody emptied the place: a manifest would name files that are no longer there."""
    first = await archive.begin("a-log")
    await archive.objects.delete(first.name)

    with pytest.raises(PastDamaged, match=r"lacks manifests/0+1\.json"):
        await archive.publish(first.followed_by([segment(1, 5)], []))

    assert await archive.objects.names("manifests/") == []
    with pytest.raises(PastDamaged, match="which was there before"):
        await archive.refreshed()


async def test_a_part_is_read_once_for_all_that_ask_and_kept(archive: Archive) -> None:
    """Whoever asks while it is on its way waits for it, and who comes later finds it here."""
    await archive.objects.put_new("segments/a", b"0123456789")

    found = await asyncio.gather(*(archive.read("segments/a", 2, 3) for _ in range(20)))
    await archive.objects.delete("segments/a")

    assert set(found) == {b"234"}
    assert await archive.read("segments/a", 2, 3) == b"234"
    with pytest.raises(ObjectMissing):
        await archive.read("segments/a", 3, 3)


async def test_a_file_that_was_cut_is_damage(archive: Archive) -> None:
    """It is said which file."""
    await archive.objects.put_new("segments/a", b"0123456789")

    with pytest.raises(PastDamaged, match="segments/a ends before its byte 12"):
        await archive.read("segments/a", 8, 4)
