"""All events of an archive in their order, from whole segments that are what was written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import pairwise

from itemstore.archive.archive import Archive
from itemstore.archive.frames import Frame, FrameDamaged, frames_in, lines_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest, SegmentInfo
from itemstore.archive.objects import ObjectMissing
from itemstore.archive.reading_back import content_of
from itemstore.archive.segments import damaged, entries_of_frame
from itemstore.domain.positions import key_of
from itemstore.engine.ahead import replies_to
from itemstore.eventlog.past import PastDamaged

FRAMES = 8
"""Frames that a thread decodes at once: some 8,000 events."""


async def all_events(
    archive: Archive, after: str, up_to: str
) -> AsyncGenerator[list[Placed], None]:
    """The events after a position, up to another, some thousands at a time.

    Where segments are replaced by others meanwhile, it goes on with these. Raises PastUnavailable
    and PastDamaged.
    """
    while True:
        manifest = await archive.refreshed()
        if manifest is None:
            message = f"There is no archive in {archive.place}."
            raise PastDamaged(message)
        try:
            async with aclosing(_events(archive, manifest, after, up_to)) as parts:
                async for entries in parts:
                    yield entries
                    after = entries[-1][1][0].decode()
        except ObjectMissing:
            newer = await archive.refreshed()
            if newer is None or newer.number == manifest.number:
                raise
        else:
            return


async def _events(
    archive: Archive, manifest: Manifest, after: str, up_to: str
) -> AsyncGenerator[list[Placed], None]:
    first, last = key_of(after), key_of(up_to)
    wanted = [
        each
        for each in manifest.segments
        if key_of(each.last) > first and key_of(each.first) <= last
    ]

    async def content(segment: SegmentInfo) -> bytes:
        return await content_of(archive, segment)

    async with aclosing(replies_to(content, wanted)) as segments:
        async for segment, data in segments:
            frames = await asyncio.to_thread(_frames_after, segment, data, after)

            async def decoded(some: Sequence[Frame]) -> list[Placed]:
                return await asyncio.to_thread(_entries, segment, data, some)  # noqa: B023

            async with aclosing(replies_to(decoded, _in_groups(frames))) as groups:
                async for _, entries in groups:
                    inside = _within(entries, first, last)
                    if inside:
                        yield inside


def _in_groups(frames: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
    return (frames[start : start + FRAMES] for start in range(0, len(frames), FRAMES))


def _frames_after(segment: SegmentInfo, data: bytes, after: str) -> list[Frame]:
    """Without those that end before a position."""
    place = segment.directory
    try:
        frames = frames_in(data[place.offset : place.offset + place.length])
    except FrameDamaged as error:
        raise damaged(segment, error) from error
    bound = key_of(after)
    kept = [one for one, other in pairwise(frames) if key_of(other.key[0]) > bound]
    return kept + frames[-1:]


def _entries(segment: SegmentInfo, data: bytes, frames: Sequence[Frame]) -> list[Placed]:
    entries: list[Placed] = []
    for frame in frames:
        packed = data[frame.place.offset : frame.place.offset + frame.place.length]
        try:
            entries += entries_of_frame(segment, frame, lines_of(frame, packed))
        except FrameDamaged as error:
            raise damaged(segment, error) from error
    return entries


def _within(entries: list[Placed], after: tuple[int, int], up_to: tuple[int, int]) -> list[Placed]:
    """Those after one position, up to another."""

    def key(placed: Placed) -> tuple[int, int]:
        return key_of(placed[1][0].decode())

    if key(entries[0]) > after and key(entries[-1]) <= up_to:
        return entries
    return [each for each in entries if after < key(each) <= up_to]
