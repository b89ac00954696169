"""A store made of an archive is the one that was archived."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.lines import Placed
from itemstore.archive.object_store import object_store_of
from itemstore.domain.commands import PutItem
from itemstore.domain.positions import START
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.log_id import known_identity
from itemstore.eventlog.past import PastDamaged
from itemstore.projections.progress import unreported
from itemstore.store.half_restored import HalfRestored
from itemstore.store.look import check_writable
from itemstore.store.restore import restore
from itemstore.store.restore_end import NoSuchEnd, last_event
from itemstore.store.restore_section import RestoreRefused
from itemstore.store.store import Store
from itemstore.store.tokens import Role, create
from tests.archive.archives import fill, in_parts
from tests.archive.entries import entry
from tests.archive.stores import begin_to_serve
from tests.archive.whole_stores import (
    PREPARED,
    archived,
    digests,
    entries_of,
    held,
    positions,
    store_on,
    trimmed,
    with_history,
)
from tests.conftest import contents
from tests.thorough import EACH

EVENTS = 200


@pytest.fixture
def archive() -> Archive:
    """An empty archive in memory."""
    return another_archive()


def another_archive(archive: Archive | None = None) -> Archive:
    """The same archive as another process has it; or an empty one."""
    if archive is not None:
        return Archive(archive.objects, cache_bytes=1 << 20)
    return Archive(object_store_of(f"memory://{secrets.token_hex(8)}"), cache_bytes=1 << 20)


def fake() -> Redis:
    """An engine of its own."""
    return FakeAsyncRedis(server=FakeServer())


def target(redis: Redis, archive: Archive | None, keep: int = 10**6) -> Store:
    """A store to be restored into."""
    return store_on(redis, archive, PREPARED.model_copy(update={"keep_events": keep}))


async def restored(store: Store, source: Archive, at: str | None = None) -> Store:
    """The same store, restored to the end."""
    async for _ in restore(store, another_archive(source), at, unreported):
        pass
    return store


@pytest.mark.parametrize("keep", [3, 100, 10**6])
async def test_a_store_is_restored_as_if_it_had_been_trimmed(
    redis: Redis, archive: Archive, keep: int
) -> None:
    """Each key is what the archived store has: streams, rows, ids, histories, counts, positions."""
    source = await with_history(EVENTS)
    before = await digests(source)
    entries = await archived(source, archive)

    store = await restored(target(redis, another_archive(archive), keep), archive)

    end, left = positions(entries)[-1], len(entries) - keep
    border = positions(entries)[left - 1] if left > 0 else START
    await trimmed(source, archive, border, end, len(entries))
    assert await held(redis) == await held(source.partition.client)
    for name, each in store.collections.items():
        there = await source.collections[name].partition.reader.extent()
        assert await each.partition.reader.extent() == there
    assert await digests(store) == before
    assert await entries_of(store) == entries


async def test_a_store_without_an_archive_has_all_events_in_its_engine(
    redis: Redis, archive: Archive
) -> None:
    """It needs none then."""
    source = await with_history(EVENTS)
    entries = await archived(source, archive)
    store = await restored(target(redis, None, keep=5), archive)
    assert await held(redis) == await held(source.partition.client)
    assert await entries_of(store) == entries


async def test_the_log_of_a_restored_store_is_another_one(archive: Archive) -> None:
    """It may lack what the old one had at its end; the archive is for the new one from then on."""
    source = await with_history(50)
    await archived(source, archive)
    store = await restored(target(fake(), another_archive(archive)), archive)
    log = await known_identity(store.partition)
    manifest = await another_archive(archive).current()
    assert manifest is not None
    assert log == manifest.log != await known_identity(source.partition)


async def test_a_restored_store_goes_on(redis: Redis, archive: Archive) -> None:
    """The next event of an item that is in the archive has the next version."""
    source = await with_history(EVENTS)
    entries = await archived(source, archive)
    store = await restored(target(redis, another_archive(archive), keep=10), archive)
    recorded = await store.collections["quiet"].log.append(PutItem("alone", b"{}"))
    assert recorded.version == 2
    assert [*positions(entries), recorded.position] == positions(await entries_of(store))
    await digests(store)


@pytest.mark.parametrize("place", [0, 17, 39, 40, 150])
async def test_a_fork_is_cut_at_the_position(archive: Archive, place: int) -> None:
    """It has the events up to there and no other; the first archive is left alone."""
    source = await with_history(EVENTS)
    entries = await archived(source, archive)
    transaction_free = [
        n for n, (_, (_, fields)) in enumerate(entries) if b"transac" not in fields[9]
    ]
    number = max(n for n in transaction_free if n <= place)
    names = await archive.objects.names("")
    own = another_archive()

    store = await restored(target(fake(), own, keep=20), archive, positions(entries)[number])

    assert await entries_of(store) == entries[: number + 1]
    await digests(store)
    assert await archive.objects.names("") == names
    manifest, first = await own.current(), await archive.current()
    assert manifest is not None
    assert first is not None
    assert manifest.archive != first.archive
    assert (manifest.number, manifest.last) == (1, positions(entries)[number])


async def test_a_fork_without_an_end_has_all(archive: Archive) -> None:
    """Into a place of its own."""
    source = await with_history(EVENTS)
    entries = await archived(source, archive)
    store = await restored(target(fake(), another_archive(), keep=20), archive)
    assert await entries_of(store) == entries
    assert await digests(store) == await digests(source)


class Killed(BaseException):
    """The process ended here."""


class Killing:
    """Ends a restore after a number of things that it asked the engine or an archive for."""

    def __init__(self, after: int) -> None:
        self.left = after

    def of(self, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """What asks the same, until it is over: half of the times what was asked for is done."""

        async def asking(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left < 0 and self.left % 2:
                raise Killed
            answer = await ask(*arguments, **named)
            if self.left < 0:
                raise Killed
            return answer

        return asking


def own_for(kind: str, archive: Archive) -> Archive | None:
    """The archive that a store goes on with."""
    return {"same": another_archive(archive), "fork": another_archive(), "none": None}[kind]


async def is_killed(store: Store, source: Archive, at: str | None, after: int) -> bool:
    """Whether a restore comes to no end, since it is killed after so many things that it did."""
    killing, source = Killing(after), another_archive(source)
    objects = [each.objects for each in (source, store.archive) if each]
    with pytest.MonkeyPatch.context() as patch:
        client = store.partition.client
        patch.setattr(client, "execute_command", killing.of(client.execute_command))
        for each in objects:
            patch.setattr(each, "_tried", killing.of(each._tried))
        try:
            async for _ in restore(store, source, at, unreported):
                pass
        except Killed:
            return True
    return False


@pytest.mark.parametrize("kind", ["same", "fork", "none"])
async def test_a_restore_that_is_killed_anywhere_ends_the_same(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Killed after each thing that it does, and run again, it makes the same store."""
    archive = another_archive()
    monkeypatch.setattr("itemstore.store.restored_rows.MOST_ROWS", 15)
    monkeypatch.setattr("itemstore.store.restored_rows.ROWS", 5)
    monkeypatch.setattr("itemstore.store.restoring.EVENTS", 8)
    source = await with_history(60)
    entries = await archived(source, archive, 20)
    at = positions(entries)[50] if kind == "fork" else None
    wanted = await comparable(
        await restored(target(fake(), own_for(kind, archive), 20), archive, at)
    )
    half_restored, after, was_killed = 0, 0, True
    while was_killed:
        redis, own = fake(), own_for(kind, archive)
        was_killed = await is_killed(target(redis, own, 20), archive, at, after)
        if await redis.exists("itemstore:restoring"):
            half_restored += 1
            with pytest.raises(HalfRestored):
                await begin_to_serve(target(redis, own))
            with pytest.raises(LogUnavailable, match="is being restored"):
                await target(redis, own).collections["orders"].log.append(PutItem("a", b"{}"))
            with pytest.raises(LogUnavailable, match="is being restored"):
                await check_writable(target(redis, own))
        store = target(redis, own and another_archive(own), 20)
        if was_killed and await redis.get("itemstore:position") in (None, b"restoring"):
            await restored(store, archive, at)
        assert await comparable(store) == wanted, after
        assert await entries_of(store) == (entries[:51] if at else entries)
        after += EACH
    assert half_restored > 20 // EACH


