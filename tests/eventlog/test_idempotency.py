"""Idempotency keys in the log: the outcome is remembered in the step that appends."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey, KeyReused
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import Terms
from itemstore.eventlog.transaction import Addressed
from tests.conftest import ENGINES_AND_A_CLUSTER, Unchanged, assert_agreement
from tests.wire import Wire

pytestmark = ENGINES_AND_A_CLUSTER


async def test_a_request_that_was_carried_out_is_not_carried_out_again(
    log: EventLog, key: IdempotencyKey, unchanged: Unchanged
) -> None:
    """Its outcome is the first event, whatever has happened to the item since."""
    assert await log.outcome(key) is None
    created = await log.append(PutItem("foo", b"1"), {"key": "k 1"}, key)
    await log.append(DeleteItem("foo"))
    async with unchanged():
        with pytest.raises(AlreadyDone):
            await log.append(PutItem("foo", b"1"), {"key": "k 1"}, key)
    assert await log.outcome(key) == created


async def test_an_outcome_that_a_failover_takes_back_meanwhile_is_not_told(
    log: EventLog,
    redis: Redis,
    keys: Keys,
    key: IdempotencyKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was read at the old primary, and what it waits for is at the new one."""

    async def settled_elsewhere(_: Appender) -> None:
        await redis.flushall()

    monkeypatch.setattr(Appender, "settle", settled_elsewhere)
    await log.append(PutItem("foo", b"1"), None, key)
    assert await log.outcome(key) is None
    await log.appender.append_together([Addressed(keys, PutItem("foo", b"1"))], None, key)
    assert await log.appender.outcomes(key) is None


async def test_the_same_request_many_times_at_once_is_one_event(
    log: EventLog, partition: Partition, key: IdempotencyKey
) -> None:
    """In one batch or in several."""
    outcomes = await asyncio.gather(
        *(log.append(PutItem("foo", b"1"), None, key) for _ in range(300)), return_exceptions=True
    )
    events = [outcome for outcome in outcomes if isinstance(outcome, RecordedEvent)]
    assert [type(outcome) for outcome in outcomes].count(AlreadyDone) == 299
    assert await log.reader.read() == events
    await assert_agreement(partition)


async def test_a_lost_reply_does_not_look_like_a_request_that_came_before(
    log: EventLog, key: IdempotencyKey, wire: Wire
) -> None:
    """Who sent it once hears of its event, though the engine was asked twice."""
    wire.lost_replies = 1
    created = await log.append(PutItem("foo", b"1"), None, key)
    assert await log.reader.read() == [created]
    assert await log.outcome(key) == created


async def test_a_refused_request_may_be_sent_again(
    log: EventLog, key: IdempotencyKey, unchanged: Unchanged
) -> None:
    """A refusal changed nothing, so there is nothing to remember."""
    await log.append(PutItem("foo", b"1"))
    async with unchanged():
        with pytest.raises(UnexpectedVersion):
            await log.append(PutItem("foo", b"2", ABSENT), None, key)
    await log.append(DeleteItem("foo"))
    assert (await log.append(PutItem("foo", b"2", ABSENT), None, key)).version == 3


async def test_a_key_stands_for_one_request(log: EventLog, key: IdempotencyKey) -> None:
    """The same key with another fingerprint is told apart; another key is another request."""
    await log.append(PutItem("foo", b"1"), None, key)
    with pytest.raises(KeyReused):
        await log.outcome(IdempotencyKey(key.scope, "ff" * 32))
    assert await log.outcome(IdempotencyKey(key.scope + "0", key.fingerprint)) is None


async def test_an_outcome_is_remembered_for_its_time(
    redis: Redis, partition: Partition, key: IdempotencyKey
) -> None:
    """The lifetime that was asked for, in the engine's own hands."""
    log = EventLog(partition, Terms(remembered_seconds=60))
    await log.append(PutItem("foo", b"1"), None, key)
    assert 50_000 < await redis.pttl(partition.keys.store.idempotency(key.scope)) <= 60_000
