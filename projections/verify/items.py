"""Comparing the current items with the log: rows, ids and histories.

All items are looked at in large steps, against the fold as it is by then. What differs there, also
because it was just written, is read again together with what the log has got since the fold: so it
is compared with the fold of the very same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from itertools import chain
from typing import Any

from itemstore.domain.positions import key_of
from itemstore.engine.ahead import replies_to
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import pattern
from itemstore.projections.digest import reduced_row
from itemstore.projections.fold import NEVER, Fold, Page
from itemstore.projections.row import row_of
from itemstore.projections.verify.histories import HISTORY, Histories

LOOKED_AT = 256
"""Items looked at in one step."""

KEYS = 1000
"""Keys scanned in one step."""

READ = 150
"""Items read in one step together with what the log has got."""

AT_END, BEHIND = 1, 2
"""What read_items.lua says: the log has no more, or may lack some, as they are in the archive."""

_CHECK_ITEMS = Script(HISTORY + lua(__package__, "check_items"))

_READ_ITEMS = Script(
    lua("itemstore.eventlog", "positions")
    + lua("itemstore.projections", "tried")
    + lua(__package__, "read_items")
)


class ItemsCheck:
    """Compares what is live of every item with the fold."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._partition = fold.partition
        self._keys = fold.partition.keys
        self._histories = Histories(fold)
        self._unknown: set[bytes] = set()
        self._changed: set[bytes] | None = None
        self._is_compared = False

    async def take(self, page: Page) -> None:
        """Goes on with the histories.

        Their ends are compared at once where the items were compared before: then another check has
        read on.
        """
        await self._histories.take(page)
        if self._changed is not None:
            self._changed |= self._known(page)
            if self._is_compared:
                await self._compare_changed()

    async def compare(self) -> None:
        """Compares rows, index, histories and totals."""
        await self._histories.compare_earlier()
        self._changed = set()
        await self._look_at([*self._fold.items])
        await self._compare_totals()
        await self._compare_history_keys()
        await self._compare_changed()
        self._is_compared = True

    def _known(self, page: Page) -> set[bytes]:
        """The items of a page that the log knows: what is no event may name others."""
        named = {fields[3] for _, fields in page.entries if fields[2:3] == [b"item"]}
        return named & self._fold.items.keys()

    async def _compare_changed(self) -> None:
        """Compares the ends of histories that have got longer since the items were looked at."""
        changed, self._changed = self._changed or set(), set()
        await self._histories.compare_ends(changed)

    async def _look_at(self, items: list[bytes]) -> None:
        """Compares items, those in doubt closely."""
        looks = (items[start : start + LOOKED_AT] for start in range(0, len(items), LOOKED_AT))
        async with aclosing(replies_to(self._ask, looks)) as replies:
            async for look, reply in replies:
                remaining = await self._looked_at(look, reply)
                while remaining:
                    remaining = await self._looked_at(remaining, await self._ask(remaining))

    async def _ask(self, items: Sequence[bytes]) -> Any:
        """What check_items.lua says of items."""
        keys = self._keys
        return await self._partition.run(
            _CHECK_ITEMS,
            keys=[keys.current, keys.ids, keys.events, keys.store.archive],
            args=[keys.histories, *items],
        )

    async def _looked_at(self, items: list[bytes], reply: Any) -> list[bytes]:
        """Compares the items that the reply has; gives those that did not fit in."""
        wrong, *found = reply
        rows, scores = ([*chain.from_iterable(found[kind::2])] for kind in (0, 1))
        done = len(rows)
        differing = self._differing(items[:done], rows, scores)
        doubtful = [items[number] for number in sorted(differing.union(wrong))]
        await self._histories.compare_ends(doubtful)
        await self._compare(doubtful)
        return items[done:]

    def _differing(self, items: Sequence[bytes], rows: list[Any], scores: list[Any]) -> set[int]:
        """Numbers of the items that are not, or no longer, what they are in the fold."""
        states = [self._fold.items[item] for item in items]
        right_rows = [row_of(*state) for state in states]
        right_scores = [None if body is None else b"0" for *_, body in states]
        if rows != right_rows:
            rows = [row if row is None else reduced_row(row) for row in rows]
        return _unequal(rows, right_rows) | _unequal(scores, right_scores)

    async def _compare_totals(self) -> None:
        """Compares how many rows and ids there are, and finds those that are too many."""
        client, keys = self._partition.client, self._keys
        rows, ids, *_ = await self._read([])
        right_rows, right_ids = len(self._fold.items), self._fold.existing()
        if ids != right_ids:
            self._fold.differences.add("total", keys.ids, ids, right_ids)
        if isinstance(rows, int) and rows != right_rows:
            with translated():
                items = [item async for item, _ in client.hscan_iter(keys.current, count=100)]
            await self._compare_unknown(items)
        if isinstance(ids, int) and ids != right_ids:
            with translated():
                items = [item async for item, _ in client.zscan_iter(keys.ids, count=1000)]
            await self._compare_unknown(items)

    async def _compare_history_keys(self) -> None:
        """Finds histories of items that never were."""
        length = len(self._keys.histories.encode())
        matching, cursor = pattern(self._keys.histories), None
        while cursor != 0:
            with translated():
                cursor, keys = await self._partition.client.scan(cursor or 0, matching, KEYS)
            await self._compare_unknown(key[length:] for key in keys)

    async def _compare_unknown(self, found: Iterable[Any]) -> None:
        """Compares what is live of the items among those found that the log did not know."""
        unknown = {*found}.difference(self._fold.items, self._unknown)
        await self._compare([*unknown])
        self._unknown |= unknown

    async def _compare(self, items: list[bytes]) -> None:
        """Compares items with the fold of the moment in which they are read."""
        for start in range(0, len(items), READ):
            remaining = items[start : start + READ]
            while remaining:
                *_, begins_at, found = await self._read(remaining)
                for item, row, score, *history in zip(
                    remaining, *(found[place::4] for place in range(4)), strict=False
                ):
                    self._compare_item(item, row, score)
                    self._compare_history(item, begins_at, *history)
                remaining = remaining[len(found) // 4 :]

    def _compare_item(self, item: bytes, row: bytes | None, score: object) -> None:
        differences = self._fold.differences
        right = self._fold.items.get(item)
        right_row = row_of(*right) if right else None
        if (reduced_row(row) if row is not None else None) != right_row:
            differences.add("row", item, row, right_row)
        *_, body = right or NEVER
        right_score = None if body is None else b"0"
        if score != right_score:
            differences.add("index", item, score, right_score)

    def _compare_history(self, item: bytes, begins_at: bytes, length: object, end: bytes) -> None:
        """Compares how long a history is; where a part may have been trimmed, how it ends."""
        version, position, *_ = self._fold.items.get(item, NEVER)
        if not begins_at or not version:
            if length != version:
                self._histories.note(item, f"{length} positions", f"{version} positions")
        elif key_of(position.decode()) < key_of(begins_at.decode()):
            if length:
                self._histories.note(item, f"{length} positions", "none: all are trimmed")
        else:
            *others, last = end.split() or [b""]
            is_once = not others or (version > 1 and position not in others)
            if last != position or not is_once:
                self._histories.note(item, end or None, b"..., " + position)

    async def _read(self, items: list[bytes]) -> tuple[Any, Any, bytes, list[Any]]:
        """What is live of items at the moment of the fold.

        The number of rows and of ids, and where the stream begins, empty where nothing was trimmed;
        then four for each item: row, score, length and end of its history.
        """
        keys, fold = self._keys, self._fold
        while True:
            entries, outcome, *live = await self._partition.run(
                _READ_ITEMS,
                keys=[keys.events, keys.current, keys.ids, keys.store.archive],
                args=[keys.histories, fold.reached, *items],
            )
            await fold.take(entries)
            if outcome == BEHIND:
                await fold.catch_up()
            elif outcome == AT_END:
                rows, ids, begins_at, found = live
                return rows, ids, begins_at, found


def _unequal(found: list[Any], right: list[Any]) -> set[int]:
    if found == right:
        return set()
    pairs = zip(found, right, strict=True)
    return {number for number, (each, expected) in enumerate(pairs) if each != expected}
