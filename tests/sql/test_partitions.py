"""The read model of a store of three partitions: one table, and a checkpoint for each of them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START
from itemstore.engine.disk_space import DiskSpace
from itemstore.projections.following import Following
from itemstore.projections.projection import Status
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.queries.paths import path_of
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.sql.checkpoints import checkpoints
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.verify.run import verify
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.archive.stores import snapshot
from tests.rebuild.conftest import write
from tests.sql.followers import PACE, current, tables, to_its_end
from tests.sql.read_model import change

pytestmark = pytest.mark.parametrize("redis", ["fakeredis"], indirect=True)

PARTITIONS = 3
DECLARED = {"items": Declared((path_of("size", "indexes"),), (path_of("name", "text"),))}


@pytest.fixture
async def store(redis: Redis) -> Store:
    """One with a history in each of its partitions."""
    store = store_on(redis, PARTITIONS)
    await write(store.collections["items"].log, 120)
    return store


def store_on(redis: Redis, partitions: int) -> Store:
    """A store with so many partitions."""
    settings = Settings(partitions=partitions)
    numbers = [None] if partitions == 1 else [*range(partitions)]
    parts = [Store.on(redis, settings, DiskSpace(), number=number) for number in numbers]
    return Store.of(parts)


def projection_of(store: Store, database: Database) -> SqlProjection:
    """What is tested."""
    partitions = len(store.sections)
    return SqlProjection(database, ["items"], keys_of, texts, partitions)


async def follow(store: Store, database: Database, *numbers: int) -> None:
    """Follows the logs of these partitions to their ends, or those of all, and makes indexes."""
    projection = projection_of(store, database)
    partitions = store.collections["items"].partitions
    for number in numbers or range(len(partitions)):
        partition = partitions[number]
        await to_its_end(Following("sql", projection.follower(partition), partition, PACE))
    making = Making(DECLARED, len(partitions))
    while await projection.writer.run(making.work):
        pass
    projection.writer.close()


async def assert_same(store: Store, database: Database) -> None:
    """The rows of each partition are its current items, and its checkpoint is its log's end."""
    for partition in store.collections["items"].partitions:
        assert tables(database, partition) == await current(partition)


async def differing(store: Store, database: Database) -> list[str]:
    """What the verification of each partition finds, with the partition's number in front."""
    projection = projection_of(store, database)
    found = []
    for partition in store.collections["items"].partitions:
        verdict = await verify(partition, [projection])
        assert not verdict.not_compared
        found += [f"{partition.keys.partition} {each.name}" for each in verdict.differences]
    return found


def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    """What a statement finds."""
    with closing(database.reading()) as connection:
        return [*connection.rows(sql)]


def change_item(database: Database, sql: str, item: str) -> None:
    """Somebody writes what is about an item."""
    with closing(database.writing()) as connection:
        assert connection.execute(sql, (item,)) == 1


def words_of(database: Database) -> str:
    """What the database calls the type of words."""
    with closing(database.reading()) as connection:
        return connection.types.words


def row_in(database: Database, number: int) -> str:
    """The id of an item in a partition."""
    [(item,)] = rows(database, f"SELECT min(id) FROM items WHERE partition = {number}")  # noqa: S608
    return str(item)


async def set_back(redis: Redis, before: dict[bytes, bytes], number: int) -> None:
    """One partition's node is another one now, with what its replica had."""
    mark = b"{%d}:" % number
    names: Any = await redis.keys("*")
    await redis.delete(*[name for name in names if name.startswith(mark)])
    for name, value in before.items():
        if name.startswith(mark):
            await redis.restore(name, 0, value)


async def test_rows_of_all_partitions_are_in_one_table_and_say_which_they_are_of(
    store: Store, database: Database
) -> None:
    """Each with a checkpoint, and the deleted items too."""
    await follow(store, database)
    await assert_same(store, database)
    for table in ("items", "itemstore_deleted"):
        found = rows(database, f"SELECT id, partition FROM {table}")  # noqa: S608
        assert found
        assert all(partition_of(str(item), PARTITIONS) == number for item, number in found)
    with closing(database.reading()) as connection:
        noted = checkpoints(connection, "items")
    assert [(each.partition, each.partitions) for each in noted] == [(0, 3), (1, 3), (2, 3)]
    assert len({each.log for each in noted}) == PARTITIONS
    assert await differing(store, database) == []


async def test_one_partition_follows_while_the_others_stand_still(
    store: Store, database: Database
) -> None:
    """Its status says so, and that of the others what they lack."""
    await follow(store, database, 1)
    logs = [(each, await each.reader.extent()) for each in store.collections["items"].partitions]
    statuses = await projection_of(store, database).statuses(logs)
    ends = [extent.last for _, extent in logs]
    lags = [extent.events for _, extent in logs]
    _, count, _ = await current(logs[1][0])
    assert [*statuses] == [
        Status(START, lags[0], 0),
        Status(ends[1], 0, count),
        Status(START, lags[2], 0),
    ]


