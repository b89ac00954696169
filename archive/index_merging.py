"""Several indexes made one, so that a look-up asks few files however many segments there are."""

from __future__ import annotations

import asyncio
import heapq
import math
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any

from pydantic_core import from_json

from itemstore.archive.archive import Archive
from itemstore.archive.frames import Frame, FrameDamaged, frames_in, lines_of
from itemstore.archive.indexes import IndexFile, IndexWriter, Run
from itemstore.archive.manifest import IndexInfo
from itemstore.archive.segments import damaged
from itemstore.domain.positions import key_of

FANOUT = 4
"""So many runs of about one size become one. A look-up would ask half as many more with 8."""

SMALLEST = 1000
"""Events of runs that count as of one size, and fewer."""

FILE_BYTES = 32 * 2**20
"""How large a file becomes before the next one of the run is begun."""

READ_BYTES = 2**20
"""Bytes of a file that are read at once."""

STEP = 500
"""Lines that a thread merges before it lets others go on."""

Line = tuple[tuple[str, str, int], list[str]]
"""Whose positions, from which version on; and these."""


def runs_to_merge(runs: Sequence[Run]) -> Sequence[Run]:
    """Neighbours that should be made one, none where there are few enough."""
    levels = [_level(run) for run in runs]
    for level in range(max(levels, default=0) + 1):
        for start, end in _stretches(levels, level):
            if levels[start:end].count(level) >= FANOUT:
                return runs[start:end]
    return ()


async def merged_index(
    archive: Archive, runs: Sequence[Run], up_to: str | None = None
) -> AsyncGenerator[IndexFile]:
    """The files of one run in the place of neighbouring runs, each as soon as it is made.

    What is after the position `up_to` is left out, where there is one. Needs some megabytes of
    memory for each run, and for the file that is made. Raises PastUnavailable and PastDamaged.
    """
    first, last = runs[0][0].first, runs[-1][0].last
    last = last if up_to is None else min(last, up_to, key=key_of)
    sources = [_Source(archive, run) for run in runs]
    writer = IndexWriter(first, last)
    while left := [source for source in sources if await source.has_next()]:
        await asyncio.to_thread(_merge, left, writer, None if up_to is None else key_of(up_to))
        if writer.size >= FILE_BYTES:
            file = await asyncio.to_thread(writer.finish)
            writer = IndexWriter(first, last)
            if file:
                yield file
    if file := await asyncio.to_thread(writer.finish):
        yield file


class _Source:
    """The lines of a run, a few frames of it in memory."""

    def __init__(self, archive: Archive, run: Run) -> None:
        self._frames = _frames(archive, run)
        self._lines: list[list[Any]] = []
        self._at = 0

    async def has_next(self) -> bool:
        """Whether there is another line: then `key` and `take` have it."""
        while self._at == len(self._lines):
            frame = await anext(self._frames, None)
            if frame is None:
                return False
            self._lines, self._at = frame, 0
        return True

    @property
    def is_read(self) -> bool:
        """Whether the next line has to be read first."""
        return self._at == len(self._lines)

    @property
    def key(self) -> tuple[str, str, int]:
        """Whose line is next, and from which version on."""
        collection, item, version, _ = self._lines[self._at]
        return collection, item, version

    def take(self) -> Line:
        """The next line."""
        collection, item, version, positions = self._lines[self._at]
        self._at += 1
        return (collection, item, version), positions


def _merge(sources: Sequence[_Source], writer: IndexWriter, until: tuple[int, int] | None) -> None:
    """Moves the next lines, until a source has to read on, or for a moment."""
    waiting = [(source.key, number) for number, source in enumerate(sources)]
    heapq.heapify(waiting)
    for _ in range(STEP):
        _, number = waiting[0]
        (collection, item, version), positions = sources[number].take()
        if until is not None:
            positions = positions[: bisect_right(positions, until, key=key_of)]
        if positions:
            writer.add((collection, item), version, positions)
        if sources[number].is_read:
            return
        heapq.heapreplace(waiting, (sources[number].key, number))


async def _frames(archive: Archive, run: Run) -> AsyncIterator[list[list[Any]]]:
    """The lines of the frames of a run's files."""
    for file in run:
        place = file.directory
        part = await archive.read(file.name, place.offset, place.length, keep=False)
        try:
            for frames in _together(await asyncio.to_thread(frames_in, part)):
                begin, end = frames[0].place.offset, frames[-1].place
                size = end.offset + end.length - begin
                data = await archive.read(file.name, begin, size, keep=False)
                for frame in frames:
                    start = frame.place.offset - begin
                    packed = data[start : start + frame.place.length]
                    yield await asyncio.to_thread(_lines, file, frame, packed)
        except FrameDamaged as error:
            raise damaged(file, error) from error


def _together(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Frames in parts of the file that are read at once."""
    some: list[Frame] = []
    size = 0
    for frame in frames:
        if some and size + frame.place.length > READ_BYTES:
            yield some
            some, size = [], 0
        some.append(frame)
        size += frame.place.length
    if some:
        yield some


def _lines(file: IndexInfo, frame: Frame, packed: bytes) -> list[list[Any]]:
    text = lines_of(frame, packed)
    try:
        found: list[list[Any]] = from_json(b"[%b]" % text[:-1].replace(b"\n", b","))
    except ValueError as error:
        raise damaged(file, f"the frame at byte {frame.place.offset} has no lines") from error
    return found


def _level(run: Run) -> int:
    events = sum(file.events for file in run)
    return max(0, math.floor(math.log(events / SMALLEST, FANOUT)) + 1) if events else 0


def _stretches(levels: Sequence[int], level: int) -> Iterator[tuple[int, int]]:
    """Where neighbours are of no higher level, the newest first."""
    end = len(levels)
    while end > 0:
        start = end
        while start > 0 and levels[start - 1] <= level:
            start -= 1
        if start < end:
            yield start, end
        end = start - 1
