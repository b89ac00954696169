"""A file of lines in zstd frames, each of which can be read alone.

It is one zstd stream (RFC 8878), so `zstdcat` gives all of its lines. After the frames comes a
skippable frame with the *directory*: where each frame is, and what is in it. The seek table of the
zstd seekable format stands at the end, for programs that know that one; in it the directory is a
frame that decompresses to nothing.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """A line of the directory: where a frame is, and what is in it.

    `key` says what its first line is, and `lines` how many there are of each kind, by its name.
    `raw_bytes` is how large they are together.
    """

    key: Sequence[Any]
    place: Place
    raw_bytes: int
    lines: Mapping[str, int]


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

    def finish(self) -> FramedFile:
        """The file."""
        directory = _skippable(DIRECTORY_MAGIC, zstd.compress(_directory(self.frames)))
        place = Place(self.bytes, len(directory))
        data = b"".join((*self._pieces, directory, _seek_table(self.frames, place.length)))
        raw_bytes = sum(frame.raw_bytes for frame in self.frames)
        return FramedFile(data, place, raw_bytes, hashlib.sha256(data).hexdigest())


def frames_in(directory: bytes) -> list[Frame]:
    """What the directory of a file says. Raises FrameDamaged."""
    try:
        magic, length = _SKIPPABLE.unpack_from(directory)
        if magic != DIRECTORY_MAGIC or length != len(directory) - _SKIPPABLE.size:
            raise FrameDamaged("where its directory should be is something else")
        found = json.loads(zstd.decompress(directory[_SKIPPABLE.size :]))
        return [Frame(key, Place(*place), raw, lines) for key, place, raw, lines in found]
    except (struct.error, zstd.ZstdError, ValueError, TypeError) as error:
        if isinstance(error, FrameDamaged):
            raise
        raise FrameDamaged("its directory can't be read") from error


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


def _directory(frames: Sequence[Frame]) -> bytes:
    rows = [
        [frame.key, [frame.place.offset, frame.place.length], frame.raw_bytes, frame.lines]
        for frame in frames
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def _seek_table(frames: Sequence[Frame], directory_bytes: int) -> bytes:
    entries = [_SEEK_ENTRY.pack(frame.place.length, frame.raw_bytes) for frame in frames]
    entries.append(_SEEK_ENTRY.pack(directory_bytes, 0))
    footer = _SEEK_FOOTER.pack(len(entries), 0, _SEEKABLE_MAGIC)
    return _skippable(_SEEK_TABLE_MAGIC, b"".join((*entries, footer)))


def _skippable(magic: int, content: bytes) -> bytes:
    return _SKIPPABLE.pack(magic, len(content)) + content
