"""Looking into the lines of a frame without reading all of them as entries."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from itemstore.archive.lines import Placed, characters, entry_of
from itemstore.domain.positions import START, key_of

_BEGINNING = b'{"specversion":"1.0","id":"'
"""What each line begins with; the position follows, and, of several partitions, `@` and which."""

_HEADS = re.compile(_BEGINNING + rb'([0-9]+-[0-9]+)(?:@[0-9]+)?","source":"/([^"]*)"')

_ALL_HEADS = re.compile(
    b"^" + _HEADS.pattern + rb',"type":"[^"]*"(?:,"subject":("[^"\\\n]*(?:\\.[^"\\\n]*)*"))?',
    re.MULTILINE,
)

Head = tuple[bytes, bytes]
"""The position of an entry, and the item that it is of; nothing where it is no event."""


class Line(NamedTuple):
    """A line of a frame: whose the entry is, its position, and where the line is in the text."""

    collection: str
    position: bytes
    start: int
    end: int

    def entry(self, text: bytes) -> Placed:
        """The entry. Raises ValueError."""
        return entry_of(text[self.start : self.end])


def heads_in(text: bytes, count: int) -> dict[str, list[Head]]:
    """The heads of the `count` lines of a frame in order, by collection. Raises ValueError."""
    found = _ALL_HEADS.findall(text)
    if len(found) != count:
        message = f"{len(found)} of {count} lines can be read"
        raise ValueError(message)
    sources = {source for _, source, _ in found}
    return {
        source.decode(): [
            (position, characters(subject) if b"\\" in subject else subject[1:-1])
            for position, of, subject in found
            if of == source
        ]
        for source in sources
    }


def lines_after(text: bytes, after: str, collections: Collection[str]) -> Iterator[Line]:
    """The lines of entries of collections after a position, in order. Raises ValueError."""
    for line in _lines(text, _start_after(text, after)):
        if line.collection in collections:
            yield line


def line_at(text: bytes, position: bytes) -> Line | None:
    """The line of the entry at a position, None where there is none."""
    start = _start_of(text, position)
    return None if start is None else next(_lines(text, start))


def positions_in(text: bytes, collections: Collection[str], up_to: str) -> list[str]:
    """The positions of the entries of collections up to a position, in order."""
    last = key_of(up_to)
    some = (line.position.decode() for line in lines_after(text, START, collections))
    return [position for position in some if key_of(position) <= last]


def _start_after(text: bytes, after: str) -> int:
    """Where the first line after a position begins."""
    key = key_of(after)
    first = next(_lines(text, 0))
    if key_of(first.position.decode()) > key:
        return 0
    at = _start_of(text, after.encode())
    if at is not None:
        return text.index(b"\n", at) + 1
    starts = (line.start for line in _lines(text, 0) if key_of(line.position.decode()) > key)
    return next(starts, len(text))


def _start_of(text: bytes, position: bytes) -> int | None:
    """Where the line of a position begins. No line has an end within."""
    beginning = b'%b%b%b"' % (_BEGINNING, position, _partition_in(text))
    if text.startswith(beginning):
        return 0
    found = text.find(b"\n" + beginning)
    return None if found < 0 else found + 1


def _partition_in(text: bytes) -> bytes:
    """What follows the position in each line of a text: `@` and the partition, or nothing."""
    start = len(_BEGINNING)
    _, at, number = text[start : text.find(b'"', start)].partition(b"@")
    return at + number


def _lines(text: bytes, start: int) -> Iterator[Line]:
    while start < len(text):
        end = text.index(b"\n", start)
        match = _HEADS.match(text, start, end)
        if match is None:
            raise ValueError(text[start:end][:60])
        yield Line(match[2].decode(), match[1], start, end)
        start = end + 1
