"""Which events the archive has, and of which items they are: without their bodies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from itemstore.archive.archive import Archive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.frame_lines import Head, heads_in
from itemstore.archive.frames import Frame
from itemstore.archive.manifest import SegmentInfo
from itemstore.archive.segment_reader import SegmentReader
from itemstore.archive.segments import damaged
from itemstore.archive.slices import read_together, text_in
from itemstore.domain.positions import LARGEST, key_of, position_at


class Heads:
    """Reads the frames of an archive for them."""

    def __init__(self, archive: Archive, files: FileReader) -> None:
        self._archive = archive
        self._segments = SegmentReader(files)

    async def between(
        self, begin_at: Mapping[str, str], up_to: str
    ) -> AsyncGenerator[tuple[str, list[Head]]]:
        """Those of each collection from a position of its own on, up to another.

        Those of one collection in one frame at a time. Raises PastUnavailable and PastDamaged.
        """
        manifest = await self._archive.current()
        if manifest is None:
            return
        after = _before(min(begin_at.values(), key=key_of))
        frames = self._segments.frames(manifest, begin_at, after, up_to)
        async with aclosing(read_together(self._archive, frames)) as reads:
            async for segment, some, data in reads:
                for frame in some:
                    found = await asyncio.to_thread(_heads, segment, frame, data, some[0])
                    for collection, heads in found.items():
                        begin = begin_at.get(collection)
                        inside = [] if begin is None else _within(heads, begin, up_to)
                        if inside:
                            yield collection, inside


def _heads(segment: SegmentInfo, frame: Frame, data: bytes, first: Frame) -> dict[str, list[Head]]:
    try:
        return heads_in(text_in(segment, frame, data, first), sum(frame.lines.values()))
    except ValueError as error:
        raise damaged(segment, f"the frame at byte {frame.place.offset}: {error}") from error


def _within(heads: list[Head], begin: str, up_to: str) -> list[Head]:
    first, last = key_of(begin), key_of(up_to)
    if _key(heads[0]) >= first and _key(heads[-1]) <= last:
        return heads
    return [head for head in heads if first <= _key(head) <= last]


def _key(head: Head) -> tuple[int, int]:
    return key_of(head[0].decode())


def _before(position: str) -> str:
    """The position before another."""
    milliseconds, number = key_of(position)
    if number:
        return position_at(milliseconds, number - 1)
    return position_at(milliseconds - 1, LARGEST) if milliseconds else position
