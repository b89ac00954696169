"""What the live projection has that the shadow has otherwise, or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, NamedTuple

from itemstore.engine.ahead import Ahead
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.partition import Partition
from itemstore.projections.rebuild.shadow import REPLAY_IN_ORDER, Shadow, at_the_end

KEYS = 1000
"""Keys looked at in one step."""

COMPARE, SURPLUS, MARK_HISTORIES = map(at_the_end, ("compare", "surplus", "mark_histories"))


class Difference(NamedTuple):
    """A row, or an item's place among the ids, that is not what it should be.

    `kind` is `rows` or `ids`; the rows are None where there is none, or should be none.
    """

    kind: str
    item: bytes
    right: bytes | None = None
    live: bytes | None = None


class Page(NamedTuple):
    """Some of the shadow's rows, by item, and what is different from what is live."""

    rows: Iterable[tuple[bytes, bytes]]
    differences: list[Difference]


class Comparison:
    """Compares what is live with a shadow, each item as of when it is looked at."""

    def __init__(self, shadow: Shadow, partition: Partition, lease: Lease) -> None:
        self._shadow = shadow
        self._partition = partition
        self._lease = lease
        self._live = partition.keys

    async def pages(self) -> AsyncGenerator[Page]:
        """All rows, with the rows and ids that are not what they should be.

        Marks the histories that are too long. Those that lack something are found while replaying.
        The next page is on its way while the caller works on one.
        """
        live, is_right, cursor = [self._live.current, self._live.ids], True, None
        async with aclosing(Ahead[list[Any]]()) as ahead:
            await ahead.ask(self._shadow.at_the_end(COMPARE, live, [b"0"]))
            while cursor != b"0":
                cursor, all_rows, rows, ids, *more = await ahead.reply()
                if cursor != b"0":
                    await ahead.ask(self._shadow.at_the_end(COMPARE, live, [cursor]))
                differences = [Difference("rows", *rows[i : i + 3]) for i in range(0, len(rows), 3)]
                differences += [Difference("ids", item) for item in ids]
                yield Page(zip(all_rows[::2], all_rows[1::2], strict=True), differences)
                is_right = is_right and not differences
        # Nothing missing and as many as there should be: then there is nothing more.
        if not is_right or any(more):
            async for item, row in self._surplus_in(self._live.current, "HSCAN"):
                yield Page([], [Difference("rows", item, None, row)])
            async for item, _ in self._surplus_in(self._live.ids, "ZSCAN"):
                yield Page([], [Difference("ids", item)])

    async def mark_histories(self) -> None:
        """Finds the histories of no item. The others are found while replaying and comparing."""
        if not await self._has_other_histories():
            return
        cursor = b"0"
        while True:
            arguments = [pattern(self._live.histories), cursor]
            [cursor] = await self._shadow.at_the_end(MARK_HISTORIES, [], arguments)
            if cursor == b"0":
                return

    async def _has_other_histories(self) -> bool:
        """Whether there may be more histories than items, where every item has one.

        To count them takes a fraction of the time of looking at each.
        """
        if await self._shadow.has_border():
            return True  # an item of which all is trimmed has none
        wrong, _ = await self._shadow.wrong_histories(0)
        items, found, cursor = await self._shadow.row_count(), 0, 0
        while not wrong:
            await self._lease.renew_in_time()
            with translated():
                cursor, keys = await self._partition.client.scan(
                    cursor, pattern(self._live.histories), KEYS
                )
            found += len(keys)
            if cursor == 0:
                break
        await self._shadow.at_the_end(REPLAY_IN_ORDER, [], [])  # where an item was made meanwhile
        return bool(wrong) or not items == found == await self._shadow.row_count()

    async def _surplus_in(self, key: str, scan: str) -> AsyncIterator[tuple[bytes, bytes]]:
        cursor = b"0"
        while True:
            cursor, found = await self._shadow.at_the_end(SURPLUS, [key], [scan, cursor])
            for start in range(0, len(found), 2):
                yield found[start], found[start + 1]
            if cursor == b"0":
                return
