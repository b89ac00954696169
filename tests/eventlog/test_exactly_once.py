"""Exactly once: whatever happens to a request or its reply, there is one event or none."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.expected import ABSENT
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.writer import TIME_LIMIT, EngineClock
from tests.conftest import ENGINES_AND_A_CLUSTER, Unchanged, assert_agreement
from tests.wire import Wire, wire_of

pytestmark = ENGINES_AND_A_CLUSTER


async def lines_of(redis: Redis, batch: tuple[Any, ...]) -> list[str]:
    """What the script answers to a batch, without the time."""
    reply: bytes = await DedicatedConnection(redis).call(*batch)
    return reply.decode().split("\n")[1:]


async def milliseconds(redis: Redis) -> int:
    """The engine's time, since 1970."""
    seconds, microseconds = await redis.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


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
        lines = await lines_of(redis, batch)
        assert await lines_of(redis, batch) == lines
    created, deleted = await log.reader.read()
    assert lines == [
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
        with pytest.raises(exceptions.ResponseError, match="STALEBATCH"):
            await DedicatedConnection(redis).call(*late)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_lost_reply_changes_neither_the_answer_nor_the_log(
    log: EventLog, partition: Partition, wire: Wire, lost: int
) -> None:
    """The caller hears ItemCreated and not, from the second try, ItemUpdated."""
    wire.lost_replies = lost
    answer = await log.append(PutItem("foo", b"1"))

    assert (answer.type, answer.version) == ("ItemCreated", 1)
    assert await log.reader.read() == [answer]
    assert len(wire.commands) > lost
    await assert_agreement(partition)


async def test_a_lost_request_is_sent_again(log: EventLog, wire: Wire) -> None:
    """The engine never saw it."""
    wire.lost_requests = 1
    answer = await log.append(PutItem("foo", b"1"))
    assert await log.reader.read() == [answer]


async def test_a_lost_refusal_is_still_a_refusal(
    log: EventLog,
    wire: Wire,
    partition: Partition,
) -> None:
    """The writer is remembered with it, and nothing else has changed."""
    await log.append(PutItem("foo", b"1"))
    wire.lost_replies = 1
    with pytest.raises(UnexpectedVersion) as refused:
        await log.append(PutItem("foo", b"2", ABSENT))
    assert refused.value.version == 1
    assert (await log.reader.extent()).length == 1
    await assert_agreement(partition)


async def test_a_refused_batch_does_not_take_effect_when_a_copy_of_it_comes_later(
    redis: Redis, partition: Partition, log: EventLog, wire: Wire, unchanged: Unchanged
) -> None:
    """Refused, because the item was there; then another deletes it, and the copy arrives."""
    other = EventLog(partition)
    await other.append(PutItem("foo", b"1"))
    wire.lost_replies = 1
    with pytest.raises(UnexpectedVersion):
        await log.append(PutItem("foo", b"2", ABSENT))
    first, again = wire.commands[-2:]
    assert first == again

    await other.append(DeleteItem("foo"))
    async with unchanged():
        assert await lines_of(redis, first) == ["refused 1"]


async def test_a_batch_whose_writer_was_forgotten_is_not_carried_out_again(
    redis: Redis, log: EventLog, wire: Wire
) -> None:
    """Its time is over long before: the engine goes by its own clock."""
    await log.append(PutItem("foo", b"1"))
    batch = wire.commands[-1]
    await redis.delete(batch[3])
    in_time = int(batch[9])
    assert await lines_of(redis, (*batch[:9], in_time - 60_000, *batch[10:])) == ["late"]
    assert (await log.reader.extent()).length == 1
    assert await lines_of(redis, batch) == ["late"]  # also where the clock is put back meanwhile


async def test_a_batch_that_may_have_been_carried_out_and_forgotten_is_not_sent_as_another(
    redis: Redis, log: EventLog, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reply is lost, and the clock goes far ahead: a machine that slept in between."""
    await log.append(PutItem("foo", b"1"))
    monkeypatch.setattr("itemstore.eventlog.writer.ALLOWANCE_MS", 300 - 1000 * TIME_LIMIT)

    async def long_pause(_seconds: float) -> None:
        *_, batch = wire.commands
        await redis.delete(batch[3])  # its time is over, as that of the batch
        while await milliseconds(redis) <= int(batch[9]):
            await asyncio.sleep(0.01)

    stand_in = SimpleNamespace(sleep=long_pause, timeout=asyncio.timeout)
    monkeypatch.setattr("itemstore.eventlog.writer.asyncio", stand_in)
    wire.lost_replies = 1
    with pytest.raises(LogUnavailable):
        await log.append(PutItem("foo", b"2"))
    assert [event.version for event in await log.reader.read()] == [1, 2]


async def test_a_batch_that_would_be_in_time_for_longer_than_it_is_remembered_is_late(
    log: EventLog, wire: Wire
) -> None:
    """The engine's clock was put back by an hour: the writer sees that, and sends another one."""
    now, off = EngineClock.now, [3_600_000]
    with patch.object(EngineClock, "now", lambda clock: now(clock) + (off.pop() if off else 0)):
        created = await log.append(PutItem("foo", b"1"))
    assert await log.reader.read() == [created]
    late, batch = [each for each in wire.commands if "itemstore:writers:" in each[3]][-2:]
    assert int(late[9]) - int(batch[9]) > 3_500_000


async def test_a_writer_that_takes_the_engine_for_behind_sends_again(
    redis: Redis, partition: Partition
) -> None:
    """Its first batch is late, whatever the clocks say; the reply shows it the engine's."""
    log = EventLog(partition)
    with wire_of("EVALSHA", "EVAL") as wire:
        answers = [await log.append(PutItem("foo", b"1")) for _ in range(2)]
    late, *batches = [command for command in wire.commands if command[0] == "EVALSHA"][-3:]
    seconds, _ = await redis.time()
    assert int(late[9]) < seconds * 500
    assert all(abs(int(batch[9]) - seconds * 1000) < 60_000 for batch in batches)
    assert await log.reader.read() == answers


async def test_a_reply_lost_for_good_leaves_one_event_and_an_unknown_outcome(
    log: EventLog, partition: Partition, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LogUnavailable, within the time limit; the next write finds everything in order."""
    monkeypatch.setattr("itemstore.eventlog.writer.TIME_LIMIT", 0.5)
    wire.lost_replies = 1_000_000
    with pytest.raises(LogUnavailable) as unavailable:
        await log.append(PutItem("foo", b"1"))
    wire.lost_replies = 0

    assert unavailable.value.retry_after >= 1
    assert len(wire.commands) > 2
    assert (await log.reader.extent()).length == 1
    assert (await log.append(PutItem("foo", b"2"))).version == 2
    await assert_agreement(partition)


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
    assert [event.version for event in await log.reader.read()] == [1, 2, 3]


async def test_many_callers_on_a_bad_connection_get_an_event_each(
    log: EventLog, partition: Partition, wire: Wire
) -> None:
    """Two batches under way and half of the replies lost: as many events as commands."""
    answers = []
    for _ in range(5):
        wire.lost_replies = 3
        answers += await asyncio.gather(*(log.append(PutItem("foo", b"1")) for _ in range(300)))
    assert sorted(answer.version for answer in answers) == list(range(1, 1501))
    assert (await log.reader.extent()).length == 1500
    await assert_agreement(partition)
