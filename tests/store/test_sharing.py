"""What the partitions of a store share in one process: the bound of what waits, connections."""

from __future__ import annotations

import asyncio

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.events import RecordedEvent
from itemstore.engine.clients import OneEngine
from itemstore.eventlog.batching import TooManyWaiting
from itemstore.eventlog.shared_by_appenders import MOST_FLIGHTS
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from tests.wire import wire_of


async def test_many_partitions_on_one_engine_need_few_connections(real_redis: Redis) -> None:
    """As each engine does one thing at a time; all that is written meanwhile is written."""
    before = len(await real_redis.client_list())
    items = store_on(OneEngine(real_redis), Settings(partitions=64)).collections["items"]
    ids = [f"{number}" for number in range(300)]
    events = await asyncio.gather(*(items.log.append(PutItem(each, b"1")) for each in ids))
    assert len({event.partition for event in events}) > 50
    read = await asyncio.gather(*(items.items.get(each) for each in ids))
    assert [item.id for item in read if item] == ids
    assert len(await real_redis.client_list()) - before <= MOST_FLIGHTS + 1


@pytest.mark.parametrize("partitions", [1, 4])
async def test_no_more_writes_wait_in_all_than_the_setting_says(partitions: int) -> None:
    """However many partitions they are for; what is under way does not wait."""
    settings = Settings(partitions=partitions, max_waiting=20)
    redis = FakeAsyncRedis(server=FakeServer())
    log = store_on(OneEngine(redis), settings).collections["items"].log
    await log.append(PutItem("first", b"1"))
    with wire_of("EVALSHA", "EVAL") as wire:
        wire.is_open.clear()
        puts = [asyncio.create_task(log.append(PutItem(f"{n}", b"1"))) for n in range(200)]
        await asyncio.sleep(0.05)
        wire.is_open.set()
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, TooManyWaiting)]
    taken = [each for each in outcomes if isinstance(each, RecordedEvent)]
    assert len(refused) + len(taken) == 200
    assert len(taken) <= 20 + 4 * partitions
