"""The past as the archive has it: what the log had, from few reads, or an error in words."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.archive import indexes
from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import FileInfo, Manifest
from itemstore.archive.object_store import object_store_of
from itemstore.archive.segments import merged_segment
from itemstore.domain.positions import START
from itemstore.eventlog.past import PastDamaged
from itemstore.eventlog.reader import Part, Within
from tests.archive.archives import fill, in_parts, publish
from tests.archive.entries import entry, history
from tests.eventlog.memory_past import MemoryPast


@pytest.fixture
def archive() -> Archive:
    """An archive in memory, with nothing in it."""
    return new_archive()


def new_archive(of: Archive | None = None) -> Archive:
    """Another one, or the same one as another process has it that has read nothing yet."""
    url = f"memory://{secrets.token_hex(8)}"
    return Archive(of.objects if of else object_store_of(url), cache_bytes=1 << 24)


NAMES = ["a", "ab", "b"]


@st.composite
def logs(draw: st.DrawFn) -> list[Placed]:
    """Events of three items in two collections, small ones and large ones, some deleted."""
    versions: dict[tuple[str, str], int] = {}
    placed: list[Placed] = []
    for number in range(draw(st.integers(1, 40))):
        collection, item = draw(st.sampled_from(["items", "orders"])), draw(st.sampled_from(NAMES))
        version = versions[collection, item] = versions.get((collection, item), 0) + 1
        size = draw(st.sampled_from([0, 5, 5, 50, 400]))
        body = b'"%b"' % (b"x" * size) if size or version == 1 else b""
        placed.append(
            (collection, entry(f"{10 + number // 3}-{number % 3 * 5}", item, version, body))
        )
    return placed


POSITIONS = st.builds(lambda ms, number: f"{ms}-{number}", st.integers(9, 25), st.integers(0, 11))
WITHINS = st.builds(
    Within,
    entries=st.integers(1, 20),
    looked=st.integers(1, 20),
    bytes=st.sampled_from([1, 100, 500, 5000]),
    kind=st.sampled_from(["", "", "ItemUpdated", "ItemDeleted"]),
    prefixes=st.sampled_from([("",), ("a",), ("ab", "b"), ("c",)]),
    item=st.sampled_from([None, None, "a", "ab", "c"]),
)
COLLECTIONS = st.sampled_from([["items"], ["orders"], ["items", "orders"], ["nothing"], []])


@settings(max_examples=80)
@given(logs(), st.integers(1, 40), st.tuples(COLLECTIONS, POSITIONS, POSITIONS), WITHINS, st.data())
def test_all_is_answered_as_from_a_log_in_memory(
    placed: list[Placed],
    size: int,
    asked: tuple[list[str], str, str],
    within: Within,
    data: st.DataObject,
) -> None:
    """Whatever is asked for, of any segments."""
    collections, after, up_to = asked
    memory = MemoryPast(placed)
    last = placed[-1][1][0].decode()
    up_to = min(up_to, last, key=lambda each: [*map(int, each.split("-"))])
    collection, item = (
        data.draw(st.sampled_from(["items", "orders"])),
        data.draw(st.sampled_from(NAMES)),
    )
    version, count = data.draw(st.integers(0, 8)), data.draw(st.integers(0, 12))

    async def check() -> None:
        archive = new_archive()
        await fill(archive, in_parts(placed, size))
        past = ArchivedPast(archive)
        part = await past.part_after(collections, after, up_to, within)
        assert part == await memory.part_after(collections, after, up_to, within)
        assert await past.version_at(collection, item, up_to) == await memory.version_at(
            collection, item, up_to
        )
        found = await past.positions(collection, item, version, count)
        assert found == await memory.positions(collection, item, version, count)
        some = [position for _, (position, _) in placed[::3]]
        assert await past.entries_at(collection, some) == [
            each for of, each in placed[::3] if of == collection
        ]
        assert await past.count(collection, up_to) == await memory.count(collection, up_to)
        assert await past.before_last(collections, count, up_to) == await memory.before_last(
            collections, count, up_to
        )
        parts = [part async for part in past.slices(collections, after, up_to)]
        assert flat(parts) == flat(
            [part async for part in memory.slices(collections, after, up_to)]
        )

    asyncio.run(check())


def flat(parts: Sequence[Part]) -> list[Placed]:
    """All entries of parts, each with its collection."""
    return [each for part in parts for each in zip(part.collections, part.entries, strict=True)]


async def test_all_is_read_step_by_step_across_frames_and_segments(archive: Archive) -> None:
    """By steps, each from where the last one ended, and by slices."""
    placed = history(7000, items=300)
    placed += [
        ("orders", entry(f"{9000 + n}-0", "o", n + 1, b'"%b"' % (b"x" * 300_000))) for n in range(9)
    ]
    await fill(archive, in_parts(placed, 2500))
    past = ArchivedPast(archive)

    read: list[Placed] = []
    after, is_end = START, False
    while not is_end:
        part = await past.part_after(["items", "orders"], after, "9008-0", Within())
        assert part.looked == len(part.entries) <= 256
        assert part.bytes <= 1024 * 1024
        read += flat([part])
        after, is_end = part.position, part.is_end
    assert read == placed

    parts = [part async for part in past.slices(["items", "orders"], START, "9008-0")]
    assert flat(parts) == placed
    assert max(part.bytes for part in parts) < 2.5 * 1024 * 1024
    assert (
        flat([part async for part in past.slices(["orders"], "1500-0", "9004-0")])
        == placed[7000:7005]
    )


async def test_large_bodies_are_given_a_page_at_a_time(archive: Archive) -> None:
    """What comes after the first ones is asked for again."""
    placed = [
        ("items", entry(f"{n + 1}-0", "a", n + 1, b'"%b"' % (b"x" * 2**20))) for n in range(40)
    ]
    await fill(archive, [placed])
    positions = [position for _, (position, _) in placed]

    entries = await ArchivedPast(archive).entries_at("items", positions)

    assert entries == [each for _, each in placed[: len(entries)]]
    assert 8 <= len(entries) <= 24


class Reads:
    """Counts what is read from the objects of an archive."""

    def __init__(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        get_range = archive.objects.get_range

        async def counted(name: str, offset: int, length: int) -> bytes:
            self.names.append(name)
            return await get_range(name, offset, length)

        monkeypatch.setattr(archive.objects, "get_range", counted)


@pytest.mark.parametrize("segments", [10, 1000])
async def test_an_old_version_costs_few_reads_however_many_segments(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, segments: int
) -> None:
    """Of each index the directory and a frame, and the same of one segment; then less."""
    each = 5
    placed = history(segments * each, items=5)
    manifest = await fill(archive, in_parts(placed, each))
    last = manifest.last
    archive = new_archive(archive)
    await archive.refreshed()
    reads = Reads(archive, monkeypatch)

    async def read(number: int, past: ArchivedPast) -> int:
        reads.names.clear()
        version = number // 5 + 1
        [position] = await past.positions("items", f"item {number % 5}", version - 1, 1)
        assert await past.entries_at("items", [position]) == [placed[number][1]]
        return len(reads.names)

    past = ArchivedPast(archive)
    most_runs = 3 * 3
    assert len(manifest.indexes) <= most_runs
    middle = len(placed) // 2
    assert await read(middle, past) == 2 * len(manifest.indexes) + 2
    assert await read(middle, past) == 0
    assert await read(middle // 2, past) <= 2
    assert await read(middle + 1, past) <= 2

    reads.names.clear()
    assert await past.version_at("items", "item 3", last) > 0
    assert reads.names == []


async def test_a_hot_item_costs_few_reads(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines fill many frames: one of them is read, and not all."""
    count = 30_000
    placed = [
        ("items", entry(f"{n * 7919 % 1000 + n * 1000}-0", "hot", n)) for n in range(1, count + 1)
    ]
    await fill(archive, in_parts(placed, 10_000))
    archive = new_archive(archive)
    await archive.refreshed()
    reads = Reads(archive, monkeypatch)
    past = ArchivedPast(archive)

    [position] = await past.positions("items", "hot", 14_999, 1)

    assert position == placed[14_999][1][0]
    assert len(reads.names) == 2 * 3
    reads.names.clear()
    assert await past.version_at("items", "hot", position.decode()) == 15_000
    assert len(reads.names) <= 1
    reads.names.clear()
    assert len(await past.positions("items", "hot", 20_000, 1000)) == 1000
    assert len(reads.names) <= 2


