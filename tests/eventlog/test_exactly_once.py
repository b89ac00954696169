"""Exactly once: whatever happens to a request or its reply, there is one event or none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from redis import exceptions

from domain.commands import DeleteItem, PutItem
from domain.errors import UnexpectedVersion
from domain.expected import ABSENT
from eventlog.errors import LogUnavailable
from eventlog.held import HeldConnection
from tests.conftest import assert_agreement

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from eventlog.keys import Keys
    from eventlog.log import EventLog
    from tests.conftest import Unchanged
    from tests.wire import Wire


async def test_a_batch_sent_again_gets_its_first_reply_and_appends_nothing(
    redis: Redis, log: EventLog, wire: Wire, unchanged: Unchanged
) -> None:
    """Also a batch of which a part was refused."""
    await asyncio.gather(
        log.append(PutItem("foo", b"1", ABSENT)),
        log.append(PutItem("foo", b"2", ABSENT)),
        log.append(DeleteItem("foo")),
        return_exceptions=True,
    )
    [batch] = wire.commands[-1:]
    async with unchanged():
        reply = await HeldConnection(redis).call(*batch)
        assert await HeldConnection(redis).call(*batch) == reply
    created, deleted = await log.read()
    assert reply.decode().split("\n") == [
        f"ItemCreated 1 {created.position}",
        "refused 1",
        f"ItemDeleted 2 {deleted.position}",
    ]


async def test_a_batch_that_comes_after_a_later_one_is_refused(
    redis: Redis, log: EventLog, wire: Wire, unchanged: Unchanged
) -> None:
    """It was given up long ago: what it would append now, nobody waits for."""
    await log.append(PutItem("foo", b"1"))
    late = wire.commands[-1]
    await log.append(PutItem("foo", b"2"))
    async with unchanged():
        with pytest.raises(exceptions.ResponseError, match="later batch"):
            await HeldConnection(redis).call(*late)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_reply_changes_neither_the_answer_nor_the_log(
    redis: Redis, log: EventLog, keys: Keys, wire: Wire, lost: int
) -> None:
    """The caller hears ItemCreated and not, from the second try, ItemUpdated."""
    wire.lost_replies = lost
    answer = await log.append(PutItem("foo", b"1"))

    assert (answer.type, answer.version) == ("ItemCreated", 1)
    assert await log.read() == [answer]
    assert len(wire.commands) > lost
    await assert_agreement(redis, keys)


async def test_a_lost_request_is_sent_again(log: EventLog, wire: Wire) -> None:
    """The engine never saw it."""
    wire.lost_requests = 1
    answer = await log.append(PutItem("foo", b"1"))
    assert await log.read() == [answer]


async def test_a_lost_refusal_is_still_a_refusal(
    log: EventLog, wire: Wire, unchanged: Unchanged
) -> None:
    """A batch that appended nothing may be decided again."""
    await log.append(PutItem("foo", b"1"))
    wire.lost_replies = 1
    async with unchanged():
        with pytest.raises(UnexpectedVersion) as refused:
            await log.append(PutItem("foo", b"2", ABSENT))
    assert refused.value.version == 1


async def test_a_reply_lost_for_good_leaves_one_event_and_an_unknown_outcome(
    redis: Redis, log: EventLog, keys: Keys, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LogUnavailable, within the time limit; the next write finds everything in order."""
    monkeypatch.setattr("eventlog.append.TIME_LIMIT", 0.1)
    wire.lost_replies = 1_000_000
    with pytest.raises(LogUnavailable) as unavailable:
        await log.append(PutItem("foo", b"1"))
    wire.lost_replies = 0

    assert unavailable.value.retry_after >= 1
    assert len(wire.commands) > 2
    assert await log.length() == 1
    assert (await log.append(PutItem("foo", b"2"))).version == 2
    await assert_agreement(redis, keys)


async def test_an_engine_that_forgot_its_scripts_is_told_again(
    redis: Redis, log: EventLog, wire: Wire
) -> None:
    """SCRIPT FLUSH, or a restart, between two appends; a lost reply on top of it."""
    await log.append(PutItem("foo", b"1"))
    await redis.script_flush()
    assert (await log.append(PutItem("foo", b"2"))).version == 2
    await redis.script_flush()
    wire.lost_replies = 1
    assert (await log.append(PutItem("foo", b"3"))).version == 3
    assert [event.version for event in await log.read()] == [1, 2, 3]


async def test_many_callers_on_a_bad_connection_get_an_event_each(
    redis: Redis, log: EventLog, keys: Keys, wire: Wire
) -> None:
    """Two batches under way and half of the replies lost: as many events as commands."""
    answers = []
    for _ in range(5):
        wire.lost_replies = 3
        answers += await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(300)))
    assert sorted(answer.version for answer in answers) == list(range(1, 1501))
    assert await log.length() == 1500
    await assert_agreement(redis, keys)
