"""Rebuild and verify over partitions: each by itself, told together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.cli.receipts import told as told_receipts
from itemstore.cli.verdicts import told as told_verdicts
from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.cursors import positions_of
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import OneEngine
from itemstore.eventlog.lease import Lease
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.progress import Progress, unreported
from itemstore.projections.rebuild.receipt import Receipts, last_receipts
from itemstore.store.opening import store_on
from itemstore.store.rebuild import NotRebuilt, Rebuilding, as_dict
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from itemstore.store.verify import NotVerified, Verified, Verifying
from tests.apart import Apart, store_apart
from tests.conftest import ServerOf, emptied
from tests.rebuild.conftest import write

PARTITIONS = 4


@pytest.fixture(params=["valkey", "redis", "an engine each"])
async def store(request: pytest.FixtureRequest, server_of: ServerOf) -> AsyncIterator[Store]:
    """A store with a history in each of its partitions: all on one server, or each in memory."""
    if request.param == "an engine each":
        store = store_apart(Apart(), PARTITIONS)
        await write(store.collections["items"].log, 200, items=40)
        yield store
        return
    async with emptied(server_of(request.param)) as client:
        store = together(client, PARTITIONS)
        await write(store.collections["items"].log, 200, items=40)
        yield store


def together(redis: Redis, partitions: int, namespace: str | None = None) -> Store:
    """A store with so many partitions on one engine."""
    settings = Settings(partitions=partitions, namespace=namespace, sql_url="off")
    return store_on(OneEngine(redis), settings)


async def verified(store: Store) -> Verified:
    """What a verification finds."""
    return await Verifying(store, BUILT_IN, None).run(unreported)


async def rebuilt(store: Store, projection: str = "current-items", **asked: Any) -> Receipts:
    """The receipts of a rebuild of the only collection."""
    rebuilding = Rebuilding(store, BUILT_IN, projection, None, **{"dry_run": False} | asked)
    [receipts] = (await rebuilding.run(unreported)).values()
    return receipts


async def lose_a_row(store: Store, number: int) -> bytes:
    """Takes a row out of a partition; gives its item."""
    partition = store.collections["items"].partitions[number]
    names: Any = await partition.client.hkeys(partition.keys.current)
    item: bytes = min(names)
    await partition.client.hdel(partition.keys.current, item)
    return item


async def test_what_differs_says_its_partition_and_a_rebuild_mends_it(store: Store) -> None:
    """A dry run says so too, and changes nothing; the receipt is kept in each partition."""
    item = (await lose_a_row(store, 2)).decode()
    found = await verified(store)
    assert found.verdicts.whole.counted == {"row": 1}
    [difference] = found.verdicts.whole.differences
    assert (difference.name, difference.partition) == (item, 2)
    told: Any = found.as_dict()
    assert [one["clean"] for one in told["partitions"]] == [True, True, False, True]
    assert told["differences"][0]["partition"] == 2
    assert f"row {item} in partition 2: is nothing" in told_verdicts(found.verdicts)

    dry = await rebuilt(store, dry_run=True)
    assert not (await verified(store)).verdicts.whole.clean
    receipts = await rebuilt(store)
    for each in (dry, receipts):
        whole = each.whole.findings
        assert (whole.different, whole.examples) == ({"rows": 1, "ids": 0, "histories": 0}, [item])
        assert whole.digest_before != whole.digest_after
        differing = [sum(one.findings.different.values()) for one in each.of_each.values()]
        assert differing == [0, 0, 1, 0]
    said = told_receipts({"items": receipts})
    assert "Rebuilt current-items in 4 partitions" in said
    assert "  in         partition 2" in said

    found = await verified(store)
    assert found.verdicts.whole.clean
    assert found.verdicts.whole.digest == receipts.whole.findings.digest_after
    partitions = store.collections["items"].partitions
    kept = await last_receipts(partitions)
    assert [each["current-items"] for each in kept] == [*receipts.of_each.values()]


async def test_receipt_and_verdict_are_sums_over_the_partitions(store: Store) -> None:
    """Of events and items, with a cursor for the position; each stands below."""
    partitions = store.collections["items"].partitions
    events = [await each.client.xlen(each.keys.events) for each in partitions]
    ids = [await each.client.zcard(each.keys.ids) for each in partitions]
    ends = [(await each.reader.extent()).last for each in partitions]

    verdict: Any = (await verified(store)).as_dict()
    assert (verdict["events"], verdict["items"]) == (sum(events), sum(ids))
    assert positions_of(verdict["position"], PARTITIONS) == ends
    assert [each["partition"] for each in verdict["partitions"]] == [*range(PARTITIONS)]
    assert [each["events"] for each in verdict["partitions"]] == events
    assert [each["position"] for each in verdict["partitions"]] == ends

    receipt: Any = as_dict({"items": await rebuilt(store, "statistics")})
    assert receipt["events"] == sum(events)
    assert [each["events"] for each in receipt["partitions"]] == events

    await partitions[1].client.hincrby(partitions[1].keys.counts("statistics"), "bytes", 7)
    receipt = as_dict({"items": await rebuilt(store, "statistics")})
    assert [each["different"]["numbers"] for each in receipt["partitions"]] == [0, 1, 0, 0]
    assert (receipt["different"], receipt["examples"]) == ({"numbers": 1}, ["bytes"])


@pytest.mark.parametrize("partitions", [2, 5, 16])
async def test_a_digest_does_not_depend_on_how_many_partitions_there_are(
    real_redis: Redis, partitions: int
) -> None:
    """The same events in the logs where their items belong make the same rows."""
    one, several = together(real_redis, 1), together(real_redis, partitions, "moved")
    log = one.collections["items"].log
    await write(log, 150, items=60)
    await log.append(PutItem("{tag}a", b"1"))
    await log.append(DeleteItem("{tag}a"))
    entries: Any = await real_redis.xrange(one.partition.keys.events)
    for position, fields in entries:
        own = several.collections["items"].partitions[
            partition_of(fields[b"item"].decode(), partitions)
        ]
        await own.client.xadd(own.keys.events, fields, position)
    before = (await verified(one)).verdicts.whole
    receipts = await rebuilt(several)
    after = (await verified(several)).verdicts.whole

    assert (before.clean, after.clean) == (True, True)
    assert after.digest == before.digest == receipts.whole.findings.digest_after
    assert (after.events, after.items, after.last) == (before.events, before.items, before.position)


async def test_an_item_in_a_foreign_partition_is_a_difference(store: Store) -> None:
    """Somebody put it there: the log, its row and all the rest agree, but nobody finds it."""
    item, belongs = next((f"x{n}", partition_of(f"x{n}", PARTITIONS)) for n in range(9))
    other = (belongs + 1) % PARTITIONS
    await store.sections[other].collections["items"].log.append(PutItem(item, b"{}"))
    found = await verified(store)
    [difference] = found.verdicts.whole.differences
    assert difference.partition == other
    assert str(difference) == (
        f"log {item} in partition {other}: is in partition {other}, "
        f"should be in partition {belongs}"
    )
    assert found.verdicts.whole.counted == {"log": 1}


async def test_a_rebuild_that_stops_in_one_partition_has_done_those_before_it(
    store: Store,
) -> None:
    """It says where; the partitions after it are as they were, and the next one mends them."""
    for number in (0, 3):
        await lose_a_row(store, number)
    partition = store.collections["items"].partitions[2]
    lease = Lease(partition, partition.keys.lease("rebuild"), 60_000)
    assert await lease.acquire()
    rebuilding = Rebuilding(store, BUILT_IN, "current-items", None, dry_run=False)
    with pytest.raises(NotRebuilt, match=r"^partition 2: A rebuild is running\."):
        await rebuilding.run(unreported)
    assert rebuilding.at_work == "partition 2"
    wrong = [each.partition for each in (await verified(store)).verdicts.whole.differences]
    assert {*wrong} == {3}

    await lease.release()
    assert (await rebuilt(store)).whole.findings.different["rows"] == 1
    assert (await verified(store)).verdicts.whole.clean


async def test_a_log_that_cannot_be_read_is_named_with_its_partition(store: Store) -> None:
    """There is no verdict on the others either."""
    partition = store.collections["items"].partitions[1]
    await partition.client.set(partition.keys.events, "no log")
    with pytest.raises(NotVerified, match=r"^partition 1: "):
        await verified(store)


@pytest.mark.parametrize("work", ["verify", "rebuild"])
async def test_progress_is_that_over_all_partitions(store: Store, work: str) -> None:
    """It never goes back within a stage of one partition, and ends with all events."""
    told: list[tuple[int | None, Progress]] = []
    doing: Verifying | Rebuilding
    if work == "verify":
        doing = Verifying(store, BUILT_IN, None)
    else:
        doing = Rebuilding(store, BUILT_IN, "current-items", None, dry_run=True)
    await doing.run(lambda progress: told.append((doing.partition, progress)))
    partitions = store.collections["items"].partitions
    events = sum([await each.client.xlen(each.keys.events) for each in partitions])
    assert {progress.total for _, progress in told} == {events}
    done = [progress.events for _, progress in told]
    assert done == sorted(done)
    assert done[-1] == events
    assert {number for number, _ in told} == {*range(PARTITIONS)}
