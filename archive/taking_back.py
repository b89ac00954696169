"""After a failover the archive may have what the log has lost: it goes back to where both agree.

What replicates is a prefix: where the log has an event, it has all that the archive has before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import Redis

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.index_merging import merged_index
from itemstore.archive.indexes import runs_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import SEGMENTS, FileInfo, Manifest
from itemstore.archive.merging import put_files
from itemstore.archive.publishing import Publishing
from itemstore.archive.reading_back import content_of, entries_in_frame
from itemstore.archive.segments import segment_up_to
from itemstore.archive.standing import have_events
from itemstore.domain.positions import key_of
from itemstore.eventlog.keys import StoreKeys

_Info = TypeVar("_Info", bound=FileInfo)

TAKEN_BACK = "taken-back/"
"""What the names of files begin with that the archive had and that the log lacks."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log of this moment, as far as the archive can be compared with it."""

    client: Redis
    store: StoreKeys
    border: str

    async def has(self, placed: Placed) -> bool:
        """Whether it has an event, or had it before it was trimmed."""
        collection, entry = placed
        if key_of(entry[0].decode()) <= key_of(self.border):
            return True
        [found] = await have_events(self.client, [(self.store.collection(collection), entry)])
        return found


async def cut_to_common(archive: Archive, publishing: Publishing, log: Log) -> Manifest:
    """The manifest that ends at the last event that the log has too.

    Files with others are kept under another name. Raises NotItsArchive where the log has none of
    them; Outrun, PastUnavailable, PastDamaged, and what the engine raises.
    """
    manifest = await archive.current()
    assert manifest is not None
    last = await _last_in_common(archive, manifest, log)
    segments, straddling = _split(manifest.segments, last)
    indexes, straddling_indexes = _split(manifest.indexes, last)
    for segment in manifest.segments[len(segments) :]:
        content = await content_of(archive, segment)
        name = TAKEN_BACK + segment.name.removeprefix(SEGMENTS)
        await archive.objects.put_new(name, content)
    cut = [
        await asyncio.to_thread(segment_up_to, last, each, await content_of(archive, each))
        for each in straddling
    ]
    for made in cut:
        await archive.objects.put_new(made.info.name, made.data)
    runs = runs_of(straddling_indexes)
    shorter = put_files(archive, merged_index(archive, runs, last)) if runs else None
    again = [] if shorter is None else [info async for info in shorter]

    def changed(newest: Manifest) -> Manifest:
        if newest.number != manifest.number:
            raise Outrun("Another process has published meanwhile.")
        return newest.followed_by(
            [*segments, *(each.info for each in cut)],
            [*indexes, *again],
        )

    return await publishing.publish(changed)


async def _last_in_common(archive: Archive, manifest: Manifest, log: Log) -> str:
    reader = FileReader(archive)
    for segment in reversed(manifest.segments):
        for frame in reversed(await reader.directory(segment)):
            entries = await entries_in_frame(reader, segment, frame)
            if await log.has(entries[0]):
                low, high = 0, len(entries)
                while high - low > 1:
                    middle = (low + high) // 2
                    is_there = await log.has(entries[middle])
                    low, high = (middle, high) if is_there else (low, middle)
                return entries[low][1][0].decode()
    raise NotItsArchive(
        f"The log has none of the events that the archive {archive.place} has, up to "
        f"{manifest.last}: `itemstore restore` makes the store again from the archive; a new store "
        "takes another directory or bucket (ITEMSTORE_ARCHIVE)."
    )


def _split(files: Sequence[_Info], last: str) -> tuple[list[_Info], list[_Info]]:
    """The files that end up to a position, and those that go on after it but begin before."""
    whole = [each for each in files if key_of(each.last) <= key_of(last)]
    straddling = [each for each in files[len(whole) :] if key_of(each.first) <= key_of(last)]
    return whole, straddling
