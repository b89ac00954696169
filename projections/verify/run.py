"""One verification from beginning to end, beside live writes and without false alarms.

What is live is read together with what the log got since the fold: so it is compared with the
fold of the very same moment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from importlib.resources import files
from typing import Any

from itemstore.domain.positions import key_of
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.entries import Entry, ends, slices
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.partition import Partition
from itemstore.projections.counting import (
    CountingProjection,
    Counts,
    CountsStore,
    MalformedCounts,
    counted_up_to,
    differing,
    number,
)
from itemstore.projections.digest import reduced_row
from itemstore.projections.progress import Progress, Report, unreported
from itemstore.projections.registered import FOLLOWING
from itemstore.projections.row import encode
from itemstore.projections.runs import Run, Runs
from itemstore.projections.verify.fold import Fold
from itemstore.projections.verify.verdict import Differences, Verdict

ITEMS = 150
"""Items read in one step."""

PARTS = 150
"""Parts of histories compared in one step."""

PART_BYTES = 50_000
"""Bytes of the positions in them: some 3,000 positions."""


async def verify(partition: Partition, *, report: Report = unreported) -> Verdict:
    """Compares rows, index, histories, total and counts with the log, and checks the log itself.

    It reads the engine only, in bounded steps, and needs memory for each item but not for its
    body. Raises LogUnavailable and LogBroken where the log can't be read.
    """
    verification = _Verification(partition, report)
    await verification.fold_log()
    await verification.compare_items()
    await verification.compare_totals()
    await verification.compare_history_keys()
    for projection in FOLLOWING:
        await verification.compare_counts(projection)
    return await verification.verdict()


class _Verification:
    def __init__(self, partition: Partition, report: Report) -> None:
        self._partition = partition
        self._report = report
        self._length = 0
        self._differences = Differences()
        self._fold = Fold(FOLLOWING, self._differences)
        self._wrong_histories: set[bytes] = set()
        self._unknown: set[bytes] = set()
        self._check_histories = partition.client.register_script(_text("check_histories.lua"))
        self._read_items = partition.client.register_script(_text("read_items.lua"))

    async def fold_log(self) -> None:
        """Folds the log to its end, and compares the histories with it."""
        log = await ends(self._partition)
        self._length = log.length
        if log.lost:
            found = f"without {log.lost} of its entries (XTRIM, XDEL)"
            self._differences.add("log", self._partition.keys.events, found, "complete")
        async for entries in slices(self._partition):
            await self._take(entries)
            self._tell("folding")
        await self._compare_histories()

    async def compare_items(self) -> None:
        """Compares what is live of every item that the log knows."""
        self._tell("comparing")
        await self._compare([name.encode() for name in self._fold.items])

    async def compare_totals(self) -> None:
        """Compares how many rows and ids there are, and finds those that are too many."""
        rows, ids, _ = await self._read([])
        right_rows, right_ids = len(self._fold.items), self._fold.existing()
        if ids != right_ids:
            self._differences.add("total", self._partition.keys.ids, ids, right_ids)
        if isinstance(rows, int) and rows != right_rows:
            await self._compare_unknown(
                item
                async for item, _ in self._partition.client.hscan_iter(
                    self._partition.keys.current, count=100
                )
            )
        if isinstance(ids, int) and ids != right_ids:
            await self._compare_unknown(
                item
                async for item, _ in self._partition.client.zscan_iter(
                    self._partition.keys.ids, count=1000
                )
            )

    async def compare_history_keys(self) -> None:
        """Finds histories of items that never were."""
        prefix = self._partition.keys.histories.encode()
        found = self._partition.client.scan_iter(
            match=pattern(self._partition.keys.histories), count=1000
        )
        await self._compare_unknown(key.removeprefix(prefix) async for key in found)

    async def compare_counts(self, projection: CountingProjection) -> None:
        """Compares what a projection has counted, as far as it has, with what it should have."""
        try:
            live = await CountsStore(self._partition, projection).load()
        except MalformedCounts as error:
            self._differences.add(projection.name, "counts", str(error), "numbers and a position")
            return
        if live == Counts():
            return  # no runner has been there yet, or it begins again
        await self._read([])
        right = self._fold.counts[projection.name]
        if key_of(live.position) > key_of(right.position):
            found, end = live.position, f"at most {right.position}, where the log ends"
            self._differences.add(projection.name, "position", found, end)
            return
        live = await counted_up_to(self._partition, projection, live, right.position)
        for name in differing(live, right):
            self._differences.add(projection.name, name, number(live, name), number(right, name))

    async def verdict(self) -> Verdict:
        """What all of it comes to."""
        await self._compare_histories()
        fold, differences = self._fold, self._differences
        return Verdict(
            digest=str(fold.digest()),
            position=fold.position,
            events=fold.entries,
            items=fold.existing(),
            counted=dict(differences.counted),
            differences=differences.first,
        )

    async def _take(self, entries: Sequence[Entry]) -> None:
        self._fold.take(entries)
        if self._fold.runs.full:
            await self._compare_histories()

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
        name = _name(item)
        right = self._fold.items.get(name)
        right_row = encode(right) if right else None
        if (reduced_row(row) if row is not None else None) != right_row:
            self._differences.add("row", name, row, right_row)
        right_score = b"0" if right and right.exists else None
        if score != right_score:
            self._differences.add("index", name, score, right_score)
        right_length = right.version if right else 0
        known = item in self._wrong_histories or name in self._fold.impossible
        if length != right_length and not known:
            self._wrong_histories.add(item)
            found, expected = f"{length} positions", f"{right_length} positions"
            self._differences.add("history", name, found, expected)

    async def _read(self, items: list[bytes]) -> tuple[Any, Any, list[Any]]:
        """The number of rows and of ids, and what is live of items, at the moment of the fold."""
        keys = self._partition.keys
        while True:
            with translated():
                entries, at_end, *live = await self._read_items(
                    keys=[keys.events, keys.current, keys.ids],
                    args=[keys.histories, self._fold.position, *items],
                )
            await self._take(entries)
            if at_end:
                rows, ids, found = live
                return rows, ids, found

    async def _compare_histories(self) -> None:
        runs, self._fold.runs = list(self._fold.runs), Runs()
        for step in _steps(self._parts(runs)):
            arguments = [value for part in step for value in part]
            with translated():
                wrong = await self._check_histories(
                    keys=[], args=[self._partition.keys.histories, *arguments]
                )
            for index, found in zip(wrong[::2], wrong[1::2], strict=True):
                item, _, expected = step[index]
                if item not in self._wrong_histories:
                    self._wrong_histories.add(item)
                    self._differences.add("history", _name(item), found or None, expected)

    def _parts(self, runs: list[Run]) -> Iterator[tuple[bytes, int, bytes]]:
        """Items, how many positions come before a run, and the positions in it."""
        ends: dict[bytes, int] = {}
        for run in reversed(runs):
            name = _name(run.item)
            if name in self._fold.items and name not in self._fold.impossible:
                end = ends.get(run.item, self._fold.items[name].version)
                ends[run.item] = end - run.events
                yield run.item, end - run.events, run.positions

    def _tell(self, stage: str) -> None:
        entries = self._fold.entries
        self._report(Progress(stage, entries, max(entries, self._length)))


def _steps(parts: Iterator[tuple[bytes, int, bytes]]) -> Iterator[list[tuple[bytes, int, bytes]]]:
    step: list[tuple[bytes, int, bytes]] = []
    size = 0
    for part in parts:
        if step and (len(step) == PARTS or size + len(part[2]) > PART_BYTES):
            yield step
            step, size = [], 0
        step.append(part)
        size += len(part[2])
    if step:
        yield step


def _name(item: bytes) -> str:
    return item.decode(errors="surrogateescape")


def _text(name: str) -> str:
    return files("itemstore.projections.verify").joinpath(name).read_text()