async def test_a_failover_of_one_partition_takes_only_its_rows_away(
    redis: Redis, store: Store, database: Database
) -> None:
    """Those of the others are not even written again, which a change by hand would show."""
    before = await snapshot(redis)
    log = store.collections["items"].log
    for number in range(30):
        await log.append(PutItem(f"lost {number}", b'{"name":"lost words"}'))
    await follow(store, database)
    marked = row_in(database, 0)
    change_item(database, "UPDATE items SET version = 99 WHERE id = ?", marked)

    await set_back(redis, before, 1)
    await log.append(PutItem(_item_in(1), b'{"name":"kept"}'))
    await follow(store, database)

    assert await differing(store, database) == [f"0 row {marked}", "0 digest"]
    partition = store.collections["items"].partitions[1]
    assert tables(database, partition) == await current(partition)


async def test_another_log_in_one_partition_takes_only_its_rows_away(
    redis: Redis, store: Store, database: Database
) -> None:
    """An engine that was emptied, of several that hold the partitions."""
    await follow(store, database)
    marked = row_in(database, 0)
    change_item(database, "UPDATE items SET version = 99 WHERE id = ?", marked)

    await set_back(redis, {}, 2)
    await follow(store, database)

    assert rows(database, "SELECT count(*) FROM items WHERE partition = 2") == [(0,)]
    assert rows(database, "SELECT count(*) FROM itemstore_deleted WHERE partition = 2") == [(0,)]
    assert await differing(store, database) == [f"0 row {marked}", "0 digest"]


async def test_rows_without_a_checkpoint_are_taken_away_with_no_others(
    store: Store, database: Database
) -> None:
    """Somebody took one partition's away: it is made again."""
    await follow(store, database)
    change(
        database,
        "DELETE FROM itemstore_checkpoints WHERE partition = 1",
        "UPDATE items SET version = 99 WHERE partition = 1",
    )
    await follow(store, database)
    await assert_same(store, database)
    assert await differing(store, database) == []


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
async def test_tables_of_another_number_of_partitions_are_made_again(
    redis: Redis, database: Database, before: int, after: int
) -> None:
    """A store was moved to another number: its items are in other partitions, its logs new."""
    old = store_on(redis, before)
    await write(old.collections["items"].log, 60)
    await follow(old, database)
    assert await differing(old, database) == []

    await redis.flushall()
    new = store_on(redis, after)
    await write(new.collections["items"].log, 60, seed=2)
    await follow(new, database, *range(after))

    await assert_same(new, database)
    assert await differing(new, database) == []
    assert len(rows(database, "SELECT 1 FROM itemstore_checkpoints")) == after


async def test_damage_in_one_partition_is_found_and_mended_there(
    store: Store, database: Database
) -> None:
    """Rows, words and counts: the rebuild of another partition changes nothing of it."""
    await follow(store, database)
    item = row_in(database, 1)
    change_item(database, "UPDATE items SET version = 99 WHERE id = ?", item)
    words = f"CAST('other' AS {words_of(database)})"
    sql = f"UPDATE itemstore_words_items SET words = {words} WHERE id = ?"  # noqa: S608 - ours
    change_item(database, sql, item)
    change(database, "UPDATE itemstore_checkpoints SET items = items + 1 WHERE partition = 1")
    wrong = [f"1 row {item}", f"1 words {item}", "1 count", "1 digest"]
    assert sorted(await differing(store, database)) == sorted(wrong)

    projection = projection_of(store, database)
    partitions = store.collections["items"].partitions
    receipt = await rebuild(partitions[0], projection)
    assert receipt.findings.digest_before == receipt.findings.digest_after
    assert sorted(await differing(store, database)) == sorted(wrong)

    receipt = await rebuild(partitions[1], projection)
    assert receipt.findings.different["rows"] == 1
    assert await differing(store, database) == []
    await store.collections["items"].log.append(PutItem(item, b'{"name":"later"}'))
    await follow(store, database)
    assert await differing(store, database) == []


async def test_a_row_in_the_wrong_partition_is_put_right(store: Store, database: Database) -> None:
    """In whichever order the two partitions are rebuilt."""
    await follow(store, database)
    item = row_in(database, 1)
    for order in ((0, 1), (1, 0)):
        change_item(database, "UPDATE items SET partition = 0 WHERE id = ?", item)
        assert {f"0 row {item}", f"1 row {item}"} <= {*await differing(store, database)}
        for number in order:
            await rebuild(
                store.collections["items"].partitions[number], projection_of(store, database)
            )
        assert await differing(store, database) == []


def _item_in(number: int) -> str:
    """An id in a partition."""
    ids = (f"id {each}" for each in range(100))
    return next(each for each in ids if partition_of(each, PARTITIONS) == number)
