"""Archives for the tests: filled without an archiver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from itemstore.archive.archive import Archive
from itemstore.archive.index_merging import merged_index, runs_to_merge
from itemstore.archive.indexes import IndexBuilder, IndexFile, Run, runs_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import IndexInfo, Manifest, SegmentInfo
from itemstore.archive.segments import segment_of


async def fill(
    archive: Archive, parts: Iterable[Sequence[Placed]], *, merge: bool = True
) -> Manifest:
    """Adds a segment for each part, with its index; these are merged as they are in a store."""
    manifest = await archive.begin("log")
    segments, indexes = list(manifest.segments), list(manifest.indexes)
    for part in parts:
        segment = segment_of(part)
        await archive.objects.put_new(segment.info.name, segment.data)
        segments.append(segment.info)
        if index := index_of(part):
            await archive.objects.put_new(index.info.name, index.data)
            indexes.append(index.info)
        while merge and (runs := runs_to_merge(runs_of(indexes))):
            indexes = await merged(archive, indexes, runs)
    return await publish(archive, segments, indexes)


async def merged(
    archive: Archive, indexes: Sequence[IndexInfo], runs: Sequence[Run], up_to: str | None = None
) -> list[IndexInfo]:
    """The indexes with one run in the place of neighbouring ones."""
    made: list[IndexInfo] = []
    async for file in merged_index(archive, runs, up_to):
        await archive.objects.put_new(file.info.name, file.data)
        made.append(file.info)
    start = indexes.index(runs[0][0])
    return [*indexes[:start], *made, *indexes[start + sum(map(len, runs)) :]]


async def publish(
    archive: Archive, segments: Sequence[SegmentInfo], indexes: Sequence[IndexInfo]
) -> Manifest:
    """Makes these what the archive has."""
    manifest = (await archive.begin("log")).followed_by(segments, indexes)
    await archive.publish(manifest)
    return manifest


def index_of(entries: Sequence[Placed]) -> IndexFile | None:
    """The index of entries in the order of their positions, None where no item is among them."""
    builder = IndexBuilder()
    builder.add(entries)
    return builder.finish()


def in_parts(placed: Sequence[Placed], size: int) -> list[Sequence[Placed]]:
    """Events for segments of a size."""
    return [placed[start : start + size] for start in range(0, len(placed), size)]
