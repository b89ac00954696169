"""A transaction that is sent twice is carried out once, and what it became is read again."""

from __future__ import annotations

import asyncio

import pytest
from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.commands import CheckItem, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT, PRESENT
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey, KeyReused
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS
from itemstore.eventlog.terms import Terms
from itemstore.eventlog.transaction import TransactionRefused
from tests.conftest import Unchanged, assert_agreement
from tests.eventlog.two_collections import ORDERS, PRODUCTS, logs, orders, products
from tests.wire import Wire

PLACED = [
    *products(CheckItem("a b", ABSENT), PutItem("a b", b"1"), CheckItem("a b", PRESENT)),
    *orders(PutItem("a b", b"[]"), CheckItem("new\N{SNOWMAN}", ABSENT), DeleteItem("a b")),
]
"""An order, with checks of each kind."""


async def test_what_a_transaction_became_is_read_again(
    appender: Appender, key: IdempotencyKey, unchanged: Unchanged
) -> None:
    """All of its events and checks, in order, whatever has happened since; and nothing again."""
    assert await appender.outcomes(key) is None
    outcomes = await appender.append_together(PLACED, {"key": "k 1"}, key)
    await appender.append(PRODUCTS, PutItem("a b", b"2"))
    async with unchanged():
        with pytest.raises(AlreadyDone):
            await appender.append_together(PLACED, {"key": "k 1"}, key)
    assert await appender.outcomes(key) == outcomes


async def test_one_of_large_bodies_is_read_again_whole(
    appender: Appender, key: IdempotencyKey
) -> None:
    """Though no one step of the engine has all of them."""
    body = b'"' + b"x" * 20_000 + b'"'
    commands = products(*(PutItem(f"{n}", body) for n in range(MOST_COMMANDS)))
    assert await appender.outcomes(key) is None
    outcomes = await appender.append_together(commands, None, key)
    assert await appender.outcomes(key) == outcomes


async def test_of_one_whose_event_was_removed_nothing_is_known(
    redis: Redis, appender: Appender, key: IdempotencyKey
) -> None:
    """As of a single write; it is not carried out again all the same."""
    outcomes = await appender.append_together(PLACED, None, key)
    await redis.xdel(ORDERS.events, outcomes[3].position)  # type: ignore[arg-type]
    assert await appender.outcomes(key) is None
    with pytest.raises(AlreadyDone):
        await appender.append_together(PLACED, None, key)


async def test_checks_alone_have_an_outcome_too(appender: Appender, key: IdempotencyKey) -> None:
    """Sent twice, they say the same twice, though one would be refused now."""
    checks = products(CheckItem("foo", ABSENT))
    found = await appender.append_together(checks, None, key)
    await appender.append(PRODUCTS, PutItem("foo", b"1"))
    with pytest.raises(AlreadyDone):
        await appender.append_together(checks, None, key)
    assert await appender.outcomes(key) == found


async def test_the_same_transaction_many_times_at_once_is_carried_out_once(
    redis: Redis, appender: Appender, key: IdempotencyKey
) -> None:
    """In one batch or in several."""
    outcomes = await asyncio.gather(
        *(appender.append_together(PLACED, None, key) for _ in range(60)), return_exceptions=True
    )
    [done] = [outcome for outcome in outcomes if isinstance(outcome, list)]
    assert [type(outcome) for outcome in outcomes].count(AlreadyDone) == 59
    assert await logs(redis) == [each for each in done if isinstance(each, RecordedEvent)]


async def test_a_refused_one_may_be_sent_again(
    appender: Appender, key: IdempotencyKey, unchanged: Unchanged
) -> None:
    """A refusal changed nothing, so there is nothing to remember."""
    commands = products(PutItem("foo", b"1"), PatchItem("bar", b"1"))
    async with unchanged():
        with pytest.raises(TransactionRefused):
            await appender.append_together(commands, None, key)
    assert await appender.outcomes(key) is None
    await appender.append(PRODUCTS, PutItem("bar", b"1"))
    assert len(await appender.append_together(commands, None, key)) == 2


async def test_a_key_stands_for_one_request_of_either_kind(
    log: EventLog, appender: Appender, key: IdempotencyKey
) -> None:
    """A transaction and a single write with the same key are told apart, both ways."""
    other = IdempotencyKey(key.scope + "0", "ff" * 32)
    await appender.append_together(PLACED, None, key)
    await log.append(PutItem("foo", b"1"), None, other)
    for name, fingerprint in ((key.scope, "ff" * 32), (other.scope, "0f" * 32)):
        reused = IdempotencyKey(name, fingerprint)
        for outcome in (log.outcome(reused), appender.outcomes(reused)):
            with pytest.raises(KeyReused):
                await outcome
        with pytest.raises(AlreadyDone):
            await log.append(PutItem("foo", b"2"), None, reused)
        with pytest.raises(AlreadyDone):
            await appender.append_together(PLACED, None, reused)


