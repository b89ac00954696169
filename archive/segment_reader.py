"""Reading the events of an archive in the order of their positions."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from itemstore.archive.file_reader import FileReader, together
from itemstore.archive.frame_lines import line_at, positions_in
from itemstore.archive.frames import Directory, Frame
from itemstore.archive.manifest import Manifest, SegmentInfo
from itemstore.archive.part_builder import PartBuilder
from itemstore.archive.segments import damaged
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.past import PastDamaged
from itemstore.eventlog.reader import PAGE_BYTES, Entry, Part, Within, size_of

AT_ONCE = 16
"""Positions whose entries are read at once."""

Located = tuple[SegmentInfo, Frame]
"""A frame, and the segment that it is in."""


class SegmentReader:
    """Reads the frames that have what is asked for. All raise PastUnavailable and PastDamaged."""

    def __init__(self, files: FileReader) -> None:
        self._files = files

    async def part_after(
        self, manifest: Manifest, collections: Sequence[str], after: str, up_to: str, within: Within
    ) -> Part:
        """The next entries of collections after a position."""
        builder = PartBuilder(after, within)
        async for segment, frame in self.frames(manifest, collections, after, up_to):
            text = await self._files.text(segment, frame)
            try:
                await asyncio.to_thread(builder.look_into, text, collections, up_to)
            except ValueError as error:
                raise _without_entries(segment, frame) from error
            if builder.is_full:
                break
        return builder.part(up_to)

    async def frames(
        self, manifest: Manifest, collections: Collection[str], after: str, up_to: str
    ) -> AsyncIterator[Located]:
        """The frames that have entries of collections after a position and up to another."""
        segments = manifest.segments
        begin, end = key_of(after), key_of(up_to)
        # One that ends at `after` has nothing more.
        number = bisect_left(segments, (begin[0], begin[1] + 1), key=_last)
        while number < len(segments) and key_of(segments[number].first) <= end:
            segment = segments[number]
            number += 1
            if segment.counts.keys().isdisjoint(collections):
                continue
            directory = await self._files.directory(segment)
            for row in range(directory.at(begin, _position), len(directory)):
                frame = directory[row]
                if _position(frame.key) > end:
                    break
                if not frame.lines.keys().isdisjoint(collections):
                    yield segment, frame

    async def entries_at(
        self, manifest: Manifest, collection: str, positions: Sequence[bytes]
    ) -> list[Entry]:
        """The entries at positions, those that are there, until they make a page."""
        entries: list[Entry] = []
        for start in range(0, len(positions), AT_ONCE):
            entries += await self._some_at(manifest, collection, positions[start : start + AT_ONCE])
            if size_of(entries) >= PAGE_BYTES:
                break
        return entries

    async def count(self, manifest: Manifest, collections: Collection[str], up_to: str) -> int:
        """How many events of collections there are up to a position."""
        end = key_of(up_to)
        whole = bisect_left(manifest.segments, (end[0], end[1] + 1), key=_last)
        found = sum(_of(segment.counts, collections) for segment in manifest.segments[:whole])
        if whole < len(manifest.segments) and key_of(manifest.segments[whole].first) <= end:
            segment = manifest.segments[whole]
            directory, last = await self._frames_to(segment, end)
            found += sum(_of(frame.lines, collections) for frame in directory[:last])
            found += len(await self._positions(segment, directory[last], collections, up_to))
        return found

    async def before_last(
        self, manifest: Manifest, collections: Collection[str], count: int, up_to: str
    ) -> str:
        """The position of the event before the last `count` up to a position, or START."""
        left, end = count + 1, key_of(up_to)
        for segment in reversed(manifest.segments):
            is_whole = key_of(segment.last) <= end
            if key_of(segment.first) > end:
                continue
            if is_whole and _of(segment.counts, collections) < left:
                left -= _of(segment.counts, collections)
                continue
            directory, last = await self._frames_to(segment, end)
            for number in range(last, -1, -1):
                frame = directory[number]
                if (is_whole or number < last) and _of(frame.lines, collections) < left:
                    left -= _of(frame.lines, collections)
                    continue
                found = await self._positions(segment, frame, collections, up_to)
                if len(found) >= left:
                    return found[-left]
                left -= len(found)
        return START

    async def _some_at(
        self, manifest: Manifest, collection: str, positions: Sequence[bytes]
    ) -> list[Entry]:
        located = await together(self._located(manifest, each) for each in positions)
        frames = {_place(each): each for each in located if each}
        texts = await together(self._files.text(*each) for each in frames.values())
        text_at = dict(zip(frames, texts, strict=True))
        entries: list[Entry] = []
        for position, each in zip(positions, located, strict=True):
            if each is not None:
                entries += _entry_in(text_at[_place(each)], each, collection, position)
        return entries

    async def _located(self, manifest: Manifest, position: bytes) -> Located | None:
        """The frame that a position would be in."""
        key = key_of(position.decode())
        number = bisect_left(manifest.segments, key, key=_last)
        if number == len(manifest.segments) or key < key_of(manifest.segments[number].first):
            return None
        segment = manifest.segments[number]
        directory = await self._files.directory(segment)
        return segment, directory[directory.at(key, _position)]

    async def _frames_to(self, segment: SegmentInfo, end: tuple[int, int]) -> tuple[Directory, int]:
        """The frames of a segment, and the number of the one that a position would be in."""
        directory = await self._files.directory(segment)
        return directory, directory.at(end, _position)

    async def _positions(
        self, segment: SegmentInfo, frame: Frame, collections: Collection[str], up_to: str
    ) -> list[str]:
        text = await self._files.text(segment, frame)
        try:
            return await asyncio.to_thread(positions_in, text, collections, up_to)
        except ValueError as error:
            raise _without_entries(segment, frame) from error


def _entry_in(text: bytes, located: Located, collection: str, position: bytes) -> list[Entry]:
    try:
        line = line_at(text, position)
        if line is None or line.collection != collection:
            return []
        return [line.entry(text)[1]]
    except ValueError as error:
        raise _without_entries(*located) from error


def _place(located: Located) -> tuple[str, int]:
    segment, frame = located
    return segment.name, frame.place.offset


def _last(segment: SegmentInfo) -> tuple[int, int]:
    return key_of(segment.last)


def _position(key: Sequence[str]) -> tuple[int, int]:
    return key_of(key[0])


def _of(counts: Mapping[str, int], collections: Collection[str]) -> int:
    return sum(counts.get(each, 0) for each in collections)


def _without_entries(segment: SegmentInfo, frame: Frame) -> PastDamaged:
    return damaged(segment, f"the frame at byte {frame.place.offset} has no entries")
