"""Reading a file of the archive through: whether it is what was written, and its contents."""

from __future__ import annotations

import asyncio
import hashlib
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from itemstore.archive.frames import Frame, FrameDamaged, frames_in, lines_of
from itemstore.archive.lines import is_version
from itemstore.archive.manifest import FileInfo, Place, SegmentInfo
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.segments import entries_of_frame
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.past import PastDamaged

AT_ONCE = 4 * 1024 * 1024
"""Bytes of a file that are read at once, unless a frame is larger."""

_NAMES = [b"type", b"item", b"version"]

Progress = Callable[[int], None]
"""Is told how many bytes were read since it was told last."""


@dataclass(slots=True)
class Contents:
    """What is in files: how many events, how many of each collection, and of which versions.

    `versions` is a sum over the events of items that is the same for a segment and for an index
    of these, in whatever order: it tells within one process whether both have the same.
    """

    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    versions: int = 0

    def add(self, other: Contents) -> None:
        """Adds what is in another file."""
        self.events += other.events
        self.counts += other.counts
        self.versions = (self.versions + other.versions) % _SUMS

    def add_version(self, collection: str, item: str, version: int, position: str) -> None:
        """Adds one version of an item."""
        self.versions = (self.versions + hash((collection, item, version, position))) % _SUMS


_SUMS = 2**64


async def contents_of(objects: ObjectStore, info: FileInfo, progress: Progress) -> Contents:
    """What is in a file, a few megabytes at a time, each of them in a thread.

    Raises PastDamaged, whose sentence says what is wrong with it; ObjectMissing; PastUnavailable.
    """
    check = _SegmentCheck(info) if isinstance(info, SegmentInfo) else _IndexCheck(info)
    try:
        place = info.directory
        directory = await objects.get_range(info.name, place.offset, place.length)
        frames = await asyncio.to_thread(_frames, directory)
        async for some, data in _groups(objects, info, frames):
            await asyncio.to_thread(check.add, some, data)
            progress(len(data))
        rest = info.bytes - place.offset
        end = await objects.get_range(info.name, place.offset, rest + 1)
        progress(rest)
        check.end(end)
    except FrameDamaged as error:
        raise PastDamaged(f"{info.name} is damaged: {error}.") from error
    return check.contents


def _frames(directory: bytes) -> list[Frame]:
    try:
        return list(frames_in(directory))
    except (TypeError, ValueError, LookupError) as error:
        if isinstance(error, FrameDamaged):
            raise
        raise FrameDamaged("its directory can't be read") from error


async def _groups(
    objects: ObjectStore, info: FileInfo, frames: Sequence[Frame]
) -> AsyncGenerator[tuple[list[Frame], bytes]]:
    """The frames of a file, some at a time, with the bytes of all of them."""
    for group in _grouped(frames, info.directory.offset):
        offset = group[0].place.offset
        length = sum(frame.place.length for frame in group)
        yield group, await objects.get_range(info.name, offset, length)


def _grouped(frames: Sequence[Frame], end: int) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    offset = begun = 0
    for frame in frames:
        if frame.place.offset != offset:
            break
        if group and offset + frame.place.length - begun > AT_ONCE:
            yield group
            group, begun = [], offset
        group.append(frame)
        offset += frame.place.length
    if group:
        yield group
    if offset != end:
        raise FrameDamaged(f"its directory does not know what is at byte {offset}")


class _FileCheck(ABC):
    """Compares what comes of a file with what the manifest says of it."""

    def __init__(self, info: FileInfo) -> None:
        self._info = info
        self._digest = hashlib.sha256()
        self._raw_bytes = 0
        self.contents = Contents()

    def add(self, frames: Sequence[Frame], data: bytes) -> None:
        """The next frames. Raises FrameDamaged and PastDamaged."""
        self._digest.update(data)
        begun = frames[0].place.offset
        for frame in frames:
            place = Place(frame.place.offset - begun, frame.place.length)
            text = lines_of(frame, data[place.offset : place.offset + place.length])
            self._raw_bytes += len(text)
            self._take(text, frame)

    def end(self, data: bytes) -> None:
        """What comes after the frames, and would come after that. Raises FrameDamaged."""
        self._digest.update(data)
        if self._digest.hexdigest() != self._info.sha256:
            raise FrameDamaged("its SHA-256 is not the one that the manifest says")
        if (self.contents.events, self._raw_bytes) != (self._info.events, self._info.raw_bytes):
            raise FrameDamaged(
                f"it has {self.contents.events} events, and {self._info.events} by the manifest"
            )

    @abstractmethod
    def _take(self, text: bytes, frame: Frame) -> None:
        """Goes on with the lines of a frame. Raises FrameDamaged and PastDamaged."""


class _SegmentCheck(_FileCheck):
    """A segment: its events are in order, from its first position to its last."""

    def __init__(self, info: SegmentInfo) -> None:
        super().__init__(info)
        self._segment = info
        self._last = START

    def _take(self, text: bytes, frame: Frame) -> None:
        contents, last = self.contents, key_of(self._last)
        entries = entries_of_frame(self._segment, frame, text)
        if not contents.events and entries[0][1][0].decode() != self._segment.first:
            raise FrameDamaged("it does not begin with the position that the manifest says")
        for collection, (position, fields) in entries:
            at = position.decode()
            key = key_of(at)
            if key <= last:
                raise FrameDamaged(f"{at} is not after the position before it")
            last = key
            contents.counts[collection] += 1
            if fields[:5:2] == _NAMES and is_version(fields[5]):
                with suppress(UnicodeDecodeError):  # written by hand: no index has it
                    version = int(fields[5])
                    contents.add_version(collection, fields[3].decode(), version, at)
        contents.events += len(entries)
        self._last = entries[-1][1][0].decode()

    def end(self, data: bytes) -> None:
        """Compares the last position and the numbers of each collection too."""
        super().end(data)
        if self._last != self._segment.last or self.contents.counts != self._segment.counts:
            raise FrameDamaged("its last position or its collections are not as the manifest says")


class _IndexCheck(_FileCheck):
    """An index: its lines are in the order of items and versions, with positions of its part."""

    def __init__(self, info: FileInfo) -> None:
        super().__init__(info)
        self._last: tuple[str, str, int] = ("", "", 0)
        self._range = key_of(info.first), key_of(info.last)

    def _take(self, text: bytes, _frame: Frame) -> None:
        first, last = self._range
        for line in text.splitlines():
            try:
                collection, item, version, positions = json.loads(line)
                within = all(first <= key_of(position) <= last for position in positions)
            except (ValueError, TypeError, AttributeError) as error:
                raise FrameDamaged(f"a line can't be read, {line[:60]!r}") from error
            if (collection, item, version) < self._last or not within:
                raise FrameDamaged(f"a line is not in its place, {line[:60]!r}")
            self._last = (collection, item, version)
            self.contents.events += len(positions)
            for number, position in enumerate(positions, version):
                self.contents.add_version(collection, item, number, position)
