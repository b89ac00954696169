"""A stand-in for a process that follows the logs: it works only where nobody else does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import pace, runner, stand_in
from itemstore.projections.counting import CountingProjection
from itemstore.projections.counts import CountsStore
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.projections.stand_in import StandIn
from tests.rebuild.conftest import cancelled

NAME = "who"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody lets a test wait."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.002, long_pause=0.002))
    monkeypatch.setattr(runner, "PATIENCE", 0.01)
    monkeypatch.setattr(stand_in, "START", 0.1)
    monkeypatch.setattr(stand_in, "PATIENCE", 0.1)


class Counting:
    """Followers that note which of them has counted an item."""

    def __init__(self, log: EventLog, partition: Partition) -> None:
        self.noted: list[str] = []
        self._log = log
        self._partition = partition

    def projection(self, who: str) -> CountingProjection:
        """What one of them follows."""

        def count(_: Counter[str], recorded: RecordedEvent) -> None:
            self.noted.append(f"{recorded.item} by the {who}")

        return CountingProjection(NAME, count)

    @asynccontextmanager
    async def process(self) -> AsyncIterator[None]:
        """The process whose work it is, for the block."""
        one = Runner([self._partition], [self.projection("process")])
        async with _at_work(one.run()):
            yield

    @asynccontextmanager
    async def stand_in(self) -> AsyncIterator[None]:
        """Who stands in for it, for the block."""
        one = StandIn([self._partition], [self.projection("stand-in")], DiskSpace())
        async with _at_work(one.run()):
            yield

    async def write(self, item: str) -> None:
        """Puts an item, and waits until it is counted."""
        end = (await self._log.append(PutItem(item, b"{}"))).position
        async with asyncio.timeout(10):
            while await CountsStore(self._partition, NAME).position() != end:
                await asyncio.sleep(0.002)


@asynccontextmanager
async def _at_work(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    yield
    await cancelled(task)


@pytest.fixture
def counting(log: EventLog, partition: Partition) -> Counting:
    """Followers of the log."""
    return Counting(log, partition)


async def test_nothing_is_done_in_place_of_one_who_works(counting: Counting) -> None:
    """And where that one ends, the log is followed all the same."""
    async with counting.stand_in():
        async with counting.process():
            await counting.write("a")
            await asyncio.sleep(3 * stand_in.PATIENCE)
            await counting.write("b")
        await counting.write("c")
    assert counting.noted == ["a by the process", "b by the process", "c by the stand-in"]


async def test_one_who_hangs_is_replaced(counting: Counting, partition: Partition) -> None:
    """It holds its lease, and does not renew it."""
    hanging = Runner([partition], [counting.projection("process")])
    assert await Lease(partition, hanging._lease_key, 200).acquire()
    async with counting.stand_in():
        await counting.write("a")
    assert counting.noted == ["a by the stand-in"]


async def test_one_who_comes_back_takes_over(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in makes room for it, and nothing is counted twice."""
    monkeypatch.setattr(stand_in, "TURN", 0.3)
    async with counting.stand_in():
        await counting.write("first")
        async with counting.process():
            number = 0
            while not counting.noted[-1].endswith("process"):
                number += 1
                await counting.write(f"{number}")
    assert counting.noted[0] == "first by the stand-in"
    assert [each.split()[0] for each in counting.noted[1:]] == [*map(str, range(1, number + 1))]
