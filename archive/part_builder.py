"""The part of the log that a reader asks for, made of one entry after the other."""

from __future__ import annotations

from collections.abc import Collection

from itemstore.archive.frame_lines import lines_after
from itemstore.archive.lines import Placed
from itemstore.domain.positions import key_of
from itemstore.domain.prefixes import EVERY_ID
from itemstore.eventlog.reader import LOOKED_AT, Entry, Part, Within

_TYPE, _ITEM = 1, 3
"""Where in an entry these values stand, as in wanted.lua."""


class PartBuilder:
    """Takes the entries that are wanted, within the bounds that the engine's scripts keep."""

    def __init__(self, after: str, within: Within) -> None:
        self.position = after
        self.is_full = False
        self._most = within.entries
        self._most_looked = min(within.looked, LOOKED_AT)
        self._most_bytes = within.bytes
        self._kind = within.kind.encode()
        every = not within.prefixes or within.prefixes == EVERY_ID
        self._prefixes = None if every else tuple(each.encode() for each in within.prefixes)
        self._looked = self._bytes = 0
        self._entries: list[Entry] = []
        self._collections: list[str] = []

    def look_at(self, placed: Placed) -> None:
        """Looks at the next entry, if it still fits: it is full where it does not."""
        collection, (position, fields) = placed
        size = sum(map(len, fields))
        if self._looked and self._bytes + size > self._most_bytes:
            self.is_full = True
            return
        self.position = position.decode()
        self._looked += 1
        self._bytes += size
        if self._is_wanted(fields):
            self._entries.append((position, fields))
            self._collections.append(collection)
        self.is_full = (
            len(self._entries) >= self._most
            or self._looked >= self._most_looked
            or self._bytes >= self._most_bytes
        )

    def look_into(self, text: bytes, collections: Collection[str], up_to: str) -> None:
        """Looks at what a frame has next, up to a position. Raises ValueError."""
        last = key_of(up_to)
        for line in lines_after(text, self.position, collections):
            if key_of(line.position.decode()) > last:
                break
            self.look_at(line.entry(text))
            if self.is_full:
                break

    def part(self, end: str) -> Part:
        """What it has; where it is not full, all up to `end` was looked at."""
        position = self.position if self.is_full else end
        return Part(self._entries, position, self._looked, not self.is_full, self._collections)

    def _is_wanted(self, fields: list[bytes]) -> bool:
        if self._kind and fields[_TYPE : _TYPE + 1] != [self._kind]:
            return False
        if self._prefixes is None:
            return True
        return b"".join(fields[_ITEM : _ITEM + 1]).startswith(self._prefixes)
