"""The shadow of the current items: what a rebuild builds beside the live ones, step by step.

Each step is one script, and does so little that it takes the engine a few milliseconds at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, NamedTuple

from itemstore.domain.positions import START
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import EventsRemoved
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.runs import Run, Runs

EVENTS = 400
"""Events replayed in one step, one by one."""

KEYS = 1000
"""Keys looked at in one step."""

RUNS = 100
"""Runs replayed in one step."""

RUN_BYTES = 50_000
"""Bytes of the runs replayed in one step: some 3,000 positions."""

ENTRIES = 128
"""Entries of the log with which a step catches up before it does its own work."""

_LOST = "lost events meanwhile (XTRIM, XDEL)"

_REPLAY = lua("itemstore.eventlog", "apply") + lua(__package__, "replay")

REPLAY_RUNS = Script(_REPLAY + lua(__package__, "replay_runs"))

REPLAY_IN_ORDER, COMPARE, SURPLUS, MARK_HISTORIES, HEAL_HISTORIES, SWAP = (
    Script(_REPLAY + lua(__package__, "catch_up", name))
    for name in (
        "replay_in_order",
        "compare",
        "surplus",
        "mark_histories",
        "heal_histories",
        "swap",
    )
)


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


class Shadow:
    """The shadow rows and ids, and how far into the log they are.

    `position` is that of the last entry replayed, `events` how many events there were, `skipped`
    how many entries were none, `length` the number of entries in the log when last looked at.
    Every step renews the lease, and raises LeaseLost where it is gone. Replaying writes every row
    to the engine's file once more, and raises LogFull where there is no room for that.
    """

    def __init__(self, partition: Partition, lease: Lease, length: int, disk: DiskSpace) -> None:
        self.live = partition.keys
        self.keys = partition.keys.shadow(lease.token)
        self.position = START
        self.events = 0
        self.skipped = 0
        self.length = length
        self._partition = partition
        self._lease = lease
        self._disk = disk
        self._aside = partition.keys.aside(lease.token)

    async def replay(self, runs: Runs, position: str) -> None:
        """Replays a stretch of the log, which ends at a position."""
        for step in steps(runs, _bytes_of, most=RUNS, most_bytes=RUN_BYTES):
            texts = [run.text for run in step]
            while texts:
                self._disk.check()
                texts = texts[await self._step(REPLAY_RUNS, [], texts) :]
        self.position = position
        self.events += runs.events
        self.skipped += runs.skipped

    async def replay_in_order(self) -> AsyncGenerator[None]:
        """Replays what the log has event by event, while most of them are the first of their item.

        Where items come again and again it is faster to gather their events before.
        """
        end, are_first = self.length, True
        while are_first and self.events + self.skipped < end:
            self._disk.check()
            before = self.events
            _, firsts = await self._catch_up(REPLAY_IN_ORDER, [], EVENTS, [])
            are_first = 2 * firsts >= self.events - before
            yield

    async def compare(self) -> AsyncGenerator[Page]:
        """All rows, with the rows and ids that are not what they should be.

        Marks the histories that are too long. Those that lack something are found while replaying.
        The next page is on its way while the caller works on one.
        """
        live = [self.live.current, self.live.ids]
        is_right = True
        step = asyncio.ensure_future(self._at_the_end(COMPARE, live, [b"0"]))
        try:
            while True:
                cursor, all_rows, rows, ids, *more = await step
                if cursor != b"0":
                    step = asyncio.ensure_future(self._at_the_end(COMPARE, live, [cursor]))
                    await asyncio.sleep(0)  # lets the request go out
                differences = [Difference("rows", *rows[i : i + 3]) for i in range(0, len(rows), 3)]
                differences += [Difference("ids", item) for item in ids]
                yield Page(zip(all_rows[::2], all_rows[1::2], strict=True), differences)
                is_right = is_right and not differences
                if cursor == b"0":
                    break
        finally:
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)
        # Nothing missing and as many as there should be: then there is nothing more.
        if not is_right or any(more):
            async for item, row in self._surplus_in(self.live.current, "HSCAN"):
                yield Page([], [Difference("rows", item, None, row)])
            async for item, _ in self._surplus_in(self.live.ids, "ZSCAN"):
                yield Page([], [Difference("ids", item)])

    async def mark_histories(self) -> None:
        """Finds the histories of no item. The others are found while replaying and comparing."""
        if not await self._has_other_histories():
            return
        cursor = b"0"
        while True:
            arguments = [pattern(self.live.histories), cursor]
            [cursor] = await self._at_the_end(MARK_HISTORIES, [], arguments)
            if cursor == b"0":
                return

    async def _has_other_histories(self) -> bool:
        """Whether there may be more histories than items, where every item has one.

        To count them takes a fraction of the time of looking at each.
        """
        wrong, _ = await self.wrong_histories(0)
        items, found, cursor = await self._row_count(), 0, 0
        while not wrong:
            await self._lease.renew_in_time()
            with translated():
                cursor, keys = await self._partition.client.scan(
                    cursor, pattern(self.live.histories), KEYS
                )
            found += len(keys)
            if cursor == 0:
                break
        await self._at_the_end(REPLAY_IN_ORDER, [], [])  # where an item was made meanwhile
        return bool(wrong) or not items == found == await self._row_count()

    async def wrong_histories(self, most: int) -> tuple[int, list[bytes]]:
        """How many histories are known to be wrong, and the items of at most `most` of them."""
        with translated():
            count = int(await self._partition.client.scard(self.keys.wrong_histories))
            items: Any = await self._partition.client.srandmember(self.keys.wrong_histories, most)
        return count, items or []

    async def _row_count(self) -> int:
        with translated():
            return int(await self._partition.client.hlen(self.keys.current))

    async def item_count(self) -> int:
        """How many items exist."""
        with translated():
            return int(await self._partition.client.zcard(self.keys.ids))

    async def heal_histories(self) -> None:
        """Puts right histories in the place of wrong ones."""
        remaining = 1
        while remaining:
            [remaining] = await self._at_the_end(HEAL_HISTORIES, [], [])

    async def swap(self) -> None:
        """Puts rows and ids in the place of the live ones, in one step with the end of the log."""
        live, aside = self.live, self._aside
        keys = [live.current, live.ids, aside.current, aside.ids]
        await self._at_the_end(SWAP, keys, [])

    async def _surplus_in(self, key: str, scan: str) -> AsyncIterator[tuple[bytes, bytes]]:
        cursor = b"0"
        while True:
            cursor, found = await self._at_the_end(SURPLUS, [key], [scan, cursor])
            for start in range(0, len(found), 2):
                yield found[start], found[start + 1]
            if cursor == b"0":
                return

    async def _at_the_end(self, script: Script, keys: list[str], arguments: list[Any]) -> list[Any]:
        """The script's own reply, from a moment when all of the log is replayed."""
        most = ENTRIES
        while True:
            before = self.length - self.events - self.skipped
            at_end, *own = await self._catch_up(script, keys, most, arguments)
            if at_end:
                return own
            # Writers that are faster than the replay would keep it from ending for ever.
            if self.length - self.events - self.skipped >= before:
                most *= 2

    async def _catch_up(
        self, script: Script, keys: list[str], most: int, arguments: list[Any]
    ) -> list[Any]:
        """Whether all of the log is replayed after `most` more entries, and the script's own reply.

        Where it is not, the script has done nothing of its own.
        """
        reply: list[Any] = await self._step(script, keys, [self.position, most, *arguments])
        position, events, skipped, self.length, at_end, renewed, *own = reply
        if not renewed:
            self._lease.take_back()
        self.position = position.decode()
        self.events += events
        self.skipped += skipped
        if at_end and self.length != self.events + self.skipped:
            raise LogIncomplete(_LOST)
        return [at_end, *own]

    async def _step(self, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        heed_cancellation()
        await self._lease.renew_in_time()
        shadow = self.keys
        try:
            reply: Any = await self._partition.run(
                script,
                keys=[
                    *(self.live.events, shadow.current, shadow.ids),
                    *(self._lease.key, shadow.wrong_histories),
                    *keys,
                ],
                args=[
                    *(shadow.histories, self.live.histories),
                    *self._lease.renewal(),
                    *arguments,
                ],
            )
        except EventsRemoved:
            raise LogIncomplete(_LOST) from None
        if reply is None:
            raise LeaseLost
        return reply


def _bytes_of(run: Run) -> int:
    return len(run.text)
