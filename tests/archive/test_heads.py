"""Which events the archive has, and of which items: what trimming goes by."""

from __future__ import annotations

import pytest

from itemstore.archive.archive import Archive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.frame_lines import Head, heads_in
from itemstore.archive.heads import Heads
from itemstore.archive.lines import Placed, line_of
from itemstore.domain.positions import key_of
from itemstore.eventlog.past import PastDamaged
from tests.archive.archives import fill, in_parts
from tests.archive.entries import entry

ODD = ("plain", 'quo"te', "back\\slash", "größe", "a\nb", "x" * 300, '"', "\\")
"""Ids whose text in JSON is another one than they are."""


def placed() -> list[Placed]:
    """Events of two collections in turn, and what somebody wrote into a log by hand."""
    found: list[Placed] = [
        (
            "orders" if n % 3 == 0 else "items",
            entry(
                f"{1000 + n // 2}-{n % 2}", ODD[n % 8], 1 + n, b'"\\"subject\\":"' if n % 5 else b""
            ),
        )
        for n in range(3000)
    ]
    found.append(("items", (b"9000-0", [b"no", b'event","subject":"plain'])))
    found.append(("items", entry("9000-1", "last", 1, b"1")))
    return found


def heads_of(collection: str, some: list[Placed], first: str, last: str) -> list[Head]:
    """Those of a collection from a position up to another."""
    return [
        (position, fields[3] if fields[2:3] == [b"item"] else b"")
        for name, (position, fields) in some
        if name == collection and key_of(first) <= key_of(position.decode()) <= key_of(last)
    ]


@pytest.mark.parametrize(
    ("begin_at", "up_to"),
    [
        ({"items": "1000-0", "orders": "1000-0"}, "9000-1"),
        ({"items": "1200-1", "orders": "1700-0"}, "2100-0"),
        ({"orders": "1499-1"}, "1500-1"),
        ({"items": "9000-0"}, "9000-0"),
        ({"items": "9000-1", "never": "1-0"}, "9500-0"),
        ({"items": "0-0"}, "999-0"),
    ],
)
async def test_each_collection_has_its_own_from_where_it_is_asked_for(
    archive: Archive, begin_at: dict[str, str], up_to: str
) -> None:
    """In order, of whatever ids, over several segments."""
    some = placed()
    await fill(archive, in_parts(some, 1100))
    found: dict[str, list[Head]] = {name: [] for name in begin_at}
    async for collection, heads in Heads(archive, FileReader(archive)).between(begin_at, up_to):
        assert heads
        found[collection] += heads
    assert found == {name: heads_of(name, some, begin, up_to) for name, begin in begin_at.items()}


def test_a_frame_that_has_something_else_is_refused() -> None:
    """Nothing is trimmed by it."""
    line = line_of(*entry("1000-0", "a", 1, b"1"), "items")
    with pytest.raises(ValueError, match="1 of 2 lines can be read"):
        heads_in(line + b"\n" + line.replace(b"specversion", b"version") + b"\n", 2)


async def test_a_segment_that_was_altered_ends_it(archive: Archive) -> None:
    """The sentence names it."""
    await fill(archive, in_parts(placed(), 1100))
    manifest = await archive.current()
    assert manifest is not None
    name = manifest.segments[1].name
    content = await archive.objects.get(name)
    await archive.objects.delete(name)
    await archive.objects.put_new(name, content[:50] + b"?" + content[51:])
    with pytest.raises(PastDamaged, match=name):
        async for _ in Heads(archive, FileReader(archive)).between({"items": "1-0"}, "9000-1"):
            pass
