"""Idempotency keys over several partitions: one key is one request, wherever its item is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT, PRESENT
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import OneEngine
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog import claim
from itemstore.eventlog.claims import Claims
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey, KeyInUse, KeyReused
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.log import Log
from itemstore.eventlog.transaction import Addressed
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store

PARTITIONS = 3

HOME, ELSEWHERE, THIRD = "{bar}", "{baz}", "{foo}"
"""Items in each of three partitions; see the first test."""

KEY = "{bar}k"
"""A key whose home is that of the first."""


def store_of(redis: Redis) -> Store:
    """One process's, on this engine."""
    return store_on(OneEngine(redis), Settings(partitions=PARTITIONS))


@pytest.fixture
def store(redis: Redis) -> Store:
    """A store of three partitions on each engine."""
    return store_of(redis)


@pytest.fixture
def log(store: Store) -> Log:
    """That of its only collection."""
    return store.collections["items"].log


def asked(item: str, body: bytes = b"1") -> IdempotencyKey:
    """The key, with the fingerprint of a PUT of this body to the item."""
    return IdempotencyKey(KEY, (item.encode() + body).hex().ljust(64, "0"))


async def put(log: Log, item: str, body: bytes = b"1") -> RecordedEvent:
    """A PUT under the key."""
    return await log.append(PutItem(item, body), {}, asked(item, body))


async def events(store: Store) -> list[RecordedEvent]:
    """Those of all partitions."""
    return [
        event
        for partition in store.collections["items"].partitions
        for event in await partition.reader.read()
    ]


async def home_of_key(redis: Redis) -> str | bytes | None:
    """What the key's home holds."""
    name = StoreKeys(partition=partition_of(KEY, PARTITIONS)).idempotency(KEY)
    return await redis.get(name)


def test_the_items_of_these_tests_are_in_three_partitions() -> None:
    """And the key is at home with the first."""
    numbers = [partition_of(each, PARTITIONS) for each in (HOME, ELSEWHERE, THIRD)]
    assert sorted(numbers) == [0, 1, 2]
    assert partition_of(KEY, PARTITIONS) == numbers[0]


@pytest.mark.parametrize("item", [HOME, ELSEWHERE, THIRD])
async def test_a_request_that_was_carried_out_is_not_carried_out_again(
    store: Store, log: Log, item: str
) -> None:
    """Wherever its item is; its outcome is the first event."""
    assert await log.outcome(asked(item)) is None
    created = await put(log, item)
    with pytest.raises(AlreadyDone):
        await put(log, item)
    assert await log.outcome(asked(item)) == created
    assert await events(store) == [created]


@pytest.mark.parametrize("first", [HOME, ELSEWHERE])
@pytest.mark.parametrize("second", [HOME, ELSEWHERE, THIRD])
async def test_a_key_stands_for_one_request(
    store: Store, log: Log, first: str, second: str
) -> None:
    """Another body, or another item in whichever partition, is another request."""
    created = await put(log, first)
    with pytest.raises(KeyReused):
        await log.outcome(asked(second, b"2"))
    with pytest.raises((AlreadyDone, KeyReused)):
        await put(log, second, b"2")
    with pytest.raises(KeyReused):
        await log.outcome(asked(second, b"2"))
    assert await events(store) == [created]


async def test_a_claim_that_was_lost_does_not_make_two_events_of_one_request(
    redis: Redis, store: Store, log: Log
) -> None:
    """A failover may lose it: the outcome is with the event, and is found again."""
    created = await put(log, ELSEWHERE)
    assert await redis.delete(StoreKeys(partition=partition_of(KEY, 3)).idempotency(KEY))
    with pytest.raises(AlreadyDone):
        await put(log, ELSEWHERE)
    assert await log.outcome(asked(ELSEWHERE)) == created
    assert await events(store) == [created]


