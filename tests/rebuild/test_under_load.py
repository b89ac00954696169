"""Rebuilds and verifications one after another while others write and read, on real servers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from itertools import count

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.errors import ItemNotFound
from itemstore.domain.events import RecordedEvent
from itemstore.engine.cancellation import heed_cancellation
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.current_items import CurrentItems
from itemstore.projections.rebuild import items as rebuild_items
from itemstore.projections.rebuild import shadow
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.verify.run import verify
from tests.conftest import assert_agreement

SECONDS = 2.0
WRITERS = 16
STAYING = [f"staying {number}" for number in range(40)]
"""Items that are put again and again, and never deleted."""

FLEETING = [f"fleeting {number}" for number in range(40)]
"""Items that are put and deleted."""


class Admission:
    """Writers that remember what was acknowledged, and readers that remember what they saw."""

    def __init__(self, partition: Partition) -> None:
        self.acknowledged: list[RecordedEvent] = []
        self.lists = 0
        self._log = EventLog(partition)
        self._items = CurrentItems(partition)
        self._seen = dict.fromkeys(STAYING, 0)
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False

    async def begin(self) -> None:
        """Creates the items that stay, and starts everybody."""
        for name in STAYING:
            self.acknowledged.append(await self._log.append(PutItem(name, b"{}")))
        work = [self._write() for _ in range(WRITERS)]
        work += [self._read(), self._list(), self._follow_versions()]
        self._tasks = [asyncio.create_task(each) for each in work]

    async def end(self) -> None:
        """Lets everybody finish what is under way, and raises what a reader has noticed."""
        self._is_over = True
        await asyncio.gather(*self._tasks)

    async def _write(self) -> None:
        while not self._is_over:
            heed_cancellation()
            name = random.choice([*STAYING, *FLEETING])
            command = DeleteItem(name) if "fleeting" in name and random.random() < 0.4 else None
            try:
                recorded = await self._log.append(command or PutItem(name, b'{"size":1}'))
            except ItemNotFound:
                continue
            self.acknowledged.append(recorded)

    async def _read(self) -> None:
        while not self._is_over:
            heed_cancellation()
            name = random.choice(STAYING)
            before = self._seen[name]
            item = await self._items.get(name)
            assert item is not None, f"{name} has vanished"
            assert item.exists
            assert item.version >= before, f"{name} went back"
            self._seen[name] = max(self._seen[name], item.version)

    async def _list(self) -> None:
        while not self._is_over:
            heed_cancellation()
            page = await self._items.page(limit=1000)
            listed = {item.id for item in page.items}
            assert listed >= set(STAYING), "the list has a hole"
            assert page.total == len(listed)
            self.lists += 1

    async def _follow_versions(self) -> None:
        while not self._is_over:
            heed_cancellation()
            name = random.choice(STAYING)
            before = self._seen[name]
            count, _ = await self._log.reader.last_change(name)
            assert count >= before, f"{name} lost versions"


@pytest.fixture
async def admission(real_partition: Partition) -> AsyncIterator[Admission]:
    """Writers and readers at full speed on each real server."""
    admission = Admission(real_partition)
    await admission.begin()
    yield admission
    await asyncio.sleep(0.01)


async def log_of(partition: Partition) -> list[RecordedEvent]:
    """All events."""
    return await EventLog(partition).reader.read(limit=1_000_000)


async def test_rebuilds_lose_no_write_and_disturb_no_reader(
    real_partition: Partition, admission: Admission
) -> None:
    """Every acknowledged write is in the log and the rows; no reader saw a half-built state."""
    until = time.monotonic() + SECONDS
    rebuilds = 0
    while time.monotonic() < until:
        found = (await rebuild(real_partition, CURRENT_ITEMS)).findings
        assert not any(found.different.values())
        assert found.digest_before == found.digest_after
        rebuilds += 1
    await admission.end()

    assert rebuilds > 1
    assert admission.lists > rebuilds
    history = {each.position: each for each in await log_of(real_partition)}
    assert all(history[each.position] == each for each in admission.acknowledged)
    assert (await verify(real_partition, BUILT_IN)).clean
    await assert_agreement(real_partition)


async def test_verify_raises_no_false_alarm(
    real_partition: Partition, admission: Admission
) -> None:
    """What is written while it looks is no difference."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        verdict = await verify(real_partition, BUILT_IN)
        assert verdict.differences == []
        assert verdict.clean
    await admission.end()


async def test_a_damaged_history_heals_while_its_item_is_written(
    real_redis: Redis, real_partition: Partition, admission: Admission
) -> None:
    """What is appended to it while the rebuild goes on is not lost."""
    healed = STAYING[0]
    for _ in range(10):
        await real_redis.lset(real_partition.keys.history(healed), 0, "1-1")
        await real_redis.rpush(real_partition.keys.history("never"), "1-1")
        found = (await rebuild(real_partition, CURRENT_ITEMS)).findings
        assert found.different["histories"] == 2
        assert (await verify(real_partition, BUILT_IN)).clean
    await admission.end()
    await assert_agreement(real_partition)


async def test_a_history_of_nothing_is_found_while_items_are_made(
    real_redis: Redis, real_partition: Partition
) -> None:
    """However many histories there are by then, of items that are new."""
    log, enough = EventLog(real_partition), asyncio.Event()

    async def make_items() -> None:
        for number in count():
            heed_cancellation()
            if enough.is_set():
                return
            await log.append(PutItem(f"new {number}", b"{}"))

    makers = [asyncio.create_task(make_items()) for _ in range(4)]
    for _ in range(10):
        await real_redis.rpush(real_partition.keys.history("never"), "1-1")
        found = (await rebuild(real_partition, CURRENT_ITEMS)).findings
        assert found.different == {"rows": 0, "ids": 0, "histories": 1}
        assert found.examples == ["never"]
    enough.set()
    await asyncio.gather(*makers)
    await assert_agreement(real_partition)


async def test_a_rebuild_ends_where_writers_are_faster_than_its_steps(
    real_partition: Partition, admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps grow until one of them reaches the end of the log."""
    monkeypatch.setattr(shadow, "ENTRIES", 1)
    monkeypatch.setattr(rebuild_items, "FEW", 10**9)

    async with asyncio.timeout(20):
        await rebuild(real_partition, CURRENT_ITEMS)

    await admission.end()
    await assert_agreement(real_partition)
