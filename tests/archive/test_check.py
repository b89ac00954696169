"""What a check says of an archive that is sound, and of each kind of damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from itemstore.archive.archive import Archive
from itemstore.archive.check import Checked, check
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest, SegmentInfo, manifest_name
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.segments import merged_segment
from tests.archive.archives import fill, in_parts, publish

EVENTS = 4000
SEGMENT = 500


def events(first: int = 1, last: int = EVENTS) -> list[Placed]:
    """Events of 100 items in two collections, one a millisecond, one in ten of them by hand."""
    return [event(number) for number in range(first, last + 1)]


def event(number: int) -> Placed:
    """The event at a millisecond."""
    position = b"%d-0" % number
    collection = "orders" if number % 2 else "items"
    if number % 10 == 0:
        return collection, (position, [b"by", b"hand"])
    version = b"%d" % (1 + number // 100)
    item = b"item-%d" % (number % 100)
    body = b'{"number":%d}' % number
    kind = b"ItemCreated" if version == b"1" else b"ItemUpdated"
    fields = [b"type", kind, b"item", item, b"version", version, b"data", body, b"meta", b"{}"]
    return collection, (position, fields)


async def altered(objects: ObjectStore, name: str, change: Callable[[bytes], bytes]) -> None:
    """Changes what is in a file, as a broken disk or a hand would."""
    data = await objects.get(name)
    await objects.delete(name)
    await objects.put_new(name, change(data))


@pytest.fixture
async def filled(archive: Archive) -> Manifest:
    """Eight segments, published in two steps."""
    await fill(archive, in_parts(events(last=EVENTS // 2), SEGMENT), merge=False)
    return await fill(archive, in_parts(events(EVENTS // 2 + 1), SEGMENT), merge=False)


async def test_a_sound_archive_has_no_complaints(archive: Archive, filled: Manifest) -> None:
    """All of it was read, and the progress said so."""
    told: list[tuple[int, int]] = []

    checked = await check(archive, lambda done, all_: told.append((done, all_)))

    assert checked == Checked(filled, [], EVENTS, filled.size, [])
    assert told[-1] == (filled.size, filled.size)
    assert told == sorted(told)


async def test_an_archive_with_nothing_in_it_is_sound(archive: Archive) -> None:
    """Before the first manifest, and with it."""
    assert await check(archive) == Checked()
    first = await archive.begin("a-log")
    assert await check(archive) == Checked(first)


async def test_what_no_manifest_names_is_told_and_no_complaint(
    archive: Archive, filled: Manifest
) -> None:
    """An archiver has just put it there, or one was killed before it published."""
    await archive.objects.put_new("segments/9999-0_9999-0_aa.jsonl.zst", b"1")

    checked = await check(archive)

    assert checked.complaints == []
    assert checked.unnamed == ["segments/9999-0_9999-0_aa.jsonl.zst"]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", ["segments", "indexes"])
async def test_a_byte_that_changed_is_found_in_its_file(
    archive: Archive, filled: Manifest, kind: str, share: float
) -> None:
    """In a frame, in the directory, in the table at the end; the other files are still checked."""
    file = getattr(filled, kind)[-1]

    def flip(data: bytes) -> bytes:
        content = bytearray(data)
        content[int(share * (len(content) - 1))] ^= 1
        return bytes(content)

    await altered(archive.objects, file.name, flip)
    checked = await check(archive)

    [complaint] = checked.complaints
    assert file.name in complaint
    assert "is damaged" in complaint
    assert checked.bytes == filled.size - file.bytes


@pytest.mark.parametrize("length", [0, 5, -1])
async def test_a_cut_file_is_found(archive: Archive, filled: Manifest, length: int) -> None:
    """However much is lacking."""
    name = filled.segments[3].name
    await altered(archive.objects, name, lambda data: data[:length])

    [complaint] = (await check(archive)).complaints

    assert f"{name} is damaged" in complaint


async def test_a_longer_file_is_found(archive: Archive, filled: Manifest) -> None:
    """Something was written after its end."""
    name = filled.segments[3].name
    await altered(archive.objects, name, lambda data: data + b"x")

    [complaint] = (await check(archive)).complaints

    assert complaint == f"{name} is damaged: its SHA-256 is not the one that the manifest says."


@pytest.mark.parametrize("kind", ["segments", "indexes"])
async def test_a_missing_file_is_found(archive: Archive, filled: Manifest, kind: str) -> None:
    """Each of those that are missing."""
    names = [file.name for file in getattr(filled, kind)[:2]]
    for name in names:
        await archive.objects.delete(name)

    checked = await check(archive)

    assert checked.complaints == [f"The archive {archive.place} lacks {name}." for name in names]


async def test_a_missing_manifest_is_found(archive: Archive, filled: Manifest) -> None:
    """Between others, not the oldest ones, which are no longer kept."""
    await archive.objects.delete(manifest_name(1))
    assert (await check(archive)).complaints == []
    await fill(archive, [events(EVENTS + 1, EVENTS + 10)])
    await archive.objects.delete(filled.name)

    [complaint] = (await check(archive)).complaints

    assert complaint == f"{filled.name}: missing or damaged, between others that are there."


async def test_a_damaged_newest_manifest_is_said_and_the_one_before_is_checked(
    archive: Archive, filled: Manifest
) -> None:
    """So one knows what there is without it."""
    newest = await fill(archive, [events(EVENTS + 1, EVENTS + 10)])
    await altered(archive.objects, newest.name, lambda data: data[:-9])

    checked = await check(Archive(archive.objects, 0))

    assert checked.manifest == filled
    assert checked.events == EVENTS
    [complaint] = checked.complaints
    assert complaint == f"{newest.name} was cut or altered: its own SHA-256 does not fit."


async def test_a_replaced_manifest_breaks_the_chain(archive: Archive, filled: Manifest) -> None:
    """It is right in itself, and not the one that the next one followed."""
    other = Manifest(number=2, archive=filled.archive, log=filled.log, segments=filled.segments[:4])
    await altered(archive.objects, other.name, lambda _: other.encoded)

    complaints = (await check(archive)).complaints

    assert f"{filled.name} does not follow {other.name} as it is: one was replaced." in complaints


async def test_a_segment_that_is_no_longer_named_is_a_hole(
    archive: Archive, filled: Manifest
) -> None:
    """The manifest before had more events, and the indexes have them still."""
    segments = [*filled.segments[:2], *filled.segments[3:]]
    newest = filled.followed_by(segments, filled.indexes)
    await archive.publish(newest)

    one, other = (await check(archive)).complaints

    assert one == (f"{newest.name} has 3500 events up to 4000-0, where {filled.name} has 4000.")
    assert other.startswith("The indexes do not have the events of the segments")


async def test_events_that_were_taken_back_are_no_hole(archive: Archive, filled: Manifest) -> None:
    """After a failover the log may end before the archive did, which then follows it."""
    await archive.publish(filled.followed_by(filled.segments[:4], filled.indexes[:4]))

    checked = await check(archive)

    assert checked.complaints == []
    assert checked.events == 4 * SEGMENT


class Merging(ObjectStore):
    """Objects of which two segments are merged into one while the second of them is asked for."""

    def __init__(self, objects: ObjectStore, manifest: Manifest) -> None:
        super().__init__(objects._objects)
        self._others, self._manifest, self._is_done = objects, manifest, False

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of a file."""
        one, two = self._manifest.segments[-2:]
        if name == two.name and not self._is_done:
            self._is_done = True
            await self._merge(one, two)
        return await super().get_range(name, offset, length)

    async def _merge(self, one: SegmentInfo, two: SegmentInfo) -> None:
        contents = [(each, await self.get(each.name)) for each in (one, two)]
        merged = merged_segment(contents)
        await self.put_new(merged.info.name, merged.data)
        segments = [*self._manifest.segments[:-2], merged.info]
        await publish(Archive(self._others, 0), segments, self._manifest.indexes)
        for each in (one, two):
            await self.delete(each.name)


async def test_files_that_are_replaced_while_they_are_checked_are_not_missing(
    archive: Archive, filled: Manifest
) -> None:
    """The archiver merged them meanwhile: those in their place are checked."""
    checked = await check(Archive(Merging(archive.objects, filled), 0))

    assert checked.complaints == []
    assert checked.events == EVENTS
    assert checked.manifest is not None
    assert len(checked.manifest.segments) == len(filled.segments) - 1
    assert checked.unnamed == []
