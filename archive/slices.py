"""Reading all of an archive's events, many at a time, one step ahead of whoever uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from typing import TypeVar

from itemstore.archive.archive import Archive
from itemstore.archive.frames import Frame, FrameDamaged, lines_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import SegmentInfo
from itemstore.archive.segment_reader import Located
from itemstore.archive.segments import damaged, entries_of_frame
from itemstore.domain.positions import key_of
from itemstore.engine.ahead import Ahead
from itemstore.eventlog.reader import ABOUT_BYTES, Part

READ_BYTES = 512 * 1024
"""Bytes of a file that are read at once: a few mebibytes of lines."""

_Thing = TypeVar("_Thing")

Read = tuple[SegmentInfo, list[Frame], bytes]
"""Frames of a segment that follow each other, and the part of the file that they are."""


async def slices(
    archive: Archive,
    frames: AsyncIterator[Located],
    collections: Collection[str],
    after: str,
    up_to: str,
) -> AsyncGenerator[Part, None]:
    """The entries of collections in frames, after a position and up to another.

    About a mebibyte at a time. Raises PastUnavailable and PastDamaged.
    """
    keep = _Range(collections, after, up_to)
    reads = _one_ahead(read_together(archive, frames))
    async with aclosing(_one_ahead(_parts(reads, keep))) as parts:
        async for part in parts:
            yield part


class _Range:
    """Which entries are asked for."""

    def __init__(self, collections: Collection[str], after: str, up_to: str) -> None:
        self._collections = frozenset(collections)
        self._after, self._up_to = key_of(after), key_of(up_to)

    def kept(self, entries: list[Placed], segment: SegmentInfo, frame: Frame) -> list[Placed]:
        """Those of a frame that are."""
        if not frame.lines.keys() <= self._collections:
            entries = [each for each in entries if each[0] in self._collections]
        if key_of(frame.key[0]) > self._after and key_of(segment.last) <= self._up_to:
            return entries
        return [
            each for each in entries if self._after < key_of(each[1][0].decode()) <= self._up_to
        ]


async def read_together(
    archive: Archive, frames: AsyncIterator[Located]
) -> AsyncGenerator[Read, None]:
    """Frames, as many at once as follow each other and are small together."""
    of: SegmentInfo | None = None
    some: list[Frame] = []
    async for segment, frame in frames:
        if some and of is not None and not _go_on(of, some, segment, frame):
            yield await _part(archive, of, some)
            some = []
        of = segment
        some.append(frame)
    if some and of is not None:
        yield await _part(archive, of, some)


def _go_on(of: SegmentInfo, some: Sequence[Frame], segment: SegmentInfo, frame: Frame) -> bool:
    begin, last = some[0].place.offset, some[-1].place
    return (
        segment is of
        and frame.place.offset == last.offset + last.length
        and frame.place.offset + frame.place.length - begin <= READ_BYTES
    )


async def _part(archive: Archive, segment: SegmentInfo, frames: list[Frame]) -> Read:
    begin, last = frames[0].place.offset, frames[-1].place
    length = last.offset + last.length - begin
    return segment, frames, await archive.read(segment.name, begin, length, keep=False)


async def _parts(reads: AsyncGenerator[Read, None], keep: _Range) -> AsyncGenerator[Part, None]:
    """The entries of frames, about a mebibyte together."""
    some: list[Placed] = []
    size = 0
    async with aclosing(reads):
        async for segment, frames, data in reads:
            for frame in frames:
                some += await asyncio.to_thread(_entries, segment, frame, data, frames[0], keep)
                size += frame.raw_bytes
                if size >= ABOUT_BYTES and some:
                    yield _part_of(some)
                    some, size = [], 0
    if some:
        yield _part_of(some)


def text_in(segment: SegmentInfo, frame: Frame, data: bytes, first: Frame) -> bytes:
    """The lines of a frame, in a part of the file that begins with `first`. Raises PastDamaged."""
    start = frame.place.offset - first.place.offset
    try:
        return lines_of(frame, data[start : start + frame.place.length])
    except FrameDamaged as error:
        raise damaged(segment, error) from error


def _entries(
    segment: SegmentInfo, frame: Frame, data: bytes, first: Frame, keep: _Range
) -> list[Placed]:
    text = text_in(segment, frame, data, first)
    return keep.kept(entries_of_frame(segment, frame, text), segment, frame)


def _part_of(some: list[Placed]) -> Part:
    entries = [entry for _, entry in some]
    whose = [collection for collection, _ in some]
    return Part(entries, entries[-1][0].decode(), len(entries), is_end=False, collections=whose)


async def _one_ahead(things: AsyncGenerator[_Thing, None]) -> AsyncGenerator[_Thing, None]:
    """The same things; the next one is made while the caller works on one."""
    async with aclosing(things), aclosing(Ahead[_Thing | None]()) as ahead:
        await ahead.ask(_next(things))
        while (thing := await ahead.reply()) is not None:
            await ahead.ask(_next(things))
            yield thing


async def _next(things: AsyncGenerator[_Thing, None]) -> _Thing | None:
    return await anext(things, None)
