"""What was put into the archive, read again: whether it is what was put."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable

from itemstore.archive.archive import Archive
from itemstore.archive.file_reader import FileReader
from itemstore.archive.frames import Frame
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import FileInfo, Manifest, SegmentInfo
from itemstore.archive.segments import damaged, entries_of_frame
from itemstore.domain.positions import key_of
from itemstore.eventlog.past import PastDamaged

PIECE = 4 * 1024 * 1024
"""Bytes of a file that are asked for at once."""


async def entries_in_frame(reader: FileReader, segment: SegmentInfo, frame: Frame) -> list[Placed]:
    """The entries of a frame. Raises PastUnavailable and PastDamaged."""
    text = await reader.text(segment, frame)
    return await asyncio.to_thread(entries_of_frame, segment, frame, text)


async def last_entry(reader: FileReader, segment: SegmentInfo) -> Placed:
    """The last entry of a segment. Raises PastUnavailable and PastDamaged."""
    frames = await reader.directory(segment)
    return (await entries_in_frame(reader, segment, frames[-1]))[-1]


async def first_entry_at(reader: FileReader, manifest: Manifest, position: str) -> Placed:
    """The first entry of the frame that begins at a position.

    Raises PastUnavailable and PastDamaged.
    """
    key = key_of(position)
    for segment in manifest.segments:
        if key_of(segment.first) <= key <= key_of(segment.last):
            for frame in await reader.directory(segment):
                if frame.key[0] == position:
                    return (await entries_in_frame(reader, segment, frame))[0]
    raise PastDamaged(f"No frame of the archive begins at {position}.")


async def content_of(archive: Archive, file: FileInfo) -> bytes:
    """All of a file that is what was put. Raises PastUnavailable and PastDamaged."""
    pieces = await asyncio.gather(
        *(
            archive.objects.get_range(file.name, start, min(PIECE, file.bytes - start))
            for start in range(0, file.bytes, PIECE)
        )
    )
    data = b"".join(pieces)
    found = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
    _check(file, len(data), found)
    return data


class Verified:
    """The files that were found to be what was put, each read once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._names: set[str] = set()

    async def check(self, files: Iterable[FileInfo]) -> None:
        """Reads those that were not read before. Raises PastUnavailable and PastDamaged."""
        for file in files:
            if file.name not in self._names:
                await self._read(file)
                self._names.add(file.name)

    def forget_others(self, files: Iterable[FileInfo]) -> None:
        """Forgets those that are not among these: they have been merged into others."""
        self._names &= {file.name for file in files}

    async def _read(self, file: FileInfo) -> None:
        digest, size = hashlib.sha256(), 0
        while size < file.bytes:
            wanted = min(PIECE, file.bytes - size)
            piece = await self._archive.objects.get_range(file.name, size, wanted)
            if not piece:
                break
            size += len(piece)
            await asyncio.to_thread(digest.update, piece)
        _check(file, size, digest.hexdigest())


def _check(file: FileInfo, size: int, sha256: str) -> None:
    if size != file.bytes:
        raise damaged(file, f"it has {size} bytes, and had {file.bytes}")
    if sha256 != file.sha256:
        raise damaged(file, "its SHA-256 is not that of what was written")
