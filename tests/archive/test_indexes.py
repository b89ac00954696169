"""Indexes: what a look-up finds is what the events say, however they were merged."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.archive import index_merging, indexes
from itemstore.archive.archive import Archive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.index_lookup import IndexLookup
from itemstore.archive.index_merging import merged_index, runs_to_merge
from itemstore.archive.indexes import runs_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import IndexInfo
from itemstore.archive.object_store import object_store_of
from itemstore.eventlog.past import PastDamaged
from tests.archive.archives import fill, in_parts, index_of, merged, publish
from tests.archive.entries import entry, history
from tests.archive.manifests import index


@pytest.fixture
def archive() -> Archive:
    """An archive in memory, with nothing in it."""
    return new_archive()


def new_archive() -> Archive:
    """Another one."""
    return Archive(object_store_of(f"memory://{secrets.token_hex(8)}"), cache_bytes=1 << 24)


def lookup(archive: Archive) -> IndexLookup:
    """One that has read nothing yet."""
    return IndexLookup(FileReader(archive))


IDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=6) | (
    st.sampled_from(["a", 'a"', "a\\", "a,1", "ä" * 256, "a" * 512, '["items","a",1', "\u2028"])
)
WRITES = st.lists(
    st.tuples(st.sampled_from(["items", "orders"]), st.integers(0, 3)), min_size=1, max_size=60
)


@settings(max_examples=60)
@given(st.lists(IDS, min_size=4, max_size=4, unique=True), WRITES, st.data())
def test_every_version_is_found_by_number_and_by_position(
    ids: list[str], writes: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Of items of any names in two collections, in any segments, however these were merged."""
    positions: dict[tuple[str, str], list[str]] = {}
    placed: list[Placed] = []
    for number, (collection, which) in enumerate(writes):
        of_item = positions.setdefault((collection, ids[which]), [])
        of_item.append(f"{9 + number // 3}-{number % 3}")
        placed.append((collection, entry(of_item[-1], ids[which], len(of_item))))
    size = data.draw(st.integers(1, len(writes)))
    after, limit = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 12))

    async def check() -> None:
        archive = new_archive()
        manifest = await fill(archive, in_parts(placed, size))
        look = lookup(archive)
        for item in [(collection, name) for collection in ("items", "orders") for name in ids]:
            there = positions.get(item, [])
            found = await look.positions(manifest.indexes, item, after, limit)
            assert [each.decode() for each in found] == there[after : after + limit]
            for number in range(len(writes)):
                position = f"{9 + number // 3}-{number % 3}"
                at = sum(indexes_before(each, position) for each in there)
                assert await look.version_at(manifest.indexes, item, position) == at

    asyncio.run(check())


def indexes_before(one: str, other: str) -> bool:
    """Whether a position is not after another; all have few digits."""
    return tuple(map(int, one.split("-"))) <= tuple(map(int, other.split("-")))


async def test_an_item_of_many_versions_among_others_is_found(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines fill frames of their own, and files of their own too."""
    monkeypatch.setattr(index_merging, "FILE_BYTES", 3000)
    monkeypatch.setattr(indexes, "FRAME_BYTES", 20_000)
    placed = history(2000, items=1000)
    placed += [
        ("items", entry(f"{9000 + n // 7}-{n % 7}", "item 500", n + 3)) for n in range(20_000)
    ]
    manifest = await fill(archive, in_parts(placed, 4000), merge=False)

    found = await merged(archive, manifest.indexes, runs_of(manifest.indexes))
    manifest = await publish(archive, manifest.segments, found)

    assert len(found) > 3
    assert len(runs_of(found)) == 1
    assert sum(each.events for each in found) == len(placed)
    assert any(each.first_item == each.last_item for each in found)
    look = lookup(archive)
    at = await look.positions(found, ("items", "item 500"), 0, 30_000)
    assert at == [position for _, (position, fields) in placed if fields[3] == b"item 500"]
    assert await look.positions(found, ("items", "item 500"), 12_344, 2) == at[12_344:12_346]
    assert await look.positions(found, ("items", "item 500"), 20_002, 2) == []
    for version in (1, 2, 3, 999, 1000, 1001, 12_345, 20_001, 20_002):
        position = at[version - 1].decode()
        assert await look.version_at(found, ("items", "item 500"), position) == version
    assert await look.positions(found, ("items", "item 501"), 0, 9) == [b"1501-0", b"2501-0"]
    assert await look.version_at(found, ("items", "item 499"), "99999-0") == 2


async def test_an_index_is_cut_at_a_position(archive: Archive) -> None:
    """When the log has lost what the archive has: no later event is in it any more."""
    placed = history(100, items=7)
    manifest = await fill(archive, in_parts(placed, 30), merge=False)
    last = runs_of(manifest.indexes)[1:3]

    found = await merged(archive, manifest.indexes[:3], last, up_to="1059-0")

    assert (found[-1].last, found[-1].events) == ("1059-0", 30)
    look = lookup(archive)
    for number in range(7):
        there = [
            position for _, (position, fields) in placed[:60] if fields[3] == b"item %d" % number
        ]
        assert await look.positions(found, ("items", f"item {number}"), 0, 100) == there


def test_entries_that_are_no_events_are_in_no_index() -> None:
    """They are in the segment all the same."""
    odd: Placed = ("items", (b"5-0", [b"a", b"b"]))
    not_utf8: Placed = (
        "items",
        (b"6-0", [*entry("6-0", "a", 1)[1][:3], b"\xff", *entry("6-0", "a", 1)[1][4:]]),
    )

    assert index_of([odd, not_utf8]) is None


@pytest.mark.parametrize("segments", [10, 1000, 5000])
def test_there_are_few_runs_however_many_segments(segments: int) -> None:
    """Merged as they come, all of one size."""
    infos: list[IndexInfo] = []
    moved = 0
    for number in range(segments):
        infos.append(index(1000 * number, 1000 * number + 999))
        while runs := runs_to_merge(runs_of(infos)):
            files = [file for run in runs for file in run]
            one = index(int(files[0].first[:-2]), int(files[-1].last[:-2]))
            infos[-len(files) :] = [one]
            moved += one.events
    assert len(infos) <= 3 * 7
    assert moved <= 1000 * segments * 7


async def test_a_damaged_index_is_named(archive: Archive) -> None:
    """One byte of it is enough."""
    manifest = await fill(archive, [history(100)])
    [info] = manifest.indexes
    data = bytearray(await archive.objects.get(info.name))
    data[40] ^= 1
    await archive.objects.delete(info.name)
    await archive.objects.put_new(info.name, bytes(data))

    with pytest.raises(PastDamaged, match=info.name):
        await lookup(archive).positions(manifest.indexes, ("items", "item 1"), 0, 9)
    with pytest.raises(PastDamaged, match=info.name):
        [each async for each in merged_index(archive, runs_of(manifest.indexes))]
