"""The archiver: one of all processes archives, and goes on by itself after what goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from redis.asyncio import Redis

from itemstore.archive import archiver as archivers
from itemstore.archive import segments
from itemstore.archive import work as works
from itemstore.archive.archive import Archive
from itemstore.archive.archiver import Archiver
from itemstore.archive.archiving import Logs
from itemstore.archive.directory import Directory
from itemstore.archive.object_store import ObjectStore, object_store_of
from itemstore.archive.objects import Objects
from itemstore.archive.standing import Progress, progress, standing
from itemstore.archive.trimming import Keep
from itemstore.archive.work import InThisProcess, Terms, Work
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.past import PastUnavailable
from tests.archive.killed import Life, MortalObjects
from tests.archive.stores import ITEMS, LOGS, ORDERS, again, in_archive, in_logs, put
from tests.conftest import PATIENCE
from tests.logged import all_told

SECONDS = 0.01

ALL = Keep(10**6, 10**9)

_Result = TypeVar("_Result")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for long."""
    for module in (archivers, works):
        monkeypatch.setattr(module, "PATIENCE", 0.01)
    monkeypatch.setattr(archivers, "STEPPED_BACK", 0.01)
    monkeypatch.setattr(archivers, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(archivers, "TURNED_AWAY", 0.01)


def logs(redis: Redis) -> Logs:
    """Those of two collections."""

    async def names() -> list[str]:
        return ["items", "orders"]

    return Logs(redis, StoreKeys(), names)


@asynccontextmanager
async def archiving(
    redis: Redis, archive: Archive, keep: Keep = ALL, seconds: float = SECONDS
) -> AsyncIterator[Archiver]:
    """An archiver, which runs for the block."""
    work = InThisProcess(logs(redis), archive, Terms(seconds, keep))
    archiver = Archiver([(logs(redis), archive)], work)
    archiver.start()
    try:
        yield archiver
    finally:
        await archiver.finish()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.01)


async def has_all(redis: Redis) -> bool:
    """Whether all events are archived."""
    now = await progress(redis, LOGS)
    return now.standing.archive is not None and now.events == 0


class Hindered(Life):
    """A place that does nothing for as long as it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.is_slow = False

    async def ask(self, question: Callable[[], Awaitable[_Result]]) -> _Result:
        """The answer, or why there is none."""
        self.asked += 1
        if self.is_away:
            raise PastUnavailable("The bucket is gone.")
        if self.is_slow:
            await asyncio.sleep(1000)
        return await question()


def hindered(objects: Objects) -> tuple[Archive, Hindered]:
    """An archive whose place can be taken away."""
    life = Hindered()
    return Archive(ObjectStore(MortalObjects(objects, life)), 0), life


async def test_what_comes_is_archived_by_itself(
    redis: Redis, appender: Appender, archive: Archive
) -> None:
    """From the first event on."""
    async with archiving(redis, archive):
        for _ in range(3):
            await put(appender, ITEMS, "a", "b")
            await put(appender, ORDERS, "a")
            await until(lambda: has_all(redis))
    assert await in_archive(again(archive)) == await in_logs(redis)


async def test_what_came_last_is_archived_at_the_end(
    redis: Redis, appender: Appender, archive: Archive
) -> None:
    """Although it was not its time yet."""
    await put(appender, ITEMS, "a")
    async with archiving(redis, archive, seconds=1000):
        await until(lambda: has_all(redis))
        await put(appender, ITEMS, "b")
        assert not await has_all(redis)
    assert await has_all(redis)


async def test_of_several_processes_one_archives_and_another_goes_on_after_it(
    redis: Redis, appender: Appender, archive: Archive
) -> None:
    """The second waits for the lease."""
    await put(appender, ITEMS, "a")
    async with archiving(redis, again(archive)):
        async with archiving(redis, again(archive)):
            await until(lambda: has_all(redis))
            await put(appender, ITEMS, "b")
            await until(lambda: has_all(redis))
        await put(appender, ITEMS, "c")
        await until(lambda: has_all(redis))
    manifest = await again(archive).refreshed()
    assert manifest is not None
    assert manifest.number == 4
    assert await redis.exists(ITEMS.store.lease("archive")) == 0


async def test_while_the_archive_is_away_nothing_is_trimmed_and_then_it_goes_on(
    redis: Redis,
    appender: Appender,
    archive: Archive,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason is logged once a minute, however often it is tried."""
    reached, life = hindered(archive.objects._objects)
    await put(appender, ITEMS, "a")
    [first] = await in_logs(redis)  # it is archived, and may be trimmed as soon as another comes
    async with archiving(redis, reached, Keep(1, 1)):
        await until(lambda: has_all(redis))
        life.is_away = True
        await put(appender, ITEMS, *(f"{n}" for n in range(20)))
        asked = life.asked

        async def was_tried() -> bool:
            return life.asked > asked + 3

        with caplog.at_level(logging.WARNING):
            await until(was_tried)
        assert (
            len([each for each in all_told(caplog) if each.get("reason") == "The bucket is gone."])
            == 1
        )
        others = await in_logs(redis, first[1][0].decode())
        assert len(others) == 20
        assert (await progress(redis, LOGS)).events == 20
        life.is_away = False
        await until(lambda: has_all(redis))
    assert await in_archive(again(archive)) == [first, *others]


