"""What a process keeps in memory of an archive; of those of all partitions of a store together."""

from __future__ import annotations

from dataclasses import dataclass, field

from itemstore.archive.frames import Directory
from itemstore.archive.recently_used import RecentlyUsed

MOST_FRAMES = 20_000
"""Frames in the directories that are kept: some 700 bytes each."""

MOST_BYTES = 16 * 2**20
"""Bytes of the lines that are kept, decompressed."""


@dataclass(frozen=True, slots=True)
class ReaderCaches:
    """Directories of files by place and name, and lines of frames by these and an offset."""

    directories: RecentlyUsed[tuple[str, str], Directory] = field(
        default_factory=lambda: RecentlyUsed(MOST_FRAMES)
    )
    texts: RecentlyUsed[tuple[str, str, int], bytes] = field(
        default_factory=lambda: RecentlyUsed(MOST_BYTES)
    )


PartsCache = RecentlyUsed[tuple[str, str, int, int], bytes]
"""Parts of files as they are, by place, name, offset and length."""
