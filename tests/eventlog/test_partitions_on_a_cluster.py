"""Writes, keys and lists of a store of 16 partitions on a real cluster, by two processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random

import pytest

from itemstore.domain.commands import PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT, PRESENT
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import clients_of
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster
from itemstore.eventlog.claim import LONGEST_MS
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey, KeyInUse, KeyReused
from itemstore.eventlog.transaction import Addressed
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.clusters import fail_over, primary_of

PARTITIONS = 16


@pytest.fixture
async def stores(cluster: LocalCluster) -> AsyncIterator[list[Store]]:
    """The store, as two processes have it that serve it."""
    async with AsyncExitStack() as stack:
        yield [
            store_on(
                await stack.enter_async_context(clients_of(cluster.url, is_served=True)),
                Settings(partitions=PARTITIONS, sql_url="off"),
            )
            for _ in range(2)
        ]


async def events(store: Store) -> list[RecordedEvent]:
    """Those of all partitions."""
    found: list[RecordedEvent] = []
    for partition in store.collections["items"].partitions:
        found += await partition.reader.read()
    return found


async def test_the_list_is_one_list(stores: list[Store]) -> None:
    """Of what two processes write, page by page as in one go."""
    ids = [f"item {number}" for number in range(300)]
    logs = [store.collections["items"].log for store in stores]
    await asyncio.gather(*(logs[n % 2].append(PutItem(each, b"1")) for n, each in enumerate(ids)))
    items, listed, after = stores[1].collections["items"].items, [], None
    while True:
        page = await items.page(after=after, limit=40)
        listed += [item.id for item in page.items]
        assert page.total == len(ids)
        if not page.more:
            break
        after = listed[-1]
    assert listed == sorted(ids)


async def test_a_transaction_is_on_one_node(stores: list[Store]) -> None:
    """The items of one hash tag, whichever partition that is."""
    items = stores[0].collections["items"]
    for tag in range(20):
        ids = [f"{{{tag}}}:{n}" for n in range(4)]
        done = await stores[0].appender.append_together(
            [Addressed(items.partition_of(each).keys, PutItem(each, b"1")) for each in ids]
        )
        events = [each for each in done if isinstance(each, RecordedEvent)]
        assert {each.partition for each in events} == {partition_of(f"{tag}", PARTITIONS)}
        assert [item and item.id for item in [await items.items.get(each) for each in ids]] == ids


async def put_once(store: Store, key: str, item: str, random: Random) -> RecordedEvent | None:
    """A PUT under a key that others use for other items; None where it is refused."""
    await asyncio.sleep(random.random() / 100)
    idempotency = IdempotencyKey(key, item.encode().hex())
    command = PutItem(item, b"1", random.choice([ABSENT, ABSENT, PRESENT]))
    try:
        log = store.collections["items"].log
        return await log.append(command, {"key": key}, idempotency)
    except (AlreadyDone, KeyInUse, KeyReused, UnexpectedVersion):
        return None


async def test_a_key_is_one_request_wherever_its_item_is(stores: list[Store]) -> None:
    """Two processes, three items, a dozen requests at once."""
    random, done = Random(1), Counter[str]()
    for turn in range(40):
        key = f"key {turn}"
        requests = [
            put_once(stores[n % 2], key, f"{turn}:{random.randrange(3)}", random) for n in range(12)
        ]
        done[key] = sum(each is not None for each in await asyncio.gather(*requests))
    assert {*done.values()} <= {0, 1}
    assert done.total() > 20
    assert +done == Counter(each.meta["key"] for each in await events(stores[0]))


async def test_a_request_that_is_sent_until_it_is_answered_is_carried_out_once(
    stores: list[Store], cluster: LocalCluster
) -> None:
    """While primaries hand over to their replicas, the key's home and the item's among them."""
    is_over = asyncio.Event()

    async def client(number: int) -> int:
        sent = 0
        while not is_over.is_set():
            key = IdempotencyKey(f"{number}:{sent}", f"{sent:064x}")
            await send_until_answered(f"item {number}:{sent}", key)
            sent += 1
        return sent

    async def send_until_answered(item: str, key: IdempotencyKey) -> None:
        for attempt in range(100):
            log = stores[attempt % 2].collections["items"].log
            try:
                if await log.outcome(key) is None:
                    await log.append(PutItem(item, b"1"), {"key": key.scope}, key)
            except (LogUnavailable, KeyInUse):
                await asyncio.sleep(0.1)
            except AlreadyDone:
                assert await log.outcome(key) is not None
                return
            else:
                return
        pytest.fail(f"{key} was not answered")

    clients = [asyncio.create_task(client(number)) for number in range(8)]
    for slot in (0, 8000, 16000):
        await asyncio.to_thread(fail_over, cluster, primary_of(cluster, slot))
        await asyncio.sleep(LONGEST_MS / 4000)
    is_over.set()
    sent = await asyncio.gather(*clients)
    found = Counter(each.meta["key"] for each in await events(stores[0]))
    assert found == {
        f"{client}:{n}": 1 for client, number in enumerate(sent) for n in range(number)
    }
    assert sum(sent) > 100
