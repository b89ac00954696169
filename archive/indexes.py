"""Indexes: at which positions the events of an item are.

A line is `[collection, item, version, [positions]]`: those of the versions from this one on,
without a gap. Lines are in the order of their first three members, and in frames as a segment's
are. The key of a frame is what its first line begins with, and the first of its positions.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from pydantic_core import to_json

from itemstore.archive.frames import FrameWriter
from itemstore.archive.giving_way import give_way
from itemstore.archive.lines import Placed, is_version
from itemstore.archive.manifest import INDEXES, SUFFIX, IndexInfo

Item = tuple[str, str]
"""A collection, and the id of one of its items."""

Run = Sequence[IndexInfo]
"""The files that have all items with an event in some part of the log, in the items' order."""

LINE_POSITIONS = 1000
"""Most positions in a line."""

FRAME_BYTES = 64 * 1024
"""Most bytes of the lines in a frame, unless it has a single one: a look-up reads all of it."""

_AT_ONCE = 2000
"""Items that are sorted without a break for other threads."""

_NAMES = [b"type", b"item", b"version"]


@dataclass(frozen=True, slots=True)
class IndexFile:
    """An index that was made: its content, and what a manifest says of it."""

    data: bytes
    info: IndexInfo


class IndexWriter:
    """Makes an index of items in their order, in memory, for a part of the log."""

    def __init__(self, first: str, last: str) -> None:
        self._range = first, last
        self._frames = FrameWriter()
        self._lines: list[bytes] = []
        self._raw_bytes = 0
        self._key: list[str | int] = []
        self._first_item: Item | None = None
        self._item: Item = ("", "")
        self._version = 0
        self._positions: list[str] = []
        self._events = 0

    @property
    def size(self) -> int:
        """Bytes of what is made."""
        return self._frames.bytes

    def add(self, item: Item, version: int, positions: Sequence[str]) -> None:
        """Adds positions of an item's events, from a version on."""
        if item != self._item or version != self._version + len(self._positions):
            self._end_lines(1)
            self._item, self._version = item, version
        self._positions += positions
        if len(self._positions) >= LINE_POSITIONS:
            self._end_lines(LINE_POSITIONS)

    def finish(self) -> IndexFile | None:
        """The index, None where it has nothing."""
        self._end_lines(1)
        self._end_frame()
        if self._first_item is None:
            return None
        file = self._frames.finish()
        first, last = self._range
        info = IndexInfo(
            name=f"{INDEXES}{first}_{last}_{secrets.token_hex(4)}{SUFFIX}",
            first=first,
            last=last,
            events=self._events,
            bytes=len(file.data),
            raw_bytes=file.raw_bytes,
            sha256=file.sha256,
            directory=file.directory,
            first_item=self._first_item,
            last_item=self._item,
        )
        return IndexFile(file.data, info)

    def _end_lines(self, least: int) -> None:
        positions, self._positions = self._positions, []
        while len(positions) >= least:
            some = positions[:LINE_POSITIONS]
            self._add_line(to_json((*self._item, self._version, some)), some[0])
            self._events += len(some)
            self._version += len(some)
            positions = positions[LINE_POSITIONS:]
        self._positions = positions

    def _add_line(self, line: bytes, position: str) -> None:
        if self._lines and self._raw_bytes + len(line) >= FRAME_BYTES:
            self._end_frame()
        if not self._lines:
            self._key = [*self._item, self._version, position]
        self._first_item = self._first_item or self._item
        self._lines.append(line)
        self._raw_bytes += len(line) + 1

    def _end_frame(self) -> None:
        if self._lines:
            self._frames.add(b"\n".join([*self._lines, b""]), self._key, {"": len(self._lines)})
            self._lines, self._raw_bytes = [], 0


class IndexBuilder:
    """Makes the index of a segment, while its entries are added to that."""

    def __init__(self) -> None:
        self._first = self._last = b""
        self._found: dict[str, dict[bytes, list[bytes]]] = {}

    def add(self, entries: Sequence[Placed]) -> None:
        """Adds entries in the order of their positions."""
        self._first = self._first or entries[0][1][0]
        self._last = entries[-1][1][0]
        for collection, (position, fields) in entries:
            if fields[:5:2] != _NAMES or not is_version(fields[5]):
                continue
            of_one = self._found.get(collection)
            if of_one is None:
                of_one = self._found[collection] = {}
            found = of_one.get(fields[3])
            if found is None:
                of_one[fields[3]] = [fields[5], position]
            else:
                found += (fields[5], position)

    def finish(self) -> IndexFile | None:
        """The index, None where it has nothing."""
        writer = IndexWriter(self._first.decode(), self._last.decode())
        for collection, of_one in sorted(self._found.items(), key=itemgetter(0)):
            for number, item in enumerate(_in_order(list(of_one))):
                try:
                    name = (collection, item.decode())
                except UnicodeDecodeError:  # written by hand: nobody can ask for it
                    continue
                for version, position in _versions(of_one[item]):
                    writer.add(name, version, (position.decode(),))
                if number % _AT_ONCE == 0:
                    give_way()
        return writer.finish()


def runs_of(indexes: Iterable[IndexInfo]) -> list[Run]:
    """The runs that the indexes of a manifest are, in the order of their positions."""
    return [list(files) for _, files in groupby(indexes, lambda file: (file.first, file.last))]


def _versions(found: list[bytes]) -> Iterable[tuple[int, bytes]]:
    """Versions with their positions, in order, of what was found one after the other."""
    if len(found) == len(("version", "position")):
        return ((int(found[0]), found[1]),)
    return sorted(zip(map(int, found[::2]), found[1::2], strict=True))


def _in_order(items: list[bytes]) -> Iterator[bytes]:
    """Sorted, in steps: a sort lets no other thread run, and there may be a million."""
    parts = []
    for start in range(0, len(items), _AT_ONCE):
        parts.append(sorted(items[start : start + _AT_ONCE]))
        give_way()
    return heapq.merge(*parts)
