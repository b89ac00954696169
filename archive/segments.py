"""Segments: files of events, each a part of the log from one position to another."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from itemstore.archive.frames import (
    RAW_BYTES,
    Frame,
    FrameDamaged,
    FrameWriter,
    frames_in,
    lines_of,
)
from itemstore.archive.giving_way import give_way
from itemstore.archive.lines import Placed, entries_in, line_of, partition_in_id
from itemstore.archive.manifest import SEGMENTS, SUFFIX, FileInfo, Place, SegmentInfo
from itemstore.domain.positions import key_of
from itemstore.eventlog.past import PastDamaged

FRAME_EVENTS = 1000
"""Most events in a frame."""


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment that was made: its content, and what a manifest says of it."""

    data: bytes
    info: SegmentInfo


class SegmentWriter:
    """Makes a segment of entries in the order of their positions, in memory.

    It compresses a frame at a time, without holding Python's lock; what it does between takes a
    few microseconds for each event. So a thread should add a few hundred of them at once.
    `partition` is the number of the one that the entries are of, None in a store that has one.
    """

    def __init__(self, partition: int | None = None) -> None:
        self._partition = partition_in_id(partition)
        self._frames = FrameWriter()
        self._lines: list[bytes] = []
        self._raw_bytes = 0
        self._collections: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._first = self._last = b""
        self._first_of_frame = b""

    @property
    def events(self) -> int:
        """How many events there are in it."""
        return self._counts.total() + len(self._lines)

    def add(self, entries: Iterable[Placed]) -> None:
        """Adds entries, each with its collection."""
        for collection, (position, fields) in entries:
            line = line_of(position, fields, collection, self._partition)
            self.add_line(position, collection, line)

    def add_frame(self, frame: Frame, packed: bytes, last: bytes) -> None:
        """Adds a frame of another segment as it is, with the position of its last entry."""
        self._end_frame()
        self._frames.add_packed(frame, packed)
        self._counts.update(frame.lines)
        self._first = self._first or frame.key[0].encode()
        self._last = last

    def add_line(self, position: bytes, collection: str, line: bytes) -> None:
        """Adds the line of an entry."""
        size = len(line) + 1
        if self._lines and (self._raw_bytes + size > RAW_BYTES or len(self._lines) == FRAME_EVENTS):
            self._end_frame()
        if not self._lines:
            self._first_of_frame = position
        self._first = self._first or position
        self._last = position
        self._lines.append(line)
        self._raw_bytes += size
        self._collections[collection] += 1

    def finish(self) -> SegmentFile:
        """The segment, which has at least one event."""
        self._end_frame()
        file = self._frames.finish()
        first, last = self._first.decode(), self._last.decode()
        info = SegmentInfo(
            name=f"{SEGMENTS}{first}_{last}_{secrets.token_hex(4)}{SUFFIX}",
            first=first,
            last=last,
            events=self._counts.total(),
            bytes=len(file.data),
            raw_bytes=file.raw_bytes,
            sha256=file.sha256,
            directory=file.directory,
            counts=dict(self._counts),
        )
        return SegmentFile(file.data, info)

    def _end_frame(self) -> None:
        if not self._lines:
            return
        self._lines.append(b"")
        text = b"\n".join(self._lines)
        self._frames.add(text, [self._first_of_frame.decode()], dict(self._collections))
        self._counts += self._collections
        self._lines, self._raw_bytes = [], 0
        self._collections.clear()


def segment_of(entries: Iterable[Placed], partition: int | None = None) -> SegmentFile:
    """A segment of entries in the order of their positions, at least one of them."""
    writer = SegmentWriter(partition)
    writer.add(entries)
    return writer.finish()


def segment_up_to(position: str, info: SegmentInfo, data: bytes) -> SegmentFile:
    """The events of a segment up to a position, at least one. Raises PastDamaged."""
    end, writer = key_of(position), SegmentWriter()
    for _, text in _texts(info, data):
        for line in text.splitlines():
            at, collection = _head_of(line)
            if key_of(at.decode()) > end:
                return writer.finish()
            writer.add_line(at, collection, line)
    return writer.finish()


def merged_segment(segments: Sequence[tuple[SegmentInfo, bytes]]) -> SegmentFile:
    """One segment of several, each with its content, in their order. Raises PastDamaged."""
    writer = SegmentWriter()
    for info, data in segments:
        for frame, text in _texts(info, data):
            give_way()
            if _is_large(frame):
                last = text[:-1].rpartition(b"\n")[2]
                writer.add_frame(frame, _part(data, frame.place), _head_of(last)[0])
                continue
            for line in text.splitlines():
                writer.add_line(*_head_of(line), line)
    return writer.finish()


def _is_large(frame: Frame) -> bool:
    """Whether it is not worth while to make a larger one of it and of its neighbours."""
    return 2 * frame.raw_bytes >= RAW_BYTES or 2 * sum(frame.lines.values()) >= FRAME_EVENTS


def _head_of(line: bytes) -> tuple[bytes, str]:
    """The position and the collection: every line has these in their places, and no escapes."""
    *_, event, _, _, _, source, _ = line.split(b'"', 12)
    return event.partition(b"@")[0], source[1:].decode()


def entries_of(info: SegmentInfo, data: bytes) -> Iterator[list[Placed]]:
    """All entries of a segment, a frame at a time, from its content. Raises PastDamaged."""
    for frame, text in _texts(info, data):
        yield entries_of_frame(info, frame, text)


def entries_of_frame(info: SegmentInfo, frame: Frame, text: bytes) -> list[Placed]:
    """The entries in the lines of a frame. Raises PastDamaged."""
    count = sum(frame.lines.values())
    try:
        entries = entries_in(text, count)
    except ValueError as error:
        raise damaged(info, error) from error
    if len(entries) != count or entries[0][1][0].decode() != frame.key[0]:
        raise damaged(info, f"the frame at byte {frame.place.offset} has other events")
    return entries


def damaged(info: FileInfo, reason: object) -> PastDamaged:
    """What is wrong with a file of the archive, in words."""
    return PastDamaged(f"The archive's {info.name} is damaged: {reason}.")


def _texts(info: SegmentInfo, data: bytes) -> Iterator[tuple[Frame, bytes]]:
    try:
        for frame in frames_in(_part(data, info.directory)):
            yield frame, lines_of(frame, _part(data, frame.place))
    except FrameDamaged as error:
        raise damaged(info, error) from error


def _part(data: bytes, place: Place) -> bytes:
    return data[place.offset : place.offset + place.length]