async def comparable(store: Store) -> dict[bytes, Any]:
    """What is held, without the id of the archive."""
    found = await held(store.partition.client)
    (found.get(b"itemstore:archive") or {}).pop(b"archive", None)
    return found


async def refused(store: Store, source: Archive, at: str | None = None) -> str:
    """What is said of a restore that is refused; nothing was written by it."""
    before = await contents(store.partition.client)
    with pytest.raises((RestoreRefused, NoSuchEnd)) as caught:
        await restored(store, source, at)
    assert await contents(store.partition.client) == before
    return str(caught.value)


async def test_only_an_empty_engine_is_restored_into(archive: Archive) -> None:
    """One that was served and never written to is empty, and so is one with tokens only."""
    redis = fake()
    source = await with_history(30)
    await archived(source, archive)
    store = target(redis, another_archive(archive))
    await begin_to_serve(store)
    await create(store.partition, "ann", Role.admin)
    await redis.set("products:history:a", "x")
    assert "(the key products:history:a is there)" in await refused(store, archive)
    await redis.delete("products:history:a")
    await restored(store, archive)
    assert "(the key " in await refused(store, archive)
    assert await redis.hlen("itemstore:tokens") == 1


async def test_an_archive_that_has_nothing_is_refused() -> None:
    """As is a place without one."""
    nothing = another_archive()
    assert "There is no archive in memory://" in await refused(target(fake(), None), nothing)


