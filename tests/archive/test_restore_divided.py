"""A store of several partitions, made of the archives of all of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.lines import Placed
from itemstore.archive.object_store import object_store_of
from itemstore.archive.whole import FILE, division_at, partitions_at
from itemstore.domain.commands import PutItem
from itemstore.domain.cursors import cursor_at
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START, key_of
from itemstore.domain.rfc3339 import rfc3339
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.past import PastDamaged
from itemstore.projections.progress import Progress, unreported
from itemstore.store.archive_place import archives_at
from itemstore.store.archiver import begin_all, logs_of
from itemstore.store.half_restored import HalfRestored
from itemstore.store.restore import restore, restore_all, restored
from itemstore.store.restore_end import NoSuchEnd
from itemstore.store.restore_section import RestoreRefused
from itemstore.store.store import Store
from tests.archive.divided import divided, fill, in_logs
from tests.archive.stores import begin_to_serve
from tests.archive.test_restore import Killed, Killing
from tests.archive.whole_stores import digests
from tests.conftest import contents
from tests.thorough import EACH


def fake() -> Redis:
    """An engine of its own."""
    return FakeAsyncRedis(server=FakeServer())


def new_place() -> str:
    """An empty place."""
    return f"memory://{secrets.token_hex(8)}"


async def sealed(store: Store) -> list[list[Placed]]:
    """Archives all that a store has, and gives what each partition has."""
    await begin_all(store)
    for section in store.sections:
        assert section.archive is not None
        await Archiving(logs_of(section), section.archive).seal()
    return [await in_logs(section) for section in store.sections]


async def with_archive(place: str, events: int = 120, items: int = 20) -> Store:
    """A store with a history, and its archive at a place."""
    store = divided(fake(), place)
    await fill(store, events, items=items)
    await sealed(store)
    return store


def sources(place: str, partitions: int = 4) -> Sequence[Archive]:
    """The archives at a place, as a process sees them that has read nothing yet."""
    return archives_at(place, partitions, 1 << 20)


async def again(store: Store, place: str, at: str | None = None) -> Store:
    """The same store, restored to the end."""
    async for _ in restore_all(store, sources(place), at, unreported):
        pass
    return store


async def all_digests(store: Store) -> list[list[str]]:
    """Of each collection in each partition; all are clean."""
    return [await digests(section) for section in store.sections]


@pytest.mark.parametrize("keep", [8, 100, 10**6])
@pytest.mark.parametrize("kind", ["same", "fork", "none"])
async def test_each_partition_is_restored_as_it_was(redis: Redis, kind: str, keep: int) -> None:
    """With its positions and versions, beside its own archive."""
    place = new_place()
    source = await with_archive(place)
    before = await all_digests(source)
    own = {"same": place, "fork": new_place(), "none": "off"}[kind]
    store = await again(divided(redis, own, keep_events=keep), place)
    assert await all_digests(store) == before
    for section, was in zip(store.sections, source.sections, strict=True):
        assert await in_logs(section) == await in_logs(was)
    found = await restored(store)
    assert found.events == 120
    assert found.items == len({*await names_in(source)})
    if kind == "none":
        assert found.in_engine == 120
    elif keep == 8:
        assert found.in_engine < 30
    if kind == "fork":
        assert await division_at(object_store_of(own)) != await division_at(object_store_of(place))


async def names_in(store: Store) -> set[tuple[str, bytes]]:
    """The items of a store."""
    return {
        (name, fields[3])
        for section in store.sections
        for name, (_, fields) in await in_logs(section)
    }


async def test_a_restored_store_goes_on(redis: Redis) -> None:
    """Items go on with their versions, and each partition with its archive, empty ones too."""
    place = new_place()
    source = await with_archive(place, 3, items=2)
    store = await again(divided(redis, place), place)
    await fill(store, 40, seed=7)
    for section, was in zip(store.sections, source.sections, strict=True):
        earlier = await in_logs(was)
        assert (await in_logs(section))[: len(earlier)] == earlier
    now = await sealed(store)
    other = await again(divided(fake(), "off"), place)
    assert [await in_logs(section) for section in other.sections] == now
    await all_digests(other)


async def test_a_time_is_the_same_in_every_partition(redis: Redis) -> None:
    """What came after it is not restored; a partition that had nothing yet is empty."""
    place = new_place()
    store = divided(fake(), place)
    await fill(store, 5)
    await asyncio.sleep(0.01)
    events = await sealed(store)
    last = max((each[-1][1][0].decode() for each in events if each), key=key_of)
    await fill(store, 50, seed=2)
    await sealed(store)
    found = await again(divided(redis, new_place()), place, rfc3339(last))
    until = [
        [each for each in some if key_of(each[1][0].decode())[0] <= key_of(last)[0]]
        for some in [await in_logs(section) for section in store.sections]
    ]
    assert [await in_logs(section) for section in found.sections] == until
    await all_digests(found)
    await fill(found, 20, seed=3)


async def test_a_cursor_says_a_place_in_every_partition(redis: Redis) -> None:
    """One may be at its start."""
    place = new_place()
    store = await with_archive(place)
    events = [await in_logs(section) for section in store.sections]
    positions = [START, *(each[len(each) // 2][1][0].decode() for each in events[1:])]
    found = await again(divided(redis, "off"), place, cursor_at(positions))
    for section, some, position in zip(found.sections, events, positions, strict=True):
        wanted = [each for each in some if key_of(each[1][0].decode()) <= key_of(position)]
        assert await in_logs(section) == wanted


async def refused(store: Store, place: str, at: str | None = None) -> str:
    """What is said of a restore that is refused; nothing was written by it."""
    before = await contents(store.partition.client)
    with pytest.raises((RestoreRefused, NoSuchEnd)) as caught:
        await again(store, place, at)
    assert await contents(store.partition.client) == before
    return str(caught.value)


async def test_what_is_no_place_in_several_partitions_is_refused() -> None:
    """A position is one in a partition only."""
    place = new_place()
    await with_archive(place)
    store = divided(fake(), new_place())
    assert "says no place in 4 partitions" in await refused(store, place, "1795425451586-0")
    assert "says no place in 4 partitions" in await refused(store, place, "1795425451586-0@2")
    assert "The archive ends at" in await refused(store, place, "2100-01-01T00:00:00Z")
    assert "The archive begins at" in await refused(store, place, "2000-01-01T00:00:00Z")


async def test_an_archive_that_lacks_a_partition_is_refused() -> None:
    """Nobody knows whether it had events."""
    place = new_place()
    await with_archive(place)
    top = object_store_of(place)
    for name in await top.names("2/manifests/"):
        await top.delete(name)
    said = await refused(divided(fake(), new_place()), place)
    assert said.startswith(f"{place}/2 has no manifest, and each partition has one")


async def test_folders_of_several_stores_are_refused() -> None:
    """They are no archive of any."""
    place, other = new_place(), new_place()
    await with_archive(place)
    await with_archive(other)
    top, there = object_store_of(place), object_store_of(other)
    for folder in ("1/manifests/", "1/segments/", "1/indexes/"):
        for name in await top.names(folder):
            await top.delete(name)
        for name in await there.names(folder):
            await top.put_new(name, await there.get(name))
    assert "are of several stores' archives" in await refused(divided(fake(), "off"), place)


async def test_the_archive_of_another_store_is_refused_as_its_own() -> None:
    """The store needs a place of its own; with --at the first one is none either."""
    place, other = new_place(), new_place()
    store = await with_archive(place)
    await with_archive(other)
    assert "has the archive of another store" in await refused(divided(fake(), other), place)
    events = [await in_logs(section) for section in store.sections]
    last = max(some[-1][1][0].decode() for some in events)
    said = await refused(divided(fake(), place), place, rfc3339(last))
    assert "goes another way" in said


async def test_the_archive_of_one_partition_alone_is_refused(redis: Redis) -> None:
    """It is not that of a store."""
    place = new_place()
    await with_archive(place)
    one = Archive(sources(place)[1].objects, 0)
    with pytest.raises(RestoreRefused, match="has the archive of one of several partitions"):
        async for _ in restore(divided(redis, "off", 1), one, None, unreported):
            pass


async def test_progress_is_over_all_partitions(redis: Redis) -> None:
    """It only goes up, to the end."""
    place = new_place()
    await with_archive(place)
    told: list[Progress] = []
    async for _ in restore_all(divided(redis, "off"), sources(place), None, told.append):
        pass
    assert [each.events for each in told] == sorted(each.events for each in told)
    assert (told[-1].events, told[-1].total) == (120, 120)


@pytest.mark.parametrize("kind", ["same", "fork", "none"])
async def test_a_restore_that_is_killed_anywhere_ends_the_same(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Killed after each thing that it does, and run again, it makes the same store."""
    monkeypatch.setattr("itemstore.store.restored_rows.MOST_ROWS", 8)
    monkeypatch.setattr("itemstore.store.restored_rows.ROWS", 4)
    monkeypatch.setattr("itemstore.store.restoring.EVENTS", 6)
    place, half_restored, after, was_killed = new_place(), 0, 0, True
    source = await with_archive(place, 50)
    wanted = [await in_logs(section) for section in source.sections]
    while was_killed:
        redis, own = fake(), {"same": place, "fork": new_place(), "none": "off"}[kind]
        store = divided(redis, own, keep_events=16)
        was_killed = await is_killed(store, place, after)
        if await redis.exists("{0}:itemstore:restoring"):
            half_restored += 1
            with pytest.raises(HalfRestored):
                await begin_to_serve(divided(redis, own))
            first = next(n for n in map(str, range(99)) if not partition_of(n, len(store.sections)))
            log = divided(redis, own).collections["items"].log
            with pytest.raises(LogUnavailable, match="is being restored"):
                await log.append(PutItem(first, b"{}"))
        store = divided(redis, own, keep_events=16)
        if was_killed and not await is_complete(redis):
            await again(store, place)
        assert [await in_logs(section) for section in store.sections] == wanted, after
        await begin_to_serve(store)
        after += EACH
    await all_digests(store)
    assert half_restored > 40 // EACH


