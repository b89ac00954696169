"""A projection that rides along: it is kept up by what is read for another one, and exact."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from itemstore.domain.commands import PutItem
from itemstore.domain.positions import START
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections import pace, riding, runner
from itemstore.projections.counts import CountsStore
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Followed, Follower
from itemstore.projections.riding import Carrying, Riding
from itemstore.projections.runner import Runner
from itemstore.projections.statistics import STATISTICS
from itemstore.projections.verify.run import verify
from tests.rebuild.conftest import cancelled, write


class Table(Follower):
    """Another projection, and what keeps it up with the log: it notes positions."""

    name = "table"

    def __init__(self) -> None:
        self.positions: list[str] = []
        self.is_full = False

    def follower(self, _: Partition) -> Table:
        """This itself."""
        return self

    async def position(self) -> str:
        """The last one."""
        return self.positions[-1] if self.positions else START

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether it goes on after the last one."""
        if self.is_full:
            raise OSError
        if after != await self.position():
            return False
        self.positions += [position.decode() for position, _ in entries]
        return True


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody lets a test wait."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, long_pause=0.002))
    monkeypatch.setattr(runner, "PATIENCE", 0.01)
    monkeypatch.setattr(riding, "LATELY", 0.05)


@pytest.fixture
def table() -> Table:
    """What the log is read for."""
    return Table()


@pytest.fixture
def along() -> Riding:
    """The statistics, which ride along."""
    return Riding(STATISTICS, DiskSpace())


@asynccontextmanager
async def following(partition: Partition, projection: Followed) -> AsyncIterator[None]:
    """Follows a projection for the block."""
    task = asyncio.create_task(Runner([partition], [projection], is_alone=True).run())
    yield
    await cancelled(task)


async def counted(partition: Partition) -> None:
    """Waits until the statistics are those of the whole log, and holds them against it."""
    end = await partition.reader.last_position()
    async with asyncio.timeout(10):
        while await CountsStore(partition, "statistics").position() != end:
            await asyncio.sleep(0.002)
    assert (await verify(partition, [STATISTICS])).clean


async def at_the_end(table: Table, partition: Partition) -> None:
    """Waits until the table has the whole log."""
    async with asyncio.timeout(10):
        while await table.position() != await partition.reader.last_position():
            await asyncio.sleep(0.002)


async def test_what_is_read_for_one_is_counted_for_the_other(
    partition: Partition, log: EventLog, table: Table, along: Riding
) -> None:
    """Nobody else reads the log for the statistics here."""
    async with following(partition, Carrying(table, along)):
        for seed in range(5):
            await write(log, 20, seed=seed)
            await at_the_end(table, partition)
        await counted(partition)
    assert len(table.positions) == (await partition.reader.extent()).events


async def test_one_that_lacks_something_reads_that_for_itself(
    partition: Partition, log: EventLog, table: Table, along: Riding
) -> None:
    """The table had those events before; what comes after them rides along again."""
    await write(log, 30)
    async with following(partition, table):
        await at_the_end(table, partition)
    async with following(partition, Carrying(table, along)):
        await write(log, 20, seed=2)
        await at_the_end(table, partition)
        assert await CountsStore(partition, "statistics").position() == START
        async with following(partition, along):
            await counted(partition)
        await write(log, 20, seed=3)
        await counted(partition)


async def test_one_that_is_ahead_takes_only_what_is_new(
    partition: Partition, log: EventLog, table: Table, along: Riding
) -> None:
    """The table is made from the first event on, and the statistics go on where they were."""
    await write(log, 30)
    async with following(partition, STATISTICS):
        await counted(partition)
    await write(log, 20, seed=2)
    async with following(partition, Carrying(table, along)):
        await counted(partition)
        await at_the_end(table, partition)


async def test_what_can_not_be_applied_is_counted_all_the_same(
    partition: Partition, log: EventLog, table: Table, along: Riding
) -> None:
    """It is handed on again and again, and counted once."""
    table.is_full = True
    async with following(partition, Carrying(table, along)), following(partition, along):
        await write(log, 30)
        await counted(partition)
        await write(log, 30, seed=2)
        await counted(partition)
        table.is_full = False
        await at_the_end(table, partition)
        await counted(partition)


async def test_nothing_is_counted_where_the_engine_s_disk_is_gone(
    partition: Partition, log: EventLog, table: Table, tmp_path: Path
) -> None:
    """And the table is not held up by that."""
    data = tmp_path / "data"
    data.mkdir()
    along = Riding(STATISTICS, DiskSpace(data))
    data.rename(tmp_path / "elsewhere")
    async with following(partition, Carrying(table, along)):
        await log.append(PutItem("a", b"{}"))
        await at_the_end(table, partition)
    assert await CountsStore(partition, "statistics").position() == START
