"""Appending: the event that a command became, and what it did to the current items."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PatchItem, PutItem
from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.evolve import Item, evolve
from itemstore.domain.positions import key_of
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from tests.conftest import ENGINES_AND_CLUSTERS, assert_agreement, contents
from tests.wire import Wire

pytestmark = ENGINES_AND_CLUSTERS


async def test_the_first_put_creates_and_the_next_ones_update(log: EventLog, keys: Keys) -> None:
    """The same command twice: the second is an event of its own."""
    created = await log.append(PutItem("foo", b'{"size":6}'))
    updated = await log.append(PutItem("foo", b'{"size":6}'))
    patched = await log.append(PatchItem("foo", b'{"size":7}'))

    expected: list[tuple[RecordedEvent, ItemCreated | ItemUpdated]] = [
        (created, ItemCreated("foo", b'{"size":6}')),
        (updated, ItemUpdated("foo", b'{"size":6}')),
        (patched, ItemUpdated("foo", b'{"size":7}')),
    ]
    for version, (recorded, event) in enumerate(expected, start=1):
        found = RecordedEvent(recorded.position, version, event, partition=keys.partition)
        assert recorded == found
    positions = [key_of(event.position) for event in (created, updated, patched)]
    assert positions == sorted(set(positions))


async def test_versions_go_on_after_a_delete(log: EventLog, items: CurrentItems) -> None:
    """A deleted item is created again, at a version that it never had."""
    await log.append(PutItem("foo", b"1"))
    deleted = await log.append(DeleteItem("foo"))
    recreated = await log.append(PutItem("foo", b"2"))

    assert (deleted.version, deleted.event) == (2, ItemDeleted("foo"))
    assert (recreated.version, recreated.event) == (3, ItemCreated("foo", b"2"))
    item = Item("foo", 3, recreated.position, recreated.position, b"2")
    assert await items.get("foo") == item


async def test_each_event_changes_the_row_as_evolve_says(
    log: EventLog, items: CurrentItems
) -> None:
    """Lua's reading of an event and Python's are the same, step by step."""
    item: Item | None = None
    for command in (
        PutItem("foo", b'{"a":[]}'),
        PutItem("foo", b"null"),
        PatchItem("foo", b'"}"'),
        DeleteItem("foo"),
        PutItem("foo", b'{"deleted":true}'),
        DeleteItem("foo"),
    ):
        item = evolve(item, await log.append(command))
        assert await items.get("foo") == item


async def test_what_append_answers_is_what_the_log_holds(log: EventLog) -> None:
    """Type, position, version, body and meta, each event."""
    meta = {"actor": "Zoë \U0001f600", "key": 'a"b', "traceparent": "00-1-2-01"}
    answers = [
        await log.append(PutItem("foo", b'{"size":1}'), meta),
        await log.append(PutItem("a/b é", b"[]")),
        await log.append(DeleteItem("foo"), {"actor": "ann"}),
    ]
    assert await log.reader.read() == answers
    assert [event.meta for event in answers] == [meta, {}, {"actor": "ann"}]


@pytest.mark.parametrize(
    "item", ["a", "a/b", "a b", "é😀", "\U0010ffff", "%s%", "a:b", '"', "+", "-0", "1,2", "x" * 512]
)
async def test_any_id_names_an_item(log: EventLog, items: CurrentItems, item: str) -> None:
    """No character means anything to the script, the stream or the keys."""
    await log.append(PutItem(item, b"1"))
    updated = await log.append(PutItem(item, b"2"))
    stored = await items.get(item)

    assert updated.event == ItemUpdated(item, b"2")
    assert stored is not None
    assert (stored.id, stored.version, stored.body) == (item, 2, b"2")
    assert await log.reader.history(item) == await log.reader.read()


async def test_a_write_touches_no_keys_but_the_documented_ones(
    redis: Redis, log: EventLog, keys: Keys
) -> None:
    """What redis-cli shows is listed in the design; the writer's key has a lifetime."""
    await log.append(PutItem("foo", b"1"))
    await log.append(PutItem("a/b", b"1"))
    held = await contents(redis)
    front = f"{{{keys.partition}}}:" if keys.partition is not None else ""
    [writer] = [key for key in held if key.startswith(f"{front}itemstore:writers:".encode())]

    assert set(held) - {writer} == {
        f"{front}{name}".encode()
        for name in (
            "items:events",
            "items:current",
            "items:ids",
            "items:history:foo",
            "items:history:a/b",
            "itemstore:position",
        )
    }
    assert 9 * 60_000 < await redis.pttl(writer) <= 10 * 60_000


async def test_two_namespaces_on_one_engine_do_not_meet(
    redis: Redis, partition: Partition, keys: Keys
) -> None:
    """Each has its own log, and the same id is another item in it."""
    here, there = partition, Partition(redis, replace(keys, namespace="shop"))
    created = await EventLog(here).append(PutItem("foo", b"1"))
    other = await EventLog(there).append(PutItem("foo", b"2"))

    assert isinstance(created.event, ItemCreated)
    assert isinstance(other.event, ItemCreated)
    await assert_agreement(here)
    await assert_agreement(there)
    fronts = tuple(
        f"{namespace}{name}:".encode()
        for name in (keys.prefix, keys.store.layout.removesuffix(":layout"))
        for namespace in ("", "shop:")
    )
    assert all(key.startswith(fronts) for key in await contents(redis))


async def test_concurrent_appends_get_an_answer_each(log: EventLog, partition: Partition) -> None:
    """Nobody gets another's event: the body in each answer is the one that was sent."""
    commands = [PutItem(f"item {number % 7}", b"%d" % number) for number in range(300)]
    answers = await asyncio.gather(*(log.append(command) for command in commands))

    assert [(answer.item, answer.event.body) for answer in answers] == [  # type: ignore[union-attr]
        (command.item, command.body) for command in commands
    ]
    assert sorted(await log.reader.read(), key=str) == sorted(answers, key=str)
    await assert_agreement(partition)


async def test_a_caller_that_goes_away_takes_no_other_along(log: EventLog, wire: Wire) -> None:
    """Its own command is appended, as it was on its way; the others get their answers."""
    wire.is_open.clear()
    gone = asyncio.create_task(log.append(PutItem("foo", b"1")))
    stays = asyncio.create_task(log.append(PutItem("foo", b"2")))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0)
    wire.is_open.set()

    assert (await stays).version == 2
    assert gone.cancelled()
    assert (await log.reader.extent()).length == 2


@pytest.mark.parametrize(
    ("command", "meta"),
    [(PutItem("\ud800", b"1"), {}), (PutItem("foo", b"1"), {"actor": "\ud800"})],
)
async def test_what_is_no_text_fails_its_own_caller_alone(
    log: EventLog, command: PutItem, meta: dict[str, str]
) -> None:
    """Half a surrogate pair can't be written in UTF-8; the rest of the batch can."""
    good, bad, waiting = await asyncio.gather(
        log.append(PutItem("good", b"1")),
        log.append(command, meta),
        log.append(PutItem("good", b"2")),
        return_exceptions=True,
    )
    assert isinstance(bad, UnicodeEncodeError)
    assert [event.item for event in await log.reader.read()] == ["good", "good"]
    assert isinstance(good, RecordedEvent)
    assert isinstance(waiting, RecordedEvent)