async def test_the_archive_of_another_store_is_refused(archive: Archive) -> None:
    """The store needs a place of its own; with --at the first one is none either."""
    source = await with_history(30)
    entries = await archived(source, archive)
    other = another_archive()
    await archived(source, other)
    assert "has the archive of another store" in await refused(target(fake(), other), archive)
    own = another_archive(archive)
    said = await refused(target(fake(), own), archive, positions(entries)[5])
    assert said.startswith("With --at the store goes another way from ")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("yesterday", "--at takes a position"),
        ("1-1", "The archive begins at "),
        ("1970-01-01T00:00:00Z", "The archive begins at "),
        ("99999999999999-0", "The archive ends at "),
        ("2999-01-01T00:00:00Z", "The archive ends at "),
    ],
)
async def test_an_end_that_the_archive_does_not_have_is_refused(
    archive: Archive, at: str, said: str
) -> None:
    """Before anything is written."""
    source = await with_history(30)
    await archived(source, archive)
    assert (await refused(target(fake(), another_archive()), archive, at)).startswith(said)


async def test_another_restore_than_the_one_that_was_begun_is_refused(archive: Archive) -> None:
    """Another end, or another place for the store's own archive."""
    source = await with_history(200)
    entries = await archived(source, archive)
    redis, own = fake(), another_archive()
    async for _ in restore(target(redis, own), another_archive(archive), None, unreported):
        break
    assert "was begun here" in await refused(target(redis, own), archive, positions(entries)[5])
    assert "(ITEMSTORE_ARCHIVE" in await refused(target(redis, None), archive)
    await restored(target(redis, own), archive)


def at_positions(*events: tuple[str, str]) -> list[Placed]:
    """Events of an item each, at positions, with a transaction where one is named."""
    return [
        ("items", entry(position, f"item {n}", 1, meta=b'{"transaction":"%b"}' % name.encode()))
        if name
        else ("items", entry(position, f"item {n}", 1))
        for n, (position, name) in enumerate(events)
    ]


async def test_a_transaction_is_restored_as_a_whole_or_not_at_all(archive: Archive) -> None:
    """A time within one leaves it out, and a position within one is refused."""
    events = [("1000-0", ""), ("2000-0", "t"), ("2000-1", "t"), ("3000-0", "t"), ("4000-0", "")]
    await fill(archive, in_parts(at_positions(*events), 2))
    past, manifest = ArchivedPast(archive), await archive.current()
    assert manifest is not None
    for at, end in (
        ("1970-01-01T00:00:01Z", "1000-0"),
        ("1970-01-01T00:00:02.5Z", "1000-0"),
        ("1970-01-01T00:00:03Z", "3000-0"),
        ("1970-01-01T00:00:04Z", "4000-0"),
        ("3000-0", "3000-0"),
        ("3500-0", "3000-0"),
        ("1999-9", "1000-0"),
    ):
        assert await last_event(past, manifest, at) == end
    for at in ("2000-0", "2000-1", "2000-7"):
        with pytest.raises(NoSuchEnd, match="up to 3000-0, or to 1000-0, the last event before"):
            await last_event(past, manifest, at)


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
async def test_a_damaged_segment_is_found_and_named(archive: Archive, damage: str) -> None:
    """The restore ends there, and goes on once the file is back."""
    source = await with_history(200)
    entries = await archived(source, archive, 60)
    manifest = await archive.current()
    assert manifest is not None
    name = manifest.segments[2].name
    content = await archive.objects.get(name)
    await archive.objects.delete(name)
    if damage != "gone":
        wrong = content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1])
        await archive.objects.put_new(name, wrong)
    redis = fake()
    with pytest.raises(PastDamaged, match=name.replace(".", r"\.")):
        await restored(target(redis, another_archive(archive), 150), archive)
    with pytest.raises(HalfRestored):
        await begin_to_serve(target(redis, None))
    await archive.objects.delete(name)
    await archive.objects.put_new(name, content)
    store = await restored(target(redis, another_archive(archive), 150), archive)
    assert await entries_of(store) == entries


async def test_an_entry_that_is_no_event_comes_back_as_it_was(
    redis: Redis, archive: Archive
) -> None:
    """Somebody wrote it into the log by hand; items have no part in it."""
    source = await with_history(20)
    client = source.partition.client
    for name in ("orders", "products"):
        await client.xadd(f"{name}:events", {"by": "hand"})
    entries = await archived(source, archive)
    store = await restored(target(redis, another_archive(archive), 10), archive)
    assert await entries_of(store) == entries


async def test_a_damaged_manifest_is_not_passed_over_in_silence(archive: Archive) -> None:
    """The one before it may lack events: somebody has to say that it will do."""
    source = await with_history(50)
    entries = await archived(source, archive)
    newest = (await archive.objects.names("manifests/"))[-1]
    number = int(newest.removeprefix("manifests/").removesuffix(".json")) + 1
    wrong = f"manifests/{number:020}.json"
    await archive.objects.put_new(wrong, b"{")
    said = await refused(target(fake(), another_archive()), archive)
    assert said.startswith(wrong)
    assert "move it away" in said
    await archive.objects.delete(wrong)
    store = await restored(target(fake(), another_archive()), archive)
    assert await entries_of(store) == entries
