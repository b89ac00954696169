"""A disk that is nearly full: nothing is appended, everything is read, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.domain.commands import PutItem
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogFull, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.verify.run import verify

ALL = 2**40
"""More MiB than any disk has."""


@pytest.fixture
def redis() -> FakeAsyncRedis:
    """An engine of the test's own."""
    return FakeAsyncRedis()


@pytest.fixture
def disk(tmp_path: Path) -> DiskSpace:
    """The space on a real disk."""
    return DiskSpace(tmp_path)


async def test_nothing_is_appended_without_room_and_then_it_goes_on(
    redis: FakeAsyncRedis, disk: DiskSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LogFull says how much there is and how much there has to be."""
    log = EventLog(Partition(redis, Keys()), Terms(disk=disk))
    await log.append(PutItem("a", b"{}"))
    with monkeypatch.context() as patch:
        patch.setattr("itemstore.engine.disk_space.LEAST_MIB", ALL)
        with pytest.raises(LogFull, match=rf"has \d+ MiB left.*until it has {ALL}"):
            await log.append(PutItem("a", b"{}"))
        assert [recorded.version for recorded in await log.reader.read()] == [1]
    assert (await log.append(PutItem("a", b"{}"))).version == 2


async def test_the_engine_of_another_has_its_own_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at this one then."""
    monkeypatch.setattr("itemstore.engine.disk_space.LEAST_MIB", ALL)
    DiskSpace().check()


async def test_a_rebuild_ends_before_the_disk_does(
    redis: FakeAsyncRedis, disk: DiskSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would write every row once more. All stays as it was."""
    keys = Keys()
    await EventLog(Partition(redis, keys)).append(PutItem("a", b"{}"))
    before = await verify(Partition(redis, keys), BUILT_IN)
    monkeypatch.setattr("itemstore.engine.disk_space.LEAST_MIB", ALL)
    with pytest.raises(LogFull):
        await rebuild(Partition(redis, keys), CURRENT_ITEMS, disk=disk)
    after = await verify(Partition(redis, keys), BUILT_IN)
    assert (after.digest, after.position) == (before.digest, before.position)
    assert not after.differences


async def test_nothing_is_appended_where_the_data_is_gone(
    redis: FakeAsyncRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved, deleted, replaced by another, or without the file that names the others."""
    monkeypatch.setattr("itemstore.engine.disk_space.LOOK", 0.0)
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    manifest = data / "appendonlydir" / "appendonly.aof.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    log = EventLog(Partition(redis, Keys()), Terms(disk=DiskSpace(data)))
    await log.append(PutItem("a", b"{}"))
    manifest.unlink()
    with pytest.raises(LogUnavailable, match="moved or deleted"):
        await log.append(PutItem("a", b"{}"))
    manifest.touch()
    await log.append(PutItem("a", b"{}"))
    data.rename(elsewhere)
    with pytest.raises(LogUnavailable):
        await log.append(PutItem("a", b"{}"))
    data.mkdir()
    with pytest.raises(LogUnavailable):
        await log.append(PutItem("a", b"{}"))
    data.rmdir()
    elsewhere.rename(data)
    assert (await log.append(PutItem("a", b"{}"))).version == 3