@pytest.mark.parametrize("second", [HOME, ELSEWHERE, THIRD])
async def test_a_refused_request_leaves_the_key_free_at_once(
    store: Store, log: Log, second: str
) -> None:
    """For itself and for another request, in whichever partition."""
    key = asked(ELSEWHERE)
    with pytest.raises(UnexpectedVersion):
        await log.append(PutItem(ELSEWHERE, b"1", PRESENT), {}, key)
    assert await log.outcome(key) is None
    created = await put(log, second, b"2")
    assert await log.outcome(asked(second, b"2")) == created
    with pytest.raises((AlreadyDone, KeyReused)):
        await log.append(PutItem(ELSEWHERE, b"1"), {}, key)
    assert await events(store) == [created]


async def test_a_key_may_go_to_and_fro_as_long_as_all_are_refused(store: Store, log: Log) -> None:
    """Each leaves it free; the one that is carried out has it for good."""
    for item in (ELSEWHERE, THIRD, HOME, ELSEWHERE, THIRD, ELSEWHERE, HOME, THIRD):
        with pytest.raises(UnexpectedVersion):
            await log.append(PutItem(item, b"1", PRESENT), {}, asked(item))
    created = await put(log, ELSEWHERE)
    for item in (THIRD, HOME):
        with pytest.raises((AlreadyDone, KeyReused)):
            await put(log, item)
    assert await log.outcome(asked(ELSEWHERE)) == created
    assert await events(store) == [created]


@dataclass
class Standing:
    """A request that stands still between its claim and its append, and may go on."""

    task: asyncio.Task[RecordedEvent]
    go_on: asyncio.Event

    async def outcome(self) -> RecordedEvent:
        """What it comes to once it goes on."""
        self.go_on.set()
        return await self.task


Stand = Callable[[str], Awaitable[Standing]]


@pytest.fixture
def stand(store: Store) -> Stand:
    """Makes a PUT under the key stand still before its append."""

    async def standing(item: str) -> Standing:
        claimed, go_on = asyncio.Event(), asyncio.Event()
        key, log = (
            asked(item),
            store.sections[partition_of(item, PARTITIONS)].collections["items"].log,
        )
        places = [(each.partition.client, each.keys) for each in store.sections]

        async def append() -> RecordedEvent:
            claimed.set()
            await go_on.wait()
            return await log.append(PutItem(item, b"1"), {}, key)

        claims = Claims(places, 60)
        number = partition_of(item, PARTITIONS)
        task = asyncio.create_task(claims.carried_out(key, number, append))
        await claimed.wait()
        return Standing(task, go_on)

    return standing


@pytest.mark.parametrize("second", [HOME, THIRD])
async def test_another_request_waits_while_the_first_may_be_under_way(
    store: Store, log: Log, stand: Stand, second: str
) -> None:
    """409 for two seconds, as nobody knows yet what will become of the first."""
    first = await stand(ELSEWHERE)
    assert await log.outcome(asked(second)) is None
    with pytest.raises(KeyInUse):
        await put(log, second)
    created = await first.outcome()
    assert await log.outcome(asked(ELSEWHERE)) == created
    assert await events(store) == [created]