async def is_complete(redis: Redis) -> bool:
    """Whether a restore came to its end before its process was killed."""
    restoring = [await redis.exists(f"{{{n}}}:itemstore:restoring") for n in range(4)]
    return not any(restoring) and bool(await redis.hexists("{0}:itemstore:layout", "log"))


async def is_killed(store: Store, place: str, after: int) -> bool:
    """Whether a restore comes to no end, since it is killed after so many things that it did."""
    killing, found = Killing(after), sources(place)
    archives = [*found, *(each.archive for each in store.sections if each.archive)]
    objects = [each.objects for each in archives]
    objects += [each.whole.objects for each in archives if each.whole]
    with pytest.MonkeyPatch.context() as patch:
        client = store.partition.client
        patch.setattr(client, "execute_command", killing.of(client.execute_command))
        for each in {id(one): one for one in objects}.values():
            patch.setattr(each, "_tried", killing.of(each._tried))
        try:
            async for _ in restore_all(store, found, None, unreported):
                pass
        except Killed:
            return True
    return False


async def test_a_place_that_has_lost_its_file_says_so() -> None:
    """The folders alone don't say how many there were."""
    place = new_place()
    assert await partitions_at(object_store_of(place)) == 1
    await with_archive(place)
    top = object_store_of(place)
    assert await partitions_at(top) == 4
    await top.delete(FILE)
    with pytest.raises(PastDamaged, match="lacks partitions"):
        await partitions_at(top)