async def test_a_place_that_never_answers_does_not_hold_up_the_end(
    redis: Redis, appender: Appender, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not got is there at the next start."""
    monkeypatch.setattr(works, "FINISH_SECONDS", 0.05)
    reached, life = hindered(archive.objects._objects)
    await put(appender, ITEMS, "a")
    async with archiving(redis, reached):
        await until(lambda: has_all(redis))
        life.is_slow = True
        await put(appender, ITEMS, "b")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < PATIENCE
    async with archiving(redis, again(archive)):
        await until(lambda: has_all(redis))


async def test_one_that_can_not_archive_hands_over(
    redis: Redis, appender: Appender, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another host may reach what this one does not."""
    monkeypatch.setattr(works, "HAND_OVER", 0.05)
    monkeypatch.setattr(archivers, "STEPPED_BACK", 0.2)
    reached, life = hindered(archive.objects._objects)
    await put(appender, ITEMS, "a")
    async with archiving(redis, reached):
        await until(lambda: has_all(redis))
        life.is_away = True
        await put(appender, ITEMS, "b")
        async with archiving(redis, again(archive)):
            await until(lambda: has_all(redis))


async def test_a_host_with_another_archive_archives_nothing_and_says_so(
    redis: Redis, appender: Appender, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """It never keeps the right one from its work."""
    await put(appender, ITEMS, "a")
    other = Archive(object_store_of("memory://another"), 0)
    async with archiving(redis, archive):
        await until(lambda: has_all(redis))
    with caplog.at_level(logging.WARNING):
        async with archiving(redis, other):
            await put(appender, ITEMS, "b")
            async with archiving(redis, again(archive)):
                await until(lambda: has_all(redis))
            await until(lambda: _says(caplog, "is empty, and that of this store"))
    assert await other.refreshed() is None


async def _says(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in str(each.get("reason")) for each in all_told(caplog))


async def test_keeps_what_each_host_is_told_to_keep(
    redis: Redis, appender: Appender, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever archives trims by its own settings; nobody harms the other."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 4)
    async with (
        archiving(redis, again(archive), Keep(40, 10**9)),
        archiving(redis, again(archive), Keep(8, 10**9)),
    ):
        for _ in range(10):
            await put(appender, ITEMS, *(f"{n}" for n in range(10)))
            await until(lambda: has_all(redis))

        async def is_trimmed() -> bool:
            return await redis.xlen(ITEMS.events) <= 44

        await until(is_trimmed)
    record = await in_archive(again(archive))
    held = await in_logs(redis)
    assert held == record[-len(held) :]
    assert Counter(entry[1][5] for _, entry in record) == {
        f"{version}".encode(): 10 for version in range(1, 11)
    }


async def test_an_engine_without_memory_gets_room_again(
    real_redis: Redis, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody held the lease when that began."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 4)
    await put(Appender(real_redis, ITEMS.store), ITEMS, *(f"{n % 7}" for n in range(100)))
    async with archiving(real_redis, again(archive)):
        await until(lambda: has_all(real_redis))
    await real_redis.config_set("maxmemory", 1)
    try:
        async with archiving(real_redis, again(archive), Keep(10, 10**9)):

            async def is_trimmed() -> bool:
                return await real_redis.xlen(ITEMS.events) < 16

            await until(is_trimmed)
    finally:
        await real_redis.config_set("maxmemory", 0)
    assert len(await in_archive(again(archive))) == 100


async def test_each_process_looks_whether_its_own_place_is_the_stores(
    redis: Redis, appender: Appender, archive: Archive, tmp_path: Path
) -> None:
    """At the start too, and where another process archives."""
    await put(appender, ITEMS, "a")
    other, life = hindered(Directory(tmp_path))

    async def says(words: str | None) -> None:
        async def does() -> bool:
            said = other.complaint
            return said is None if words is None else said is not None and words in said

        await until(does)

    async with archiving(redis, archive):
        await until(lambda: has_all(redis))
        async with archiving(redis, other):
            await says("is empty, and that of this store, which has the id ")
            life.is_away = True
            await says("The bucket is gone.")
        assert archive.complaint is None
    assert Progress(await standing(redis, ITEMS), 0, 0.0, other.complaint).sentence == (
        "The bucket is gone."
    )


class Raising(Work):
    """Work that ends at once."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self) -> None:
        """Raises what nobody foresaw."""
        self.runs += 1
        message = "never seen before"
        raise RuntimeError(message)


async def test_work_that_ends_is_begun_again(
    redis: Redis, appender: Appender, archive: Archive
) -> None:
    """Whatever it was, and the lease is free in between."""
    await put(appender, ITEMS, "a")
    work = Raising()
    archiver = Archiver([(logs(redis), archive)], work)
    archiver.start()

    async def ran_again() -> bool:
        return work.runs > 2

    await until(ran_again)
    await archiver.finish()
    assert await redis.exists(ITEMS.store.lease("archive")) == 0
