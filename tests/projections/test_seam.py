"""The seam holds a projection that is not in the engine at all, and keeps its own position."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.evolve import Item, evolve
from itemstore.domain.positions import START
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry, Extent
from itemstore.projections import pace, runner
from itemstore.projections.built_in import CURRENT_ITEMS
from itemstore.projections.digest import RowsDigest, reduced_row
from itemstore.projections.fold import Fold, Page
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Status
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.row import encode
from itemstore.projections.runner import Runner
from itemstore.projections.task import Findings, Task
from itemstore.projections.verify.run import verify


@dataclass(frozen=True)
class Table:
    """What a database would hold: rows, up to where they are, and how many entries that are."""

    rows: dict[str, Item] = field(default_factory=dict)
    position: str = START
    entries: int = 0

    def after(self, entries: Sequence[Entry]) -> Table:
        """The table that entries of the log leave."""
        rows = dict(self.rows)
        for position, fields in entries:
            recorded = decode_flat(position, fields)
            rows[recorded.item] = evolve(rows.get(recorded.item), recorded)
        return Table(rows, entries[-1][0].decode(), self.entries + len(entries))

    def digest(self) -> str:
        """The digest of all rows."""
        digest = RowsDigest()
        for item in self.rows.values():
            digest.add(item.id.encode(), reduced_row(encode(item)))
        return str(digest)


class Elsewhere:
    """A projection whose table is in this process."""

    name = "elsewhere"

    def __init__(self) -> None:
        self.table = Table()

    def follower(self, _: Partition) -> Elsewhere:
        """This is its own."""
        return self

    async def position(self) -> str:
        """Up to where the table is."""
        return self.table.position

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Puts the next table in its place, rows and position together."""
        if self.table.position != after:
            return False
        self.table = self.table.after(entries)
        return True

    async def statuses(self, logs: Sequence[tuple[Partition, Extent]]) -> list[Status]:
        """How far the table is: it is for one collection."""
        table = self.table
        return [
            Status(table.position, log.length - table.entries, len(table.rows)) for _, log in logs
        ]

    async def rebuild(self, task: Task) -> Findings:
        """Makes a table beside the live one, and swaps them."""
        live, beside = self.table, Table()
        async for entries in task.partition.reader.slices():
            beside = beside.after(entries)
            await task.lease.renew_in_time()
        if not task.dry_run:
            self.table = beside
        return Findings(
            first="",
            last=beside.position,
            events=beside.entries,
            skipped=0,
            items=len(beside.rows),
            digest_before=live.digest(),
            digest_after=beside.digest(),
            different={"rows": len(dict(live.rows.items() ^ beside.rows.items()))},
            examples=[],
        )

    def check(self, fold: Fold) -> DigestCheck:
        """What compares digests."""
        return DigestCheck(self, fold)


class DigestCheck:
    """Compares the table, with what the log got since, with the fold."""

    def __init__(self, projection: Elsewhere, fold: Fold) -> None:
        self._projection = projection
        self._fold = fold

    async def take(self, page: Page) -> None:
        """Needs no event: the fold has the items."""

    async def compare(self) -> None:
        """Brings a copy of the table up to the fold."""
        await self._fold.catch_up()
        table = self._projection.table
        async for entries in self._fold.partition.reader.slices(table.position):
            table = table.after(entries)
        found, right = table.digest(), str(self._fold.digest())
        if found != right:
            self._fold.differences.add(self._projection.name, "digest", found, right)


@pytest.fixture
async def elsewhere(log: EventLog) -> Elsewhere:
    """The projection, beside a log with an item that was deleted and one that was not."""
    for command in (PutItem("a", b"{}"), PutItem("b", b'"%s"' % (b"x" * 100)), DeleteItem("a")):
        await log.append(command)
    return Elsewhere()


async def test_it_is_kept_up_with_the_log(
    partition: Partition, log: EventLog, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same runner: several of them apply nothing twice, as the position is its own."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.001))
    monkeypatch.setattr(runner, "LEASE_MS", 1)
    runners = [asyncio.create_task(Runner([partition], [elsewhere]).run()) for _ in range(3)]
    await log.append(PutItem("c", b"{}"))
    async with asyncio.timeout(10):
        while elsewhere.table.position != await log.reader.last_position():
            await asyncio.sleep(0.001)
    for each in runners:
        each.cancel()
    await asyncio.gather(*runners, return_exceptions=True)

    [status] = await elsewhere.statuses([(partition, await partition.reader.extent())])
    assert status == Status(await log.reader.last_position(), lag=0, rows=3)
    assert (await verify(partition, [elsewhere])).clean


async def test_large_events_are_applied_in_small_batches(
    partition: Partition, log: EventLog, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits to be applied together is bounded, whatever the bodies are like."""
    applied = []
    apply = Elsewhere.apply

    async def noted(self: Elsewhere, entries: Sequence[Entry], after: str) -> bool:
        applied.append(len(entries))
        return await apply(self, entries, after)

    monkeypatch.setattr(Elsewhere, "apply", noted)
    monkeypatch.setattr(pace, "USUAL", Pace(enough_bytes=100_000))
    for number in range(40):
        await log.append(PutItem(f"large {number}", b'"%s"' % (b"x" * 100_000)))
    running = asyncio.create_task(Runner([partition], [elsewhere]).run())
    async with asyncio.timeout(10):
        while elsewhere.table.position != await log.reader.last_position():
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert sum(applied) == 43
    assert len(applied) > 1


async def test_it_is_verified_wherever_it_is_and_rebuilt(
    partition: Partition, log: EventLog, elsewhere: Elsewhere
) -> None:
    """A difference has its name; a dry run puts nothing in place, and a rebuild all."""
    assert (await verify(partition, [elsewhere])).clean  # where it has seen nothing yet
    await rebuild(partition, elsewhere)
    right = elsewhere.table
    wrong = right.rows | {"b": replace(right.rows["b"], body=b"{}")}
    elsewhere.table = replace(right, rows=wrong)
    await log.append(PutItem("c", b"{}"))
    assert (await verify(partition, [elsewhere])).counted == {"elsewhere": 1}

    dry = await rebuild(partition, elsewhere, dry_run=True)
    assert dry.findings.different == {"rows": 2}
    assert (await verify(partition, [elsewhere])).counted == {"elsewhere": 1}

    assert (await rebuild(partition, elsewhere)).findings == dry.findings
    assert elsewhere.table.rows == right.rows | {"c": elsewhere.table.rows["c"]}
    assert (await verify(partition, [elsewhere])).clean


async def test_an_event_that_comes_while_another_projection_is_compared_is_in_its_history(
    partition: Partition, log: EventLog, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The items were compared before it; its history is all the same."""
    compare = DigestCheck.compare

    async def compare_late(self: DigestCheck) -> None:
        await log.append(PutItem("late", b"{}"))
        await partition.client.delete(partition.keys.history("late"))
        await compare(self)

    monkeypatch.setattr(DigestCheck, "compare", compare_late)
    assert (await verify(partition, [CURRENT_ITEMS, elsewhere])).counted == {"history": 1}
