"""Segments: read by others' programs, and whole or found damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import pyzstd

from itemstore.archive.frames import Directory, frames_in, lines_of
from itemstore.archive.lines import Placed, line_of
from itemstore.archive.manifest import Place
from itemstore.archive.segments import (
    SegmentFile,
    SegmentWriter,
    entries_of,
    merged_segment,
    segment_of,
)
from itemstore.eventlog.past import PastDamaged
from tests.archive.entries import entry, history


def lines(placed: list[Placed]) -> bytes:
    """The lines of entries, each with its end."""
    return b"".join(line_of(*each, collection) + b"\n" for collection, each in placed)


def entries(segment: SegmentFile) -> list[Placed]:
    """All that is in a segment."""
    return [each for some in entries_of(segment.info, segment.data) for each in some]


def frames(segment: SegmentFile) -> Directory:
    """What its directory says."""
    return frames_in(_part(segment.data, segment.info.directory))


def _part(data: bytes, place: Place) -> bytes:
    return data[place.offset : place.offset + place.length]


@pytest.fixture
def placed() -> list[Placed]:
    """Some thousands of events of two collections, small ones and large ones."""
    some = history(2500)
    some += [
        ("orders", entry(f"{4000 + n}-7", "größe", n + 1, b'"%b"' % (b"y" * 100_000)))
        for n in range(5)
    ]
    some += [("items", entry("5000-0", "large", 1, b'"%b"' % (b"z" * 2**20)))]
    return [*some, ("items", entry("5001-0", "large", 2, b""))]


def test_a_segment_says_what_is_in_it(placed: list[Placed]) -> None:
    """What a manifest says of it, and its own directory."""
    made = segment_of(placed)

    info = made.info
    assert (info.first, info.last, info.events) == ("1000-0", "5001-0", len(placed))
    assert info.counts == {"items": 2502, "orders": 5}
    assert info.name.startswith("segments/1000-0_5001-0_")
    assert info.bytes == len(made.data)
    assert info.raw_bytes == len(lines(placed))
    assert info.sha256 == hashlib.sha256(made.data).hexdigest()
    assert entries(made) == placed

    first, *_, last = frames(made)
    assert first.key == ["1000-0"]
    assert first.lines == {"items": 1000}
    assert last.key == ["5001-0"]
    for frame in frames(made):
        text = lines_of(frame, _part(made.data, frame.place))
        assert len(text) == frame.raw_bytes
        assert sum(frame.lines.values()) == text.count(b"\n") <= 1000
        assert len(text) <= 256 * 1024 or text.count(b"\n") == 1


@pytest.mark.skipif(shutil.which("zstdcat") is None, reason="zstdcat is not installed")
def test_zstdcat_gives_the_lines(placed: list[Placed], tmp_path: Path) -> None:
    """The frames alone: the directory and the seek table are passed over."""
    made = segment_of(placed)
    file = tmp_path / "segment.jsonl.zst"
    file.write_bytes(made.data)

    done = subprocess.run(["zstdcat", file], stdout=subprocess.PIPE, check=True)

    assert done.stdout == lines(placed)


def test_the_seekable_format_gives_any_part(placed: list[Placed], tmp_path: Path) -> None:
    """Without decompressing what comes before."""
    file = tmp_path / "segment.jsonl.zst"
    file.write_bytes(segment_of(placed).data)
    text = lines(placed)

    with pyzstd.SeekableZstdFile(str(file)) as opened:
        assert opened.seek(0, 2) == len(text)
        opened.seek(300_000)
        assert opened.read(500) == text[300_000:300_500]
        opened.seek(0)
        assert opened.read() == text


def test_duckdb_reads_it(placed: list[Placed], tmp_path: Path) -> None:
    """As a table, without a step between."""
    file = tmp_path / "segment.jsonl.zst"
    file.write_bytes(segment_of(history(3000)).data)

    with duckdb.connect() as db:
        found = db.execute(
            "SELECT count(*), max(itemversion), count(DISTINCT subject), sum(data.n) "
            "FROM read_json(?, format = 'newline_delimited')",
            [str(file)],
        ).fetchall()

    assert found == [(3000, 300, 10, sum(range(3000)))]


def test_several_become_one(placed: list[Placed]) -> None:
    """The same as if it had been made at once; frames that are large already stay as they are."""
    small = [segment_of(placed[start : start + 70]) for start in range(0, len(placed), 70)]

    merged = merged_segment([(each.info, each.data) for each in small])

    made = segment_of(placed)
    assert entries(merged) == placed
    assert pyzstd.decompress(merged.data) == pyzstd.decompress(made.data)
    told = replace(made.info, name="", bytes=0, sha256="", directory=Place(0, 0))
    assert replace(merged.info, name="", bytes=0, sha256="", directory=Place(0, 0)) == told
    assert len(frames(merged)) <= 2 * len(frames(made))


def test_of_small_events_it_is_to_the_byte_what_it_would_be_if_it_had_been_made_at_once() -> None:
    """None of their frames is large."""
    placed = history(2500)
    small = [segment_of(placed[start : start + 70]) for start in range(0, len(placed), 70)]

    merged = merged_segment([(each.info, each.data) for each in small])

    assert merged.data == segment_of(placed).data


def test_adding_in_parts_makes_no_difference(placed: list[Placed]) -> None:
    """A thread adds some, and lets others run."""
    writer = SegmentWriter()
    for start in range(0, len(placed), 250):
        writer.add(placed[start : start + 250])
        assert writer.events == min(start + 250, len(placed))

    assert writer.finish().data == segment_of(placed).data


def test_a_segment_that_was_altered_or_cut_is_found_out() -> None:
    """At any byte of frames or directory: nothing else is ever read from it."""
    placed = history(1200)
    made = segment_of(placed)
    end = made.info.directory.offset + made.info.directory.length
    for at in range(0, end, 97):
        altered = bytearray(made.data)
        altered[at] ^= 0x10
        try:
            read = entries(SegmentFile(bytes(altered), made.info))
        except PastDamaged as error:
            assert made.info.name in str(error)  # noqa: PT017 - some bytes mean nothing
        else:
            assert read == placed
    for cut in (0, 1, 500, end // 2, end - 1):
        with pytest.raises(PastDamaged, match=made.info.name):
            entries(SegmentFile(made.data[:cut], made.info))


def test_a_frame_of_another_file_in_its_place_is_found_out() -> None:
    """Whole frames with right checksums, of other events."""
    made, other = segment_of(history(50)), segment_of(history(50, first=50))
    swapped = SegmentFile(
        other.data[: other.info.directory.offset] + made.data[made.info.directory.offset :],
        made.info,
    )

    with pytest.raises(PastDamaged, match=made.info.name):
        entries(swapped)


def test_every_line_is_json(placed: list[Placed]) -> None:
    """For programs that read lines one by one."""
    for line in pyzstd.decompress(segment_of(placed).data).splitlines():
        assert json.loads(line)["specversion"] == "1.0"
