"""Comparing the current items with the log: rows, ids and histories.

What is live is read together with what the log has got since the fold: so it is compared with the
fold of the very same moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from itemstore.domain.events import ItemCreated, RecordedEvent
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.keys import pattern
from itemstore.projections.digest import reduced_row
from itemstore.projections.fold import Fold
from itemstore.projections.row import encode
from itemstore.projections.runs import Run, Runs

ITEMS = 150
"""Items read in one step."""

PARTS = 150
"""Parts of histories compared in one step."""

PART_BYTES = 50_000
"""Bytes of the positions in them: some 3,000 positions."""

_READ_ITEMS, _CHECK_HISTORIES = (
    Script(lua(__package__, name)) for name in ("read_items", "check_histories")
)


class ItemsCheck:
    """Compares what is live of every item with the fold."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._partition = fold.partition
        self._keys = fold.partition.keys
        self._runs = Runs()
        self._wrong_histories: set[bytes] = set()
        self._unknown: set[bytes] = set()
        self._is_compared = False

    async def take(self, events: Sequence[RecordedEvent]) -> None:
        """Notes the positions of events, and compares histories where these are many.

        At once where the items were compared before: then another check has read on.
        """
        for recorded in events:
            is_creation = isinstance(recorded.event, ItemCreated)
            position, item = recorded.position.encode(), recorded.item.encode()
            self._runs.add(position, item, is_creation=is_creation)
        if self._runs.full or self._is_compared:
            await self._compare_histories()

    async def compare(self) -> None:
        """Compares rows, index, histories and totals."""
        await self._compare_histories()
        await self._compare([name.encode() for name in self._fold.items])
        await self._compare_totals()
        await self._compare_history_keys()
        await self._compare_histories()  # of what came meanwhile
        self._is_compared = True

    async def _compare_totals(self) -> None:
        """Compares how many rows and ids there are, and finds those that are too many."""
        client, keys = self._partition.client, self._keys
        rows, ids, _ = await self._read([])
        right_rows, right_ids = len(self._fold.items), self._fold.existing()
        if ids != right_ids:
            self._fold.differences.add("total", keys.ids, ids, right_ids)
        if isinstance(rows, int) and rows != right_rows:
            found = client.hscan_iter(keys.current, count=100)
            await self._compare_unknown(item async for item, _ in found)
        if isinstance(ids, int) and ids != right_ids:
            found = client.zscan_iter(keys.ids, count=1000)
            await self._compare_unknown(item async for item, _ in found)

    async def _compare_history_keys(self) -> None:
        """Finds histories of items that never were."""
        prefix = self._keys.histories.encode()
        found = self._partition.client.scan_iter(match=pattern(self._keys.histories), count=1000)
        await self._compare_unknown(key.removeprefix(prefix) async for key in found)

    async def _compare_unknown(self, found: AsyncIterator[bytes]) -> None:
        """Compares what is live of the items among those found that the log did not know."""
        known = self._fold.items
        with translated():
            unknown = {item async for item in found if _name(item) not in known}
        await self._compare([*(unknown - self._unknown)])
        self._unknown |= unknown

    async def _compare(self, items: list[bytes]) -> None:
        for start in range(0, len(items), ITEMS):
            remaining = items[start : start + ITEMS]
            while remaining:
                _, _, found = await self._read(remaining)
                for item, row, score, length in zip(
                    remaining, found[::3], found[1::3], found[2::3], strict=False
                ):
                    self._compare_item(item, row, score, length)
                remaining = remaining[len(found) // 3 :]

    def _compare_item(self, item: bytes, row: bytes | None, score: object, length: object) -> None:
        differences = self._fold.differences
        name = _name(item)
        right = self._fold.items.get(name)
        right_row = encode(right) if right else None
        if (reduced_row(row) if row is not None else None) != right_row:
            differences.add("row", name, row, right_row)
        right_score = b"0" if right and right.exists else None
        if score != right_score:
            differences.add("index", name, score, right_score)
        right_length = right.version if right else 0
        known = item in self._wrong_histories or name in self._fold.impossible
        if length != right_length and not known:
            self._wrong_histories.add(item)
            found, expected = f"{length} positions", f"{right_length} positions"
            differences.add("history", name, found, expected)

    async def _read(self, items: list[bytes]) -> tuple[Any, Any, list[Any]]:
        """The number of rows and of ids, and what is live of items, at the moment of the fold."""
        keys = self._keys
        while True:
            entries, at_end, *live = await self._partition.run(
                _READ_ITEMS,
                keys=[keys.events, keys.current, keys.ids],
                args=[keys.histories, self._fold.position, *items],
            )
            await self._fold.take(entries)
            if at_end:
                rows, ids, found = live
                return rows, ids, found

    async def _compare_histories(self) -> None:
        runs, self._runs = list(self._runs), Runs()
        for step in steps(self._parts(runs), _bytes_of, most=PARTS, most_bytes=PART_BYTES):
            arguments = [value for part in step for value in part]
            wrong = await self._partition.run(
                _CHECK_HISTORIES, keys=[], args=[self._keys.histories, *arguments]
            )
            for index, found in zip(wrong[::2], wrong[1::2], strict=True):
                item, _, expected = step[index]
                if item not in self._wrong_histories:
                    self._wrong_histories.add(item)
                    self._fold.differences.add("history", _name(item), found or None, expected)

    def _parts(self, runs: list[Run]) -> Iterator[tuple[bytes, int, bytes]]:
        """Items, how many positions come before a run, and the positions in it."""
        ends: dict[bytes, int] = {}
        for run in reversed(runs):
            name = _name(run.item)
            if name in self._fold.items and name not in self._fold.impossible:
                end = ends.get(run.item, self._fold.items[name].version)
                ends[run.item] = end - run.events
                yield run.item, end - run.events, run.positions


def _bytes_of(part: tuple[bytes, int, bytes]) -> int:
    return len(part[2])


def _name(item: bytes) -> str:
    return item.decode(errors="surrogateescape")
