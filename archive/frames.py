"""A file of lines in zstd frames, each of which can be read alone.

It is one zstd stream (RFC 8878), so `zstdcat` gives all of its lines. After the frames comes a
skippable frame with the *directory*: where each frame is, and what is in it. The seek table of the
zstd seekable format stands at the end, for programs that know that one; in it the directory is a
frame that decompresses to nothing.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

from pydantic_core import from_json, to_json

from itemstore.archive.manifest import Place

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW_BYTES = 256 * 1024
"""Most bytes of the lines in a frame, unless it has a single one."""

DIRECTORY_MAGIC = 0x184D2A50
_SEEK_TABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1

_SKIPPABLE = struct.Struct("<II")
_SEEK_ENTRY = struct.Struct("<II")
_SEEK_FOOTER = struct.Struct("<IBI")

_LEVEL = 3
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: _LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
}


class FrameDamaged(ValueError):
    """Bytes that are not what was written; the sentence says how that is known."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a frame is, and what is in it.

    `key` says what its first line is, and `lines` how many it has of each kind, by its name.
    `raw_bytes` is how large they are together.
    """

    key: Sequence[Any]
    place: Place
    raw_bytes: int
    lines: Mapping[str, int]


class Directory(Sequence[Frame]):
    """The frames of a file, in order; each is made when it is asked for."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self.rows = rows

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        if isinstance(index, slice):
            return [_frame(row) for row in self.rows[index]]
        return _frame(self.rows[index])

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, key: Any, key_of: Callable[[Sequence[Any]], Any]) -> int:
        """The number of the frame that a line would be in; 0 also where it is before all.

        `key_of` makes of a frame's key what the one that is looked for is compared with.
        """
        return max(0, bisect_right(self.rows, key, key=lambda row: key_of(row[0])) - 1)


@dataclass(frozen=True, slots=True)
class FramedFile:
    """All of a file, and what has to be known of it to read a part."""

    data: bytes
    directory: Place
    raw_bytes: int
    sha256: str


class FrameWriter:
    """Makes a file of frames, in memory."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.bytes = 0
        self._compressor = zstd.ZstdCompressor(options=_OPTIONS)
        self._pieces: list[bytes] = []

    def add(self, raw: bytes, key: Sequence[Any], lines: Mapping[str, int]) -> None:
        """Compresses lines as the next frame, without holding Python's lock."""
        self._compressor.set_pledged_input_size(len(raw))
        packed = self._compressor.compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)
        self.frames.append(Frame(key, Place(self.bytes, len(packed)), len(raw), lines))
        self._pieces.append(packed)
        self.bytes += len(packed)

    def add_packed(self, frame: Frame, packed: bytes) -> None:
        """Adds a frame of another file as it is."""
        self.frames.append(replace(frame, place=Place(self.bytes, len(packed))))
        self._pieces.append(packed)
        self.bytes += len(packed)

    def finish(self) -> FramedFile:
        """The file."""
        directory = _skippable(DIRECTORY_MAGIC, _directory(self.frames))
        place = Place(self.bytes, len(directory))
        data = b"".join((*self._pieces, directory, _seek_table(self.frames, place.length)))
        raw_bytes = sum(frame.raw_bytes for frame in self.frames)
        return FramedFile(data, place, raw_bytes, hashlib.sha256(data).hexdigest())


def frames_in(part: bytes) -> Directory:
    """What the directory of a file says. Raises FrameDamaged."""
    try:
        magic, length = _SKIPPABLE.unpack_from(part)
        is_whole = magic == DIRECTORY_MAGIC and length == len(part) - _SKIPPABLE.size
        rows = from_json(zstd.decompress(part[_SKIPPABLE.size :])) if is_whole else None
    except (struct.error, zstd.ZstdError, ValueError) as error:
        raise FrameDamaged("its directory can't be read") from error
    if not isinstance(rows, list):
        raise FrameDamaged("where its directory should be is something else")
    return Directory(rows)


def lines_of(frame: Frame, packed: bytes) -> bytes:
    """The lines in a frame, decompressed without holding Python's lock. Raises FrameDamaged."""
    decompressor = zstd.ZstdDecompressor()
    try:
        raw = decompressor.decompress(packed, frame.raw_bytes + 1)
    except zstd.ZstdError as error:
        raise FrameDamaged(f"the frame at byte {frame.place.offset} can't be read") from error
    if not decompressor.eof or decompressor.unused_data or len(raw) != frame.raw_bytes:
        raise FrameDamaged(
            f"the frame at byte {frame.place.offset} is not the one that was written"
        )
    return raw


def _frame(row: Sequence[Any]) -> Frame:
    key, offset, length, raw_bytes, lines = row
    return Frame(key, Place(offset, length), raw_bytes, lines)


def _directory(frames: Sequence[Frame]) -> bytes:
    rows = [
        [each.key, each.place.offset, each.place.length, each.raw_bytes, each.lines]
        for each in frames
    ]
    return zstd.compress(to_json(rows), options=_OPTIONS)


def _seek_table(frames: Sequence[Frame], directory_bytes: int) -> bytes:
    entries = [_SEEK_ENTRY.pack(frame.place.length, frame.raw_bytes) for frame in frames]
    entries.append(_SEEK_ENTRY.pack(directory_bytes, 0))
    footer = _SEEK_FOOTER.pack(len(entries), 0, _SEEKABLE_MAGIC)
    return _skippable(_SEEK_TABLE_MAGIC, b"".join((*entries, footer)))


def _skippable(magic: int, content: bytes) -> bytes:
    return _SKIPPABLE.pack(magic, len(content)) + content
