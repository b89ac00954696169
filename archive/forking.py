"""An archive made of the beginning of another one, which is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from itemstore.archive.archive import Archive
from itemstore.archive.index_merging import merged_index
from itemstore.archive.indexes import runs_of
from itemstore.archive.manifest import (
    INDEXES,
    SEGMENTS,
    FileInfo,
    IndexInfo,
    Manifest,
    SegmentInfo,
    now,
)
from itemstore.archive.objects import ObjectMissing
from itemstore.archive.reading_back import content_of
from itemstore.archive.segments import segment_up_to
from itemstore.domain.positions import key_of

Copied = Callable[[int], None]
"""Is told how many events are copied."""


async def fork(
    source: Archive, target: Archive, first: Manifest, up_to: str, copied: Copied
) -> Manifest:
    """Copies what an archive has up to an event into another, and publishes its first manifest.

    `first` has that one's number and ids, and no files. It can be done again: what is there is not
    copied twice. Raises Outrun where the other one has a manifest by now, PastUnavailable and
    PastDamaged.
    """
    there = {
        each.name: each.bytes
        for folder in (SEGMENTS, INDEXES)
        for each in await target.objects.listed(folder)
    }
    while True:
        manifest = await source.refreshed()
        assert manifest is not None
        copy = _Copy(source, target, up_to, there)
        try:
            await copy.run(manifest, copied)
        except ObjectMissing:  # it was merged into others meanwhile
            newer = await source.refreshed()
            if newer is None or newer.number == manifest.number:
                raise
            continue
        made = replace(
            first, made=now(), segments=tuple(copy.segments), indexes=tuple(copy.indexes)
        )
        await target.publish(made)
        return made


@dataclass(slots=True)
class _Copy:
    """The files that the other archive gets."""

    source: Archive
    target: Archive
    up_to: str
    there: dict[str, int]
    segments: list[SegmentInfo] = field(default_factory=list)
    indexes: list[IndexInfo] = field(default_factory=list)

    async def run(self, manifest: Manifest, copied: Copied) -> None:
        """Copies whole files, and makes anew what goes on after the end."""
        end = key_of(self.up_to)
        for run in runs_of(manifest.indexes):
            if key_of(run[0].last) <= end:
                for index in run:
                    await self._take_over(index)
                self.indexes += run
            elif key_of(run[0].first) <= end:
                async for made in merged_index(self.source, [run], self.up_to):
                    await self._put(made.info, made.data)
                    self.indexes.append(made.info)
        events = 0
        for segment in manifest.segments:
            if key_of(segment.first) > end:
                break
            if key_of(segment.last) <= end:
                await self._take_over(segment)
                self.segments.append(segment)
            else:
                content = await content_of(self.source, segment)
                cut = await asyncio.to_thread(segment_up_to, self.up_to, segment, content)
                await self._put(cut.info, cut.data)
                self.segments.append(cut.info)
            events += self.segments[-1].events
            copied(events)

    async def _take_over(self, file: FileInfo) -> None:
        if self.there.get(file.name) != file.bytes:
            await self._put(file, await content_of(self.source, file))

    async def _put(self, file: FileInfo, content: bytes) -> None:
        await self.target.objects.put_new(file.name, content)
        self.there[file.name] = file.bytes
