"""Parts of the archive's files, decompressed: directories and frames, those asked for last kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from itemstore.archive.archive import Archive
from itemstore.archive.caches import ReaderCaches
from itemstore.archive.frames import Directory, Frame, FrameDamaged, frames_in, lines_of
from itemstore.archive.manifest import FileInfo, Place
from itemstore.archive.segments import damaged

AT_ONCE = 32
"""Parts that are asked for at once: what is looked up of one item may be in that many files."""

_Read = TypeVar("_Read")


class FileReader:
    """Reads parts of an archive's files, in threads. All raise PastUnavailable and PastDamaged."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._kept = ReaderCaches() if archive.whole is None else archive.whole.readers
        self._place = archive.place
        self._lane = asyncio.Semaphore(AT_ONCE)

    async def directory(self, file: FileInfo) -> Directory:
        """The directory of a file."""
        found = self._kept.directories.get((self._place, file.name))
        if found is None:
            part = await self._read(file, file.directory)
            found = await self._in_thread(file, lambda: frames_in(part))
            self._kept.directories.put((self._place, file.name), found, len(found))
        return found

    async def text(self, file: FileInfo, frame: Frame) -> bytes:
        """The lines in a frame."""
        place = (self._place, file.name, frame.place.offset)
        found = self._kept.texts.get(place)
        if found is None:
            part = await self._read(file, frame.place)
            found = await self._in_thread(file, lambda: lines_of(frame, part))
            self._kept.texts.put(place, found, len(found))
        return found

    async def _read(self, file: FileInfo, place: Place) -> bytes:
        async with self._lane:
            return await self.archive.read(file.name, place.offset, place.length)

    async def _in_thread(self, file: FileInfo, work: Callable[[], _Read]) -> _Read:
        try:
            return await asyncio.to_thread(work)
        except FrameDamaged as error:
            raise damaged(file, error) from error


async def together(work: Iterable[Coroutine[Any, Any, _Read]]) -> list[_Read]:
    """What each gives, all under way at once; where one fails the others are given up."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