async def test_an_outcome_is_remembered_for_its_time_and_for_each_namespace(
    redis: Redis, key: IdempotencyKey
) -> None:
    """Also where a prefix stands before the collection."""
    keys = Keys("products", "{shop}")
    appender = Appender(redis, keys.store, Terms(remembered_seconds=60))
    commands = [type(each)(keys, each.command) for each in PLACED]
    outcomes = await appender.append_together(commands, None, key)
    assert 50_000 < await redis.pttl(keys.store.idempotency(key.scope)) <= 60_000
    assert await appender.outcomes(key) == outcomes
    await assert_agreement(Partition(redis, keys))


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_reply_changes_neither_the_answer_nor_the_logs(
    redis: Redis, appender: Appender, key: IdempotencyKey, wire: Wire, lost: int
) -> None:
    """Who sent it once hears what it became, though the engine was asked twice."""
    wire.lost_replies = lost
    outcomes = await appender.append_together(PLACED, None, key)
    assert len(wire.commands) > lost
    assert await logs(redis) == [each for each in outcomes if isinstance(each, RecordedEvent)]
    assert await appender.outcomes(key) == outcomes


async def test_a_lost_refusal_is_still_one_and_its_copy_changes_nothing(
    redis: Redis, appender: Appender, wire: Wire, unchanged: Unchanged
) -> None:
    """Refused, because an item was there; then another deletes it, and the copy arrives."""
    other = Appender(redis, PRODUCTS.store)
    await other.append(PRODUCTS, PutItem("foo", b"1"))
    wire.lost_replies = 1
    with pytest.raises(TransactionRefused) as refused:
        await appender.append_together(
            [*orders(PutItem("foo", b"2")), *products(PutItem("foo", b"2", ABSENT))]
        )
    assert (refused.value.index, type(refused.value.error)) == (1, UnexpectedVersion)
    first, again = wire.commands[-2:]
    assert first == again
    await other.append(PRODUCTS, DeleteItem("foo"))
    async with unchanged():
        reply: bytes = await DedicatedConnection(redis).call(*first)
    assert reply.split(b"\n")[1:] == [b"aborted", b"refused 1"]


async def test_a_copy_that_comes_after_a_later_batch_is_refused(
    redis: Redis, appender: Appender, wire: Wire, unchanged: Unchanged
) -> None:
    """It was given up long ago: what it would append now, nobody waits for."""
    await appender.append_together(PLACED)
    late = wire.commands[-1]
    await appender.append(PRODUCTS, PutItem("foo", b"2"))
    async with unchanged():
        with pytest.raises(exceptions.ResponseError, match="STALEBATCH"):
            await DedicatedConnection(redis).call(*late)


async def test_a_reply_lost_for_good_leaves_all_of_it_and_an_unknown_outcome(
    redis: Redis, appender: Appender, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LogUnavailable: it was carried out, all of it."""
    monkeypatch.setattr("itemstore.eventlog.writer.TIME_LIMIT", 0.1)
    wire.lost_replies = 1_000_000
    with pytest.raises(LogUnavailable):
        await appender.append_together(PLACED)
    wire.lost_replies = 0
    assert [each.type for each in await logs(redis)] == [
        "ItemCreated",
        "ItemCreated",
        "ItemDeleted",
    ]


async def test_two_writers_whose_transactions_cross_never_mix(redis: Redis) -> None:
    """The same two items in opposite order, from two processes: each round has one winner."""
    rounds = 40
    one, other = Appender(redis, PRODUCTS.store), Appender(redis, PRODUCTS.store)

    async def attempt(appender: Appender, number: int, *, is_turned: bool) -> bool:
        commands = [
            *products(PutItem(f"{number}", b"1", ABSENT)),
            *orders(PutItem(f"{number}", b"1", ABSENT)),
        ]
        try:
            await appender.append_together(commands[::-1] if is_turned else commands)
        except TransactionRefused:
            return False
        return True

    for number in range(rounds):
        won = await asyncio.gather(
            attempt(one, number, is_turned=False), attempt(other, number, is_turned=True)
        )
        assert sorted(won) == [False, True]
    events = await logs(redis)
    assert len(events) == 2 * rounds
    for first, second in zip(events[::2], events[1::2], strict=True):
        assert first.meta["transaction"] == second.meta["transaction"]
        assert {first.collection, second.collection} == {"products", "orders"}