@pytest.mark.parametrize("second", [HOME, THIRD])
async def test_a_request_that_stood_still_too_long_is_not_carried_out_after_another(
    store: Store, log: Log, stand: Stand, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    """However long it stood still: its partition was closed to it."""
    first = await stand(ELSEWHERE)
    monkeypatch.setattr(claim, "LONGEST_MS", -1)
    created = await put(log, second)
    with pytest.raises((KeyReused, AlreadyDone)):
        await first.outcome()
    assert await log.outcome(asked(second)) == created
    assert await events(store) == [created]


async def test_a_request_whose_key_was_taken_and_given_back_is_carried_out_once(
    store: Store, log: Log, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another took the key meanwhile, and was refused; a second copy of the first came as well."""
    first = await stand(ELSEWHERE)
    monkeypatch.setattr(claim, "LONGEST_MS", -1)
    with pytest.raises(UnexpectedVersion):
        await log.append(PutItem(THIRD, b"1", PRESENT), {}, asked(THIRD))
    created = await put(log, ELSEWHERE)
    with pytest.raises(AlreadyDone):
        await first.outcome()
    assert await events(store) == [created]


async def test_a_copy_is_carried_out_though_the_first_stands_still(
    store: Store, log: Log, stand: Stand
) -> None:
    """It is the same request, so it need not wait: which of them it is makes no difference."""
    first = await stand(ELSEWHERE)
    created = await put(log, ELSEWHERE)
    with pytest.raises(AlreadyDone):
        await first.outcome()
    assert await events(store) == [created]


@pytest.mark.parametrize("longest", [-1, claim.LONGEST_MS])
async def test_a_request_that_stood_still_has_its_answer_though_another_claimed_its_partition(
    store: Store, log: Log, stand: Stand, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    """Both are of one partition, which is not closed to either: the first to append has the key."""
    first = await stand(ELSEWHERE)
    with monkeypatch.context() as later:
        later.setattr(claim, "LONGEST_MS", -1)
        second = await stand(f"{ELSEWHERE}2")
    monkeypatch.setattr(claim, "LONGEST_MS", longest)
    created = await first.outcome()
    with pytest.raises((KeyReused, AlreadyDone)):
        await second.outcome()
    with pytest.raises(AlreadyDone):
        await put(log, ELSEWHERE)
    assert await log.outcome(asked(ELSEWHERE)) == created
    for other in (f"{ELSEWHERE}2", THIRD, HOME):
        with pytest.raises(KeyReused):
            await log.outcome(asked(other))
        with pytest.raises((KeyReused, AlreadyDone)):
            await put(log, other)
    assert await events(store) == [created]


async def test_a_refusal_does_not_free_the_key_while_a_copy_is_under_way(
    store: Store, log: Log, stand: Stand
) -> None:
    """Who takes the key then closes the partition to the copy first."""
    copy = await stand(ELSEWHERE)
    with pytest.raises(UnexpectedVersion):
        await log.append(PutItem(ELSEWHERE, b"1", PRESENT), {}, asked(ELSEWHERE))
    created = await put(log, THIRD)
    with pytest.raises((KeyReused, AlreadyDone)):
        await copy.outcome()
    assert await events(store) == [created]


async def test_a_claim_outlives_the_outcome(redis: Redis, store: Store, log: Log) -> None:
    """Else the key would look new in its home while its outcome is still there."""
    await put(log, ELSEWHERE)
    there = StoreKeys(partition=partition_of(ELSEWHERE, PARTITIONS)).idempotency(KEY)
    home = StoreKeys(partition=partition_of(KEY, PARTITIONS)).idempotency(KEY)
    assert 0 < await redis.pttl(there) < await redis.pttl(home)


@pytest.mark.parametrize("second", [HOME, ELSEWHERE, THIRD])
async def test_a_key_is_free_again_once_its_outcome_is_forgotten(
    redis: Redis, store: Store, log: Log, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    """For another request, wherever its item is; then it is the first that is told no."""
    await put(log, ELSEWHERE)
    there = StoreKeys(partition=partition_of(ELSEWHERE, PARTITIONS)).idempotency(KEY)
    assert await redis.delete(there)  # as its time would
    monkeypatch.setattr(claim, "LONGEST_MS", -1)
    assert await log.outcome(asked(second, b"2")) is None
    again = await put(log, second, b"2")
    assert await log.outcome(asked(second, b"2")) == again
    with pytest.raises((KeyReused, AlreadyDone)):
        await put(log, ELSEWHERE)
    with pytest.raises(KeyReused):
        await log.outcome(asked(ELSEWHERE))
    assert len(await events(store)) == 2


def key_of_turn(turn: int, item: str) -> IdempotencyKey:
    """The key of this turn, with the fingerprint of a PUT of this item."""
    return IdempotencyKey(f"{KEY}{turn}", item.encode().hex())


async def carried_out(store: Store, turn: int, number: int, random: Random) -> RecordedEvent | None:
    """A PUT of one of four requests under the key of this turn; None where it is refused."""
    item = random.choice([HOME, ELSEWHERE, f"{ELSEWHERE}beside it", THIRD])
    key = key_of_turn(turn, item)
    await asyncio.sleep(random.random() / 200)
    command = PutItem(f"{item}{turn}", b"1", ABSENT if number % 3 else PRESENT)
    try:
        return await store.collections["items"].log.append(command, {"key": key.scope}, key)
    except (AlreadyDone, KeyInUse, KeyReused, UnexpectedVersion):
        return None


@pytest.mark.parametrize("longest", [-1, claim.LONGEST_MS])
async def test_the_same_and_other_requests_at_once_are_one_event(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    """In two processes, again and again, also where everybody takes all others to be over."""
    monkeypatch.setattr(claim, "LONGEST_MS", longest)
    stores = [store_of(redis) for _ in range(2)]
    number_of_events = 0
    for turn in range(30):
        random = Random(turn)
        outcomes = await asyncio.gather(
            *(carried_out(stores[n % 2], turn, n, random) for n in range(12))
        )
        done = [each for each in outcomes if each is not None]
        assert len(done) <= 1
        there = [each for each in await events(stores[0]) if each.meta["key"] == f"{KEY}{turn}"]
        assert there == done
        number_of_events += len(done)
    assert number_of_events > 15


class Unhurried(FakeAsyncRedis):
    """A client whose commands each begin and end after others had their turn, or not."""

    random = Random(0)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The reply, some time later."""
        await self.passing()
        reply = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        await self.passing()
        return reply

    async def passing(self) -> None:
        """Lets others go first; now and then very many of them."""
        for _ in range(self.random.choice([0, 0, 1, 2, 3, 5, 8, 50])):
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_comes_between_two_steps_a_key_is_one_request(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Steps of many requests in any order, with every claim taken to be over from the start."""
    monkeypatch.setattr(claim, "LONGEST_MS", -1)
    monkeypatch.setattr(Unhurried, "random", Random(seed))
    store = store_of(Unhurried(server=FakeServer()))
    for turn in range(5):
        random = Random(f"{seed} {turn}")
        outcomes = await asyncio.gather(*(carried_out(store, turn, n, random) for n in range(9)))
        done = [each for each in outcomes if each is not None]
        there = [each for each in await events(store) if each.meta["key"] == f"{KEY}{turn}"]
        assert there == done
        assert len(done) <= 1
        for event in done:  # and is found again by the one that it is of
            key = key_of_turn(turn, event.item.removesuffix(str(turn)))
            assert await store.collections["items"].log.outcome(key) == event


async def test_a_batch_s_key_is_one_key_too(store: Store, log: Log) -> None:
    """Its outcomes are found wherever it was, and another request under its key is refused."""
    keys = store.sections[partition_of(ELSEWHERE, PARTITIONS)].collections["items"].partition.keys
    commands = [Addressed(keys, PutItem(f"{ELSEWHERE}{n}", b"1")) for n in range(3)]
    key = IdempotencyKey(KEY, "0f" * 32)
    done = await store.appender.append_together(commands, {}, key)
    with pytest.raises(AlreadyDone):
        await store.appender.append_together(commands, {}, key)
    assert await store.appender.outcomes(key) == done
    with pytest.raises((KeyReused, AlreadyDone)):
        await put(log, THIRD)
    assert await events(store) == done


async def test_without_a_key_nothing_is_claimed(redis: Redis, log: Log) -> None:
    """Nor in the key's own home."""
    await log.append(PutItem(ELSEWHERE, b"1"))
    assert await home_of_key(redis) is None
    await put(log, HOME)
    held = await home_of_key(redis)
    assert isinstance(held, bytes)
    assert not held.startswith(b"claim")


async def test_an_unknown_outcome_keeps_the_claim(
    redis: Redis, store: Store, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event may be there, or may come: only its age frees the key."""

    async def unknown(*_: Any) -> RecordedEvent:
        raise LogUnavailable("away")

    part = store.sections[partition_of(ELSEWHERE, PARTITIONS)].collections["items"].log
    with monkeypatch.context() as away:
        away.setattr(type(part), "append", unknown)
        with pytest.raises(LogUnavailable):
            await put(log, ELSEWHERE)
    with pytest.raises(KeyInUse):
        await put(log, THIRD)
    assert (await put(log, ELSEWHERE)).version == 1
