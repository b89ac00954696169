"""Manifests are published one after the other, and the newest is found again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.directory import Directory
from itemstore.archive.manifest import Manifest, manifest_name
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import Listed, ObjectMissing
from itemstore.eventlog.past import PastDamaged, PastUnavailable
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


async def test_one_that_slept_takes_back_nothing_that_others_went_on_from(
    objects: ObjectStore,
) -> None:
    """Its manifest was there, and has been followed before it looked whether that was so."""
    first = await Archive(objects, 0).begin("a-log")
    second = first.followed_by([segment(1, 5)], [])
    third = second.followed_by([segment(1, 5), segment(6, 7)], [])

    class Sleeper(ObjectStore):
        async def put_new(self, name: str, data: bytes) -> None:
            await super().put_new(name, data)
            await Archive(objects, 0).publish(third)

    archive = Archive(Sleeper(objects._objects), 0)
    await archive.publish(second)

    assert await archive.current() == third
    names = [manifest_name(number) for number in (1, 2, 3)]
    assert await objects.names("manifests/") == names


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


async def test_a_store_that_knows_no_conditions_gets_no_archive(tmp_path: Path) -> None:
    """Two processes would replace each other's manifests there."""

    class Replacing(Directory):
        async def put_new(self, name: str, data: bytes) -> None:
            await self.delete(name)
            await super().put_new(name, data)

    archive = Archive(ObjectStore(Replacing(tmp_path)), 0)

    with pytest.raises(PastUnavailable, match="replaces objects that are to be new"):
        await archive.begin("a-log")

    assert await archive.objects.names("") == []


async def test_segments_without_a_manifest_are_no_new_archive(archive: Archive) -> None:
    """Somebody deleted the manifests: a new archive would hide what is there."""
    await archive.objects.put_new(segment(1, 5).name, b"")

    with pytest.raises(PastDamaged, match="has segments, and no manifest"):
        await archive.begin("a-log")


async def test_too_many_reads_are_refused_at_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait are bounded, and are answered."""
    monkeypatch.setattr("itemstore.archive.parts.WAITING", 20)
    await archive.objects.put_new("segments/a", bytes(100))

    reads = [archive.read("segments/a", offset, 1) for offset in range(38)]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)

    refused = [each for each in outcomes if isinstance(each, PastUnavailable)]
    assert len(refused) == 10
    assert outcomes.count(b"\0") == 28


async def test_a_hundred_that_look_for_the_newest_manifest_take_two_looks(
    objects: ObjectStore,
) -> None:
    """One for those who asked before it began, and one for those who asked after that."""
    looks = 0

    class Counted(ObjectStore):
        async def listed(self, prefix: str, after: str = "") -> list[Listed]:
            nonlocal looks
            looks += 1
            return await super().listed(prefix, after)

    archive = Archive(Counted(objects._objects), 0)
    first = await Archive(objects, 0).begin("a-log")

    found = await asyncio.gather(*(archive.refreshed() for _ in range(100)))

    assert found == [first] * 100
    assert looks <= 2


class Held(ObjectStore):
    """Objects whose listing is told only when a test says so."""

    def __init__(self, objects: ObjectStore) -> None:
        super().__init__(objects._objects)
        self.is_listed, self.go_on = asyncio.Event(), asyncio.Event()

    async def listed(self, prefix: str, after: str = "") -> list[Listed]:
        """The objects of a prefix as they were when it was asked for."""
        found = await super().listed(prefix, after)
        self.is_listed.set()
        await self.go_on.wait()
        return found


async def test_what_is_asked_for_during_a_look_is_looked_for_again(objects: ObjectStore) -> None:
    """That look may have seen the place before what the second one is after."""
    first = await Archive(objects, 0).begin("a-log")
    held = Held(objects)
    archive = Archive(held, 0)
    before = asyncio.create_task(archive.refreshed())
    await held.is_listed.wait()
    second = first.followed_by([segment(1, 5)], [])
    await Archive(objects, 0).publish(second)
    after = asyncio.create_task(archive.refreshed())
    await asyncio.sleep(0)
    held.go_on.set()

    assert await before == first
    assert await after == second


async def test_a_look_takes_nothing_back_that_was_published_meanwhile(objects: ObjectStore) -> None:
    """It has seen the place before that."""
    first = await Archive(objects, 0).begin("a-log")
    second = first.followed_by([segment(1, 5)], [])
    await Archive(objects, 0).publish(second)
    is_read, go_on = asyncio.Event(), asyncio.Event()

    class Slow(ObjectStore):
        async def get(self, name: str) -> bytes:
            found = await super().get(name)
            is_read.set()
            await go_on.wait()
            return found

    archive = Archive(Slow(objects._objects), 0)
    look = asyncio.create_task(archive.refreshed())
    await is_read.wait()
    third = second.followed_by([segment(1, 6)], [])
    await archive.publish(third)
    go_on.set()

    assert await look == third
    assert await archive.current() == third


async def test_memory_has_a_bound_and_keeps_what_was_asked_for_last(objects: ObjectStore) -> None:
    """What would fill a quarter of it alone is not kept, nor what is read in passing."""
    archive = Archive(objects, cache_bytes=100)
    await objects.put_new("segments/a", bytes(1000))
    for offset in range(0, 200, 20):
        await archive.read("segments/a", offset, 20)
        await archive.read("segments/a", 0, 20)
    await archive.read("segments/a", 300, 26)
    await archive.read("segments/a", 400, 20, keep=False)
    await objects.delete("segments/a")

    kept = [offset for offset in range(0, 200, 20) if await is_kept(archive, offset, 20)]

    assert kept == [0, 120, 140, 160, 180]
    assert not await is_kept(archive, 300, 26)
    assert not await is_kept(archive, 400, 20)


async def is_kept(archive: Archive, offset: int, length: int) -> bool:
    """Whether a part of a file that is gone is in memory."""
    try:
        await archive.read("segments/a", offset, length)
    except ObjectMissing:
        return False
    return True


async def test_a_damaged_manifest_is_said_and_the_one_before_is_read(archive: Archive) -> None:
    """The next can't take its number: what to do is for a person to decide."""
    first = await archive.begin("a-log")
    second = first.followed_by([segment(1, 5)], [])
    await archive.objects.put_new(second.name, second.encoded[:-20])
    other = Archive(archive.objects, 0)

    assert await other.refreshed() == first
    assert other.damage is not None
    assert f"{second.name} was cut or altered" in other.damage
    with pytest.raises(PastDamaged, match="was cut or altered"):
        await other.publish(first.followed_by([segment(1, 3)], []))

    await archive.objects.delete(second.name)
    await other.publish(first.followed_by([segment(1, 3)], []))
    assert other.damage is None


async def test_another_archive_in_its_place_is_not_read(objects: ObjectStore) -> None:
    """Somebody put another one there while this process runs."""
    archive = Archive(objects, 0)
    first = await archive.begin("a-log")
    other = Manifest(number=2, archive="another", log="a-log", segments=(segment(1, 5),))
    await objects.put_new(other.name, other.encoded)

    with pytest.raises(PastDamaged, match="has another archive now: another"):
        await archive.refreshed()
    assert await archive.current() == first
