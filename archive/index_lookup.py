"""Looking an item up in the indexes of an archive."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from itemstore.archive.file_reader import FileReader, together
from itemstore.archive.indexes import Item
from itemstore.archive.manifest import IndexInfo
from itemstore.domain.positions import key_of

Line = tuple[int, list[str]]
"""A version, and the positions of the events that made it and the next ones."""


class IndexLookup:
    """What the indexes say of an item. Each asks the files of all runs at once.

    Of a file it reads the directory, which is kept, and as a rule one frame.
    """

    def __init__(self, files: FileReader) -> None:
        self._files = files

    async def positions(
        self, indexes: Iterable[IndexInfo], item: Item, after: int, limit: int
    ) -> list[bytes]:
        """The positions of the item's versions after a version, up to one that is not there."""
        last = after + limit
        found = await together(
            self._versions(file, item, after + 1, last) for file in _with(indexes, item)
        )
        by_version: dict[int, str] = {}
        for version, positions in (line for lines in found for line in lines):
            for number, position in enumerate(positions, version):
                if after < number <= last:
                    by_version.setdefault(number, position)
        dense: list[bytes] = []
        while (position := by_version.get(after + 1 + len(dense), "")) != "":
            dense.append(position.encode())
        return dense

    async def version_at(self, indexes: Iterable[IndexInfo], item: Item, position: str) -> int:
        """The item's last version at or before a position, 0 before its first."""
        key = key_of(position)
        files = [file for file in _with(indexes, item) if key_of(file.first) <= key]
        found = await together(self._version_at(file, item, key) for file in files)
        return max(found, default=0)

    async def _versions(self, file: IndexInfo, item: Item, first: int, last: int) -> list[Line]:
        directory = await self._files.directory(file)
        number = directory.at((*item, first), _item_and_version)
        found: list[Line] = []
        while True:
            text = await self._files.text(file, directory[number])
            found += _lines(text, item, first, last)
            number += 1
            if number == len(directory) or _item_and_version(directory[number].key) > (*item, last):
                return found

    async def _version_at(self, file: IndexInfo, item: Item, key: tuple[int, int]) -> int:
        directory = await self._files.directory(file)
        number = directory.at((*item, key), _item_and_position)
        text = await self._files.text(file, directory[number])
        at = 0
        for version, positions in _lines(text, item):
            until = bisect_right(positions, key, key=key_of)
            if until:
                at = max(at, version + until - 1)
        return at


def _with(indexes: Iterable[IndexInfo], item: Item) -> list[IndexInfo]:
    return [file for file in indexes if file.first_item <= item <= file.last_item]


def _item_and_version(key: Sequence[Any]) -> tuple[str, str, int]:
    collection, item, version, _ = key
    return collection, item, version


def _item_and_position(key: Sequence[Any]) -> tuple[str, str, tuple[int, int]]:
    collection, item, _, position = key
    return collection, item, key_of(position)


def _lines(text: bytes, item: Item, first: int = 1, last: int | None = None) -> Iterator[Line]:
    """The lines of an item that have a version from `first` to `last`.

    Only these are read as JSON. The lines of an item stand together, and all begin in the same way.
    """
    beginning = to_json(item)[:-1] + b","
    start = 0 if text.startswith(beginning) else text.find(b"\n" + beginning) + 1
    while text.startswith(beginning, start):
        end = text.index(b"\n", start)
        begin = start + len(beginning)
        version = int(text[begin : text.index(b",", begin)])
        if last is not None and version > last:
            return
        count = text.count(b",", begin, end)  # one after the version, and those between positions
        if version + count > first:
            yield version, from_json(text[start:end])[3]
        start = end + 1
