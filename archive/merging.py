"""Merging small files of the archive into larger ones, so that there are few of them.

Segments that stand together and are about as large become one. So an event is written again about
once for each tenfold of what there is, up to a full segment. Indexes have levels of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.index_merging import merged_index, runs_to_merge
from itemstore.archive.indexes import IndexFile, runs_of
from itemstore.archive.manifest import FileInfo, IndexInfo, SegmentInfo
from itemstore.archive.publishing import Publishing
from itemstore.archive.reading_back import content_of
from itemstore.archive.segments import merged_segment
from itemstore.engine.cancellation import heed_cancellation

_Info = TypeVar("_Info", bound=FileInfo)

TOGETHER = 10
"""So many small segments become one."""

MANY = 50
"""More segments than that, which are not full, are merged although their sizes are mixed."""

MOST_EVENTS = 1_000_000
MOST_BYTES = 64 * 1024 * 1024
"""How large a segment may become. One that has half of that stays as it is."""


def to_merge(segments: Sequence[SegmentInfo]) -> Sequence[SegmentInfo]:
    """Segments next to each other that should become one; none where there are few enough.

    As many of one size as become one, with smaller ones between them; where there are MANY small
    ones whose sizes are mixed, any of them.
    """
    levels = sorted({_level(each) for each in segments})
    are_many = sum(not _is_full([each]) for each in segments) > MANY
    for any_size in (False, True) if are_many else (False,):
        for level in levels:
            for run in _runs(segments, level):
                if some := _worth_it(run, level, any_size=any_size):
                    return some
    return ()


def _worth_it(run: Sequence[SegmentInfo], level: int, *, any_size: bool) -> Sequence[SegmentInfo]:
    """Neighbours that are enough, or become a full one; and none of them is most of it all."""
    counting = [n for n, each in enumerate(run) if any_size or _level(each) == level]
    for number, start in enumerate(counting):
        is_enough = number + TOGETHER <= len(counting)
        end = counting[number + TOGETHER - 1] + 1 if is_enough else len(run)
        some = _fitting(run[start:end])
        if len(some) > 1 and (_is_full(some) or (is_enough and len(some) == end - start)):
            largest = max(each.events for each in some)
            if 2 * largest <= sum(each.events for each in some):
                return some
    return ()


def replaced(files: Sequence[_Info], merged: Sequence[_Info], by: Sequence[_Info]) -> list[_Info]:
    """The files with others in place of those that these were made of. Raises Outrun if gone."""
    names = [each.name for each in files]
    wanted = [each.name for each in merged]
    first = names.index(wanted[0]) if wanted[0] in names else len(names)
    if names[first : first + len(wanted)] != wanted:
        raise Outrun("Another process has merged the same files.")
    return [*files[:first], *by, *files[first + len(wanted) :]]


def _level(segment: SegmentInfo) -> int:
    """How many times segments of one event would have to be merged to be as large."""
    level, events = 0, segment.events
    while events >= TOGETHER:
        events //= TOGETHER
        level += 1
    return level


def _is_full(segments: Sequence[SegmentInfo]) -> bool:
    """Whether they are half of what a segment may be."""
    events = sum(each.events for each in segments)
    return 2 * events >= MOST_EVENTS or 2 * sum(each.bytes for each in segments) >= MOST_BYTES


def _runs(segments: Sequence[SegmentInfo], level: int) -> Iterator[list[SegmentInfo]]:
    """Segments next to each other of at most this level that are not full."""
    run: list[SegmentInfo] = []
    for each in segments:
        if _level(each) <= level and not _is_full([each]):
            run.append(each)
            continue
        yield run
        run = []
    yield run


def _fitting(segments: Sequence[SegmentInfo]) -> Sequence[SegmentInfo]:
    """As many of the first ones as a segment may be large."""
    events = size = 0
    for number, each in enumerate(segments):
        events, size = events + each.events, size + each.bytes
        if events > MOST_EVENTS or size > MOST_BYTES:
            return segments[:number]
    return segments


class Merging:
    """Merges the files of an archive, a few at a time."""

    def __init__(self, archive: Archive, publishing: Publishing) -> None:
        self._archive = archive
        self._publishing = publishing

    async def step(self) -> None:
        """Merges until there are few enough.

        Raises Outrun, PastUnavailable and PastDamaged: then nothing was published.
        """
        while await self._merge_segments() or await self._merge_indexes():
            heed_cancellation()

    async def _merge_segments(self) -> bool:
        manifest = await self._archive.current()
        some = to_merge(manifest.segments) if manifest else ()
        if not some:
            return False
        by = await segments_as_one(self._archive, some)
        await self._publishing.publish(
            lambda newest: newest.followed_by(replaced(newest.segments, some, [by]), newest.indexes)
        )
        return True

    async def _merge_indexes(self) -> bool:
        manifest = await self._archive.current()
        some = [
            file
            for run in runs_to_merge(runs_of(manifest.indexes) if manifest else ())
            for file in run
        ]
        if not some:
            return False
        by = await indexes_as_one(self._archive, some)
        await self._publishing.publish(
            lambda newest: newest.followed_by(newest.segments, replaced(newest.indexes, some, by))
        )
        return True


async def segments_as_one(archive: Archive, segments: Sequence[SegmentInfo]) -> SegmentInfo:
    """Puts a segment with the events of several. Raises PastUnavailable and PastDamaged."""
    contents = [(each, await content_of(archive, each)) for each in segments]
    made = await asyncio.to_thread(merged_segment, contents)
    await archive.objects.put_new(made.info.name, made.data)
    return made.info


async def indexes_as_one(archive: Archive, indexes: Sequence[IndexInfo]) -> list[IndexInfo]:
    """Puts the files of a run that is made of several. Raises PastUnavailable and PastDamaged."""
    return [file async for file in put_files(archive, merged_index(archive, runs_of(indexes)))]


async def put_files(
    archive: Archive, files: AsyncGenerator[IndexFile]
) -> AsyncGenerator[IndexInfo]:
    """Puts files as soon as they are made, and says what a manifest has of each."""
    async with aclosing(files):
        async for file in files:
            await archive.objects.put_new(file.info.name, file.data)
            yield file.info
