"""Comparing the histories with the log: each should hold the positions of its item's events.

A history only ever grows at its end, so a part of it can be compared at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from itemstore.domain.positions import key_of
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.projections.fold import Fold, Page

MOST_EVENTS = 1_000_000
"""Positions that are kept in memory, some 20 MB of them."""

MOST_BYTES = 10_000
"""Bytes of the positions that are kept of one item, some 500 of them."""

PARTS, PART_BYTES = 150, 50_000
"""Parts of histories compared in one step, and bytes of the positions in them, some 3,000."""

HISTORY = lua("itemstore.eventlog", "positions", "item_history") + lua(
    "itemstore.projections", "tried", "history"
)

_CHECK_HISTORIES = Script(HISTORY + lua(__package__, "check_histories"))


Part = tuple[bytes, int, bytes]
"""An item, how many positions come before a part of its history, and the positions in that."""


class Histories:
    """Compares histories with the fold. `wrong` has the items whose histories differ from it.

    The last position of each item is in the fold; those before it are kept here, as one text for
    each item, until they are compared.
    """

    def __init__(self, fold: Fold) -> None:
        self.wrong: set[bytes] = set()
        self._fold = fold
        self._partition = fold.partition
        self._begins_at = key_of(fold.in_engine_from)
        self._earlier: dict[bytes, bytes] = {}
        self._count = 0

    async def take(self, page: Page) -> None:
        """Notes what comes before the last positions, and compares it where it is much.

        A history may begin in the middle, where what came before was trimmed. A part of it begins
        with a position that was compared before, or that was trimmed: so its place is found.
        """
        if page.entries and key_of(page.entries[-1][0].decode()) < self._begins_at:
            return
        earlier, long = self._earlier, set()
        for item, position in page.replaced:
            text = earlier.get(item, b"") + position + b" "
            earlier[item] = text
            if len(text) > MOST_BYTES:
                long.add(item)
        self._count += len(page.replaced)
        if self._count >= MOST_EVENTS:
            await self.compare_earlier()
            self._count = 0
        elif long:
            await self.compare_ends(long)

    async def compare_earlier(self) -> None:
        """Compares the histories of which something is kept here, up to their ends."""
        await self.compare_ends([*self._earlier])

    async def compare_ends(self, items: Iterable[bytes]) -> None:
        """Compares what was not compared yet of histories, and their last positions."""
        await self._compare(self._ends(items))

    def _ends(self, items: Iterable[bytes]) -> Iterator[Part]:
        for item in items:
            version, last, *_ = self._fold.items[item]
            earlier = self._earlier.pop(item, b"")
            yield item, version - 1 - earlier.count(b" "), earlier + last

    async def _compare(self, parts: Iterable[Part]) -> None:
        for step in steps(self._due(parts), _size_of, most=PARTS, most_bytes=PART_BYTES):
            arguments = [value for part in step for value in part]
            keys = self._partition.keys
            wrong = await self._partition.run(
                _CHECK_HISTORIES,
                keys=[keys.events, keys.store.archive],
                args=[keys.histories, *arguments],
            )
            for index, found in zip(wrong[::2], wrong[1::2], strict=True):
                item, _, expected = step[index]
                self.note(item, found or None, expected)

    def _due(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Without items whose history is known to be wrong or impossible."""
        impossible = self._fold.impossible
        return (part for part in parts if part[0] not in self.wrong and part[0] not in impossible)

    def note(self, item: bytes, found: object, expected: object) -> None:
        """Notes that a history differs, unless that is known."""
        if item not in self.wrong and item not in self._fold.impossible:
            self.wrong.add(item)
            self._fold.differences.add("history", item, found, expected)


def _size_of(part: Part) -> int:
    return len(part[2])
