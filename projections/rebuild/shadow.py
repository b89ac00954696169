"""The shadow of the current items: what a rebuild builds beside the live ones, step by step.

Each step is one script, and does so little that it takes the engine a few milliseconds at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from itemstore.domain.positions import START
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import EventsRemoved
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.partition import Partition
from itemstore.projections.lease import Lease, LeaseLost
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.runs import Run, Runs

RUNS = 100
"""Runs replayed in one step."""

RUN_BYTES = 50_000
"""Bytes of the runs replayed in one step: some 3,000 positions."""

KEYS, FEW_KEYS = 256, 8
"""Keys looked at in one step, and where the rows are so large that these come to KEY_BYTES."""

KEY_BYTES = 256 * 1024

ENTRIES = 128
"""Entries of the log with which a step catches up before it does its own work."""


_REPLAY = lua("itemstore.eventlog", "apply") + lua(__package__, "replay")

REPLAY_RUNS = Script(_REPLAY + lua(__package__, "replay_runs"))

COMPARE, SURPLUS, MARK_HISTORIES, HEAL_HISTORIES, SWAP = (
    Script(_REPLAY + lua(__package__, "catch_up", name))
    for name in ("compare", "surplus", "mark_histories", "heal_histories", "swap")
)


class Difference(NamedTuple):
    """A row, or an item's place among the ids, that is not what it should be.

    `kind` is `rows` or `ids`; the rows are None where there is none, or should be none.
    """

    kind: str
    item: bytes
    right: bytes | None = None
    live: bytes | None = None


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

    async def compare(self) -> AsyncIterator[Difference]:
        """The rows and ids that are not what they should be."""
        live = [self.live.current, self.live.ids]
        found_any = False
        cursor = b"0"
        while True:
            cursor, rows, ids, *more = await self._at_the_end(COMPARE, live, [cursor])
            for start in range(0, len(rows), 3):
                yield Difference("rows", *rows[start : start + 3])
            for item in ids:
                yield Difference("ids", item)
            found_any = found_any or bool(rows or ids)
            if cursor == b"0":
                break
        # Nothing missing and as many as there should be: then there is nothing more.
        if found_any or any(more):
            async for item, row in self._surplus_in(self.live.current, "HSCAN"):
                yield Difference("rows", item, None, row)
            async for item, _ in self._surplus_in(self.live.ids, "ZSCAN"):
                yield Difference("ids", item)

    async def mark_histories(self) -> None:
        """Finds the histories that are too long, or of no item.

        Those that lack something are found while replaying.
        """
        cursor, count = b"0", FEW_KEYS
        while True:
            cursor, size = await self._at_the_end(
                MARK_HISTORIES, [], [pattern(self.live.histories), cursor, count]
            )
            count = KEYS if size < KEY_BYTES else FEW_KEYS
            if cursor == b"0":
                return

    async def wrong_histories(self, most: int) -> tuple[int, list[bytes]]:
        """How many histories are known to be wrong, and the items of at most `most` of them."""
        with translated():
            count = int(await self._partition.client.scard(self.keys.wrong_histories))
            items: Any = await self._partition.client.srandmember(self.keys.wrong_histories, most)
        return count, items or []

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
            reply: list[Any] = await self._step(script, keys, [self.position, most, *arguments])
            position, events, skipped, self.length, at_end = reply[:5]
            self.position = position.decode()
            self.events += events
            self.skipped += skipped
            if at_end:
                return reply[5:]
            # Writers that are faster than the replay would keep it from ending for ever.
            if self.length - self.events - self.skipped >= before:
                most *= 2

    async def _step(self, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        heed_cancellation()
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
            raise LogIncomplete("lost events meanwhile (XTRIM, XDEL)") from None
        if reply is None:
            raise LeaseLost
        return reply


def _bytes_of(run: Run) -> int:
    return len(run.text)
