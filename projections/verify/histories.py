"""Comparing the histories with the log: each should hold the positions of its item's events.

A history only ever grows at its end, so a part of it can be compared at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.projections.fold import Fold
from itemstore.projections.page import Page

MOST_EVENTS = 1_000_000
"""Positions that are kept in memory, some 20 MB of them."""

MOST_BYTES = 10_000
"""Bytes of the positions that are kept of one item, some 500 of them."""

PARTS, PART_BYTES = 150, 50_000
"""Parts of histories compared in one step, and bytes of the positions in them, some 3,000."""

_CHECK_HISTORIES = Script(lua(__package__, "check_histories"))


class Part(NamedTuple):
    """A part of an item's history: how many positions come before it, and those in it."""

    item: bytes
    first: int
    positions: bytes


class Histories:
    """Compares histories with the fold. `wrong` has the items whose histories differ from it.

    The last position of each item is in the fold; those before it are kept here, as one text for
    each item, until they are compared.
    """

    def __init__(self, fold: Fold) -> None:
        self.wrong: set[bytes] = set()
        self._fold = fold
        self._partition = fold.partition
        self._earlier: dict[bytes, bytes] = {}
        self._count = 0

    async def take(self, page: Page) -> None:
        """Notes what comes before the last positions, and compares it where it is much."""
        earlier, long = self._earlier, set()
        for item, position in page.replaced:
            text = earlier.get(item, b"") + position + b" "
            earlier[item] = text
            if len(text) > MOST_BYTES:
                long.add(item)
        self._count += len(page.replaced)
        if self._count >= MOST_EVENTS:
            await self.compare(self._parts([*earlier]))
            self._count = 0
        elif long:
            await self.compare(self._parts(long))

    def ends(self, items: Iterable[bytes]) -> Iterator[Part]:
        """What was not compared yet of histories, up to their ends; the caller compares it.

        Nothing of those known to be wrong, and of items to which something impossible happened.
        """
        known, impossible, wrong = self._fold.items, self._fold.impossible, self.wrong
        for item in items:
            version, last, *_ = known[item]
            earlier = self._earlier.pop(item, b"")
            if item in impossible or item in wrong:
                yield Part(item, 0, b"")
            elif earlier:
                yield Part(item, version - 1 - earlier.count(b" "), earlier + last)
            else:
                yield Part(item, version - 1, last)

    async def compare(self, parts: Iterable[Part]) -> None:
        """Compares parts of histories, and notes what differs."""
        compared = (part for part in parts if part.positions)
        for step in steps(compared, size_of, most=PARTS, most_bytes=PART_BYTES):
            arguments = [value for part in step for value in part]
            wrong = await self._partition.run(
                _CHECK_HISTORIES, keys=[], args=[self._partition.keys.histories, *arguments]
            )
            for index, found in zip(wrong[::2], wrong[1::2], strict=True):
                part = step[index]
                self.note(part.item, found or None, part.positions)

    def note(self, item: bytes, found: object, expected: object) -> None:
        """Notes that a history differs, unless it is known to."""
        if item not in self.wrong and item not in self._fold.impossible:
            self.wrong.add(item)
            self._fold.differences.add("history", item, found, expected)

    def _parts(self, items: Iterable[bytes]) -> Iterator[Part]:
        """What was not compared yet of histories, without their ends."""
        for item in items:
            text = self._earlier.pop(item)[:-1]
            if item not in self._fold.impossible:
                version = self._fold.items[item][0]
                yield Part(item, version - 2 - text.count(b" "), text)


def size_of(part: Part) -> int:
    """Bytes of the positions."""
    return len(part.positions)