async def test_many_who_look_up_at_once_wait_for_each_other(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each asks for parts of many files, and the archive refuses those for whom it is too many."""
    monkeypatch.setattr(indexes, "FRAME_BYTES", 1)
    placed = history(600, items=30)
    await fill(archive, in_parts(placed, 30), merge=False)
    past = ArchivedPast(new_archive(archive))

    found = await asyncio.gather(
        *(past.positions("items", f"item {n % 30}", n // 30, 1) for n in range(0, 600, 4))
    )

    assert [position for [position] in found] == [each[0] for _, each in placed[::4]]


async def test_a_file_that_was_replaced_is_read_where_its_events_are_now(archive: Archive) -> None:
    """Another process has merged segments, and removed them: no reader notices."""
    placed = history(400)
    manifest = await fill(archive, in_parts(placed, 100))
    reader = new_archive(archive)
    past = ArchivedPast(reader)
    slices = past.slices(["items"], START, manifest.last)
    await reader.refreshed()

    old = [(each, await archive.objects.get(each.name)) for each in manifest.segments]
    one = merged_segment(old)
    await archive.objects.put_new(one.info.name, one.data)
    await publish(archive, [one.info], manifest.indexes)
    for info, _ in old:
        await archive.objects.delete(info.name)

    part = await past.part_after(["items"], "1099-0", manifest.last, Within(entries=2))
    assert flat([part]) == placed[100:102]
    assert await past.entries_at("items", [b"1399-0"]) == [placed[399][1]]
    assert flat([each async for each in slices]) == placed


async def test_what_others_have_archived_since_is_found(archive: Archive) -> None:
    """The manifest that a process knows may be older than the border."""
    placed = history(200)
    await fill(archive, [placed[:100]])
    past = ArchivedPast(new_archive(archive))
    assert len(await past.positions("items", "item 3", 0, 100)) == 10

    await fill(archive, [placed[100:]])

    assert len(await past.positions("items", "item 3", 0, 100)) == 20
    assert await past.count("items", "1199-0") == 200
    assert await past.entries_at("items", [b"1150-0"]) == [placed[150][1]]


async def _all_of(past: ArchivedPast, manifest: Manifest) -> None:
    async with aclosing(past.slices(["items"], START, manifest.last)) as slices:
        async for _ in slices:
            pass


async def _altered(archive: Archive, info: FileInfo, at: int) -> None:
    data = bytearray(await archive.objects.get(info.name))
    data[at] ^= 0x40
    await archive.objects.delete(info.name)
    await archive.objects.put_new(info.name, bytes(data))


@pytest.mark.parametrize("damage", ["missing", "cut", "frame altered", "directory altered"])
async def test_damage_is_an_error_that_names_the_file(archive: Archive, damage: str) -> None:
    """And what the other segments have is read as ever."""
    placed = history(300)
    manifest = await fill(archive, in_parts(placed, 100))
    info = manifest.segments[1]
    data = await archive.objects.get(info.name)
    if damage == "frame altered":
        await _altered(archive, info, 20)
    elif damage == "directory altered":
        await _altered(archive, info, info.directory.offset + 15)
    else:
        await archive.objects.delete(info.name)
    if damage == "cut":
        await archive.objects.put_new(info.name, data[:50])
    past = ArchivedPast(new_archive(archive))

    for asked in (
        past.part_after(["items"], "1100-0", manifest.last, Within()),
        past.entries_at("items", [b"1150-0"]),
        past.count("items", "1150-0"),
        past.before_last(["items"], 120, manifest.last),
        _all_of(past, manifest),
    ):
        with pytest.raises(PastDamaged, match=info.name):
            await asked
    assert await past.entries_at("items", [b"1250-0"]) == [placed[250][1]]
    assert (await past.part_after(["items"], START, "1099-0", Within())).looked == 100


async def test_an_index_that_names_what_no_segment_has_is_damage(archive: Archive) -> None:
    """An item's feed would otherwise leave out a version."""
    placed = history(100)
    manifest = await fill(archive, in_parts(placed, 50))
    await publish(
        archive,
        [manifest.segments[0], replace(manifest.segments[1], first="1060-0")],
        manifest.indexes,
    )
    past = ArchivedPast(archive)

    with pytest.raises(PastDamaged, match="1053-0"):
        await past.part_after(["items"], "1000-0", manifest.last, Within(item="item 3"))


async def test_an_archive_that_ends_before_what_is_asked_for_is_damage(archive: Archive) -> None:
    """Also one that has nothing: the border says that it had."""
    past = ArchivedPast(archive)
    with pytest.raises(PastDamaged, match="no manifest"):
        await past.part_after(["items"], START, "1099-0", Within())

    await fill(archive, [history(100)])

    with pytest.raises(PastDamaged, match="ends at 1099-0"):
        await past.part_after(["items"], START, "1100-0", Within())
