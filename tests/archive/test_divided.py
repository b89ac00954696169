"""The archives of a store of several partitions: one for each, and none holds up another."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from itemstore.archive import archiver as archivers
from itemstore.archive import work as works
from itemstore.archive import work_of_all
from itemstore.archive.archive import Archive
from itemstore.archive.archiver import Archiver
from itemstore.archive.archiving import Archiving
from itemstore.archive.object_store import ObjectStore, object_store_of
from itemstore.archive.whole import FILE, Whole, division_at
from itemstore.archive.work import Work
from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import partition_of
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.past import PastDamaged, PastUnavailable
from itemstore.store.archive_progress import archive_progress, progresses
from itemstore.store.archiver import archiving_of, kept_of, logs_and_archives, logs_of
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.archive.divided import at_work, divided, fill, has_all, in_archive, in_logs
from tests.conftest import PATIENCE
from tests.logged import all_told


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for long."""
    for module in (archivers, works):
        monkeypatch.setattr(module, "PATIENCE", 0.01)
    monkeypatch.setattr(archivers, "STEPPED_BACK", 0.01)
    monkeypatch.setattr(archivers, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(work_of_all, "STEPPED_BACK", 0.01)
    monkeypatch.setattr(work_of_all, "TURNED_AWAY", 0.01)


@pytest.fixture(params=["memory", "directory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place of each kind in turn."""
    if request.param == "memory":
        return f"memory://{secrets.token_hex(8)}"
    return str(tmp_path / "archive")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():
            await asyncio.sleep(0.02)


def archive_in(section: Store) -> Archive:
    """That of a partition."""
    assert section.archive is not None
    return section.archive


async def test_each_partition_is_archived_in_a_folder_of_its_own(redis: Redis, place: str) -> None:
    """And a file beside them says how many there are; ids in the lines name the partition."""
    store = divided(redis, place)
    await fill(store, 60)
    async with at_work(store):
        await until(lambda: has_all(store))
    top = object_store_of(place)
    division = await division_at(top)
    assert division is not None
    assert division.partitions == 4
    for number, section in enumerate(store.sections):
        archive = archive_in(section)
        assert archive.place.endswith(f"/{number}")
        manifest = await archive.refreshed()
        assert manifest is not None
        assert manifest.archive == f"{division.archive}-{number}"
        found = await Archiving(logs_of(section), archive).seal()
        assert found is not None
        assert found.number == manifest.number


async def test_a_partition_without_events_has_an_archive_too(redis: Redis, place: str) -> None:
    """So that one which lacks a manifest is known to be damaged."""
    store = divided(redis, place)
    await fill(store, 1)
    async with at_work(store):
        await until(lambda: has_all(store))
    manifests = [await archive_in(section).refreshed() for section in store.sections]
    assert sorted(each.events for each in manifests if each) == [0, 0, 0, 1]
    progress = await archive_progress(store)
    assert progress is not None
    assert progress.sentence == "The archive has every event."


async def test_a_store_without_an_event_begins_no_archive(redis: Redis, tmp_path: Path) -> None:
    """Nothing is made for it."""
    store = divided(redis, tmp_path / "archive")
    await fill(store, 0)
    async with at_work(store):
        await asyncio.sleep(0.1)
    assert not (tmp_path / "archive").exists()


async def test_what_came_last_is_archived_at_the_end(redis: Redis, place: str) -> None:
    """Of every partition."""
    store = divided(redis, place, archive_seconds=1000)
    await fill(store, 30)
    async with at_work(store):
        await until(lambda: has_all(store))
        await fill(store, 30, seed=2)
        assert not await has_all(store)
    assert await has_all(store)


async def test_what_has_nothing_new_asks_the_place_for_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many partitions there are, and however often it is looked."""
    monkeypatch.setattr(works, "REMOVAL_SECONDS", 0.05)
    store = divided(redis, f"memory://{secrets.token_hex(8)}", 16)
    await fill(store, 60)
    asked = 0
    original = ObjectStore._tried

    async def counted(self: ObjectStore, *arguments: object) -> object:
        nonlocal asked
        asked += 1
        return await original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ObjectStore, "_tried", counted)
    async with at_work(store):
        await until(lambda: has_all(store))
        await asyncio.sleep(1)
        before = asked
        await asyncio.sleep(0.5)
        assert asked == before


async def test_a_partition_whose_place_is_away_holds_up_no_other(
    redis: Redis, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on by itself once that is back."""
    store = divided(redis, place)
    hindered = archive_in(store.sections[2]).objects
    is_away = True
    original = ObjectStore._tried

    async def tried(self: ObjectStore, *arguments: object) -> object:
        if is_away and self is hindered:
            raise PastUnavailable("The bucket is gone.")
        return await original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ObjectStore, "_tried", tried)
    with caplog.at_level(logging.WARNING):
        async with at_work(store):
            for seed in range(3):
                await fill(store, 30, seed=seed)

                async def others_have_all() -> bool:
                    others = [each for n, each in enumerate(store.sections) if n != 2]
                    found = [await archive_in(each).refreshed() for each in others]
                    return None not in found and all(
                        [
                            await in_archive(archive_in(each)) == await in_logs(each)
                            for each in others
                        ]
                    )

                await until(others_have_all)
            behind = await progresses(store)
            assert behind is not None
            assert [each.events > 0 for each in behind.known] == [False, False, True, False]
            assert behind.whole.events == behind.known[2].events
            is_away = False
            await until(lambda: has_all(store))
    [said] = all_told(caplog, reason="The bucket is gone.")
    assert (said["event"], said["partition"]) == ("The archive stands still", 2)


async def test_a_partition_whose_node_is_away_holds_up_no_other(
    redis: Redis, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own progress says why it gives no answer."""
    store = divided(redis, place)
    await fill(store, 30)
    away = store.sections[1]
    names = away.keys.front

    original = redis.execute_command

    async def execute(*arguments: object, **options: object) -> object:
        if any(str(each).startswith(names) for each in arguments):
            raise ConnectionError
        return await original(*arguments, **options)  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patch:
        patch.setattr(redis, "execute_command", execute)
        async with at_work(store):

            async def others_have_all() -> bool:
                found = [await archive_in(each).refreshed() for each in store.sections]
                return [each is not None for each in found] == [True, False, True, True]

            await until(others_have_all)


async def test_the_place_of_a_store_with_another_number_of_partitions_is_refused(
    redis: Redis, place: str
) -> None:
    """Nothing is put there."""
    store = divided(redis, place)
    await fill(store, 30)
    async with at_work(store):
        await until(lambda: has_all(store))
    whole = Whole(object_store_of(place), 8, 0)
    with pytest.raises(PastUnavailable, match="has the archive of a store with 4 partitions"):
        await whole.begun()
    assert "with 4 partitions" in str(await whole.complaint())
    of_one = Archive(object_store_of(place), 0)
    with pytest.raises(PastUnavailable, match="has the archive of a store with 4 partitions"):
        await of_one.begin("log")


async def test_the_place_of_a_store_with_one_partition_is_refused(place: str) -> None:
    """As is another kind of store at the place of several."""
    await Archive(object_store_of(place), 0).begin("log")
    with pytest.raises(PastUnavailable, match="has the archive of a store with one partition"):
        await Whole(object_store_of(place), 4, 0).begun()


async def test_the_file_that_says_how_many_there_are_is_put_back_where_it_was_lost(
    redis: Redis, place: str
) -> None:
    """By the next process that archives, with the id that the archives have."""
    store = divided(redis, place)
    await fill(store, 30)
    async with at_work(store):
        await until(lambda: has_all(store))
    top = object_store_of(place)
    content = await top.get(FILE)
    assert json.loads(content)["partitions"] == 4
    await top.delete(FILE)
    again = divided(redis, place)
    async with at_work(again):

        async def is_back() -> bool:
            return await division_at(top) is not None

        await until(is_back)
    assert await top.get(FILE) == content
    await top.delete(FILE)
    assert (await Whole(top, 4, 0).begun()).encoded == content


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"format":1}', b'{"format":2,"archive":"0123456789abcdef","partitions":4}',
     b'{"format":1,"archive":"0123456789abcdef","partitions":true}',
     b'{"format":1,"archive":"x","partitions":4}'],
)  # fmt: skip
async def test_a_file_that_says_nothing_is_damage(content: bytes) -> None:
    """And no archive is begun beside it."""
    top = object_store_of(f"memory://{secrets.token_hex(8)}")
    await top.put_new(FILE, content)
    with pytest.raises(PastDamaged, match=FILE):
        await Whole(top, 4, 0).begun()


def test_each_partition_keeps_its_share_in_the_engine() -> None:
    """Together they keep what the store is to keep, and each keeps something."""
    settings = Settings(partitions=4, keep_events=1000, keep_bytes=4000)
    assert (kept_of(settings).events, kept_of(settings).bytes) == (250, 1000)
    assert kept_of(settings.model_copy(update={"keep_events": 3})).events == 1
    assert kept_of(settings.model_copy(update={"partitions": None})).events == 1000


async def test_what_is_kept_in_memory_is_kept_together(redis: Redis, place: str) -> None:
    """The limit is one for the process, however many partitions there are."""
    store = divided(redis, place, archive_cache=1 << 16)
    caches = {id(archive_in(each)._parts._cache) for each in store.sections}
    assert len(caches) == 1


async def test_of_several_processes_one_archives_and_another_goes_on_after_it(
    redis: Redis, place: str
) -> None:
    """There is one lease for all partitions."""
    one, other = divided(redis, place), divided(redis, place)
    await fill(one, 20)
    archiving = [Archiver(logs_and_archives(each), archiving_of(each)) for each in (one, other)]
    for each in archiving:
        each.start()
    await until(lambda: has_all(one))
    await archiving[0].finish()
    await fill(one, 20, seed=2)
    await until(lambda: has_all(one))
    await archiving[1].finish()
    assert await redis.exists(one.keys.lease("archive")) == 0


@pytest.mark.parametrize("place", ["memory"], indirect=True)
async def test_the_one_that_archives_goes_on_while_the_partition_of_the_lease_is_away(
    redis: Redis, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can take the lease then; afterwards it is still this one's."""
    monkeypatch.setattr(archivers, "LEASE_MS", 2000)
    store = divided(redis, place)
    await fill(store, 20)
    tries, is_away = 0, False
    original = Lease.renew

    async def renew(self: Lease) -> None:
        nonlocal tries
        tries += 1
        if is_away:
            message = "The node is away."
            raise LogUnavailable(message)
        await original(self)

    monkeypatch.setattr(Lease, "renew", renew)
    work = Counted(archiving_of(store))
    archiver = Archiver(logs_and_archives(store), work)
    archiver.start()
    await until(lambda: has_all(store))

    async def were_tried(more: int) -> bool:
        return tries >= more

    for away in (True, False):
        is_away, before = away, tries
        item = next(name for name in map(str, range(40)) if partition_of(name, len(store.sections)))
        await store.collections["items"].log.append(PutItem(item, b"{}"))
        await until(lambda: has_all(store))
        await until(lambda: were_tried(before + 2))  # noqa: B023 - waited for here
    assert work.runs == 1
    await archiver.finish()


class Counted(Work):
    """Work that counts how often it is begun."""

    def __init__(self, work: Work) -> None:
        self.runs = 0
        self._work = work

    async def run(self) -> None:
        """Begins it."""
        self.runs += 1
        await self._work.run()
