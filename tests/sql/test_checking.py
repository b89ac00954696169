"""`verify` and the tables of the read model: each damage is named, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.fold import Fold
from itemstore.projections.sql import checking
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.verdict import Verdict
from itemstore.projections.verify.run import verify
from tests.rebuild.conftest import write
from tests.sql.read_model import change, follow, keys_of, with_an_index

pytestmark = pytest.mark.parametrize("redis", ["fakeredis"], indirect=True)


ANOTHER = (
    "INSERT INTO items SELECT 'other', version, created, modified, position,"
    " created_position, body, partition, k1 FROM items WHERE id = 'indexed'"
)


@pytest.fixture
async def followed(partition: Partition, log: EventLog, database: Database) -> Database:
    """One that has all of a log, and an index of it."""
    await write(log, 40)
    for body in (b"{}", b'{"name":"%s"}' % (b"x" * 100), '{"name":"é😀"}'.encode()):
        await log.append(PutItem(f"kept {len(body)}", body))
    await log.append(PutItem("gone", b"{}"))
    await follow(partition, database)
    with_an_index(database, is_complete=False)
    await log.append(DeleteItem("gone"))
    await log.append(PutItem("indexed", b'{"a":1}'))
    await follow(partition, database)
    return database


async def verified(partition: Partition, database: Database) -> Verdict:
    """What verify finds."""
    return await verify(partition, [SqlProjection(database, ["items"], keys_of)])


async def test_what_follows_the_log_is_clean(partition: Partition, followed: Database) -> None:
    """Rows, deleted ones, keys, where they are, and the counts."""
    verdict = await verified(partition, followed)
    assert (verdict.differences, verdict.not_compared) == ([], {})
    assert verdict.clean


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("UPDATE items SET body = '{\"a\":2}' WHERE id = 'indexed'", ["row indexed"]),
        ("UPDATE items SET version = version + 1 WHERE id = 'indexed'", ["row indexed"]),
        ("UPDATE items SET position = '1-1' WHERE id = 'indexed'", ["row indexed"]),
        ("UPDATE items SET created_position = '?' WHERE id = 'indexed'", ["row indexed"]),
        (
            "UPDATE items SET modified = '2001-01-01T00:00:00.000Z' WHERE id = 'indexed'",
            ["row indexed"],
        ),
        ("DELETE FROM items WHERE id = 'indexed'", ["row indexed", "count"]),
        (
            ANOTHER,
            ["row other", "count"],
        ),
        ("UPDATE itemstore_deleted SET version = 7 WHERE id = 'gone'", ["deleted gone"]),
        ("DELETE FROM itemstore_deleted WHERE id = 'gone'", ["deleted gone"]),
        (
            "INSERT INTO itemstore_deleted VALUES ('items', 'indexed', 1, '1-1', '1-1', 0)",
            ["deleted indexed"],
        ),
        ("UPDATE itemstore_checkpoints SET items = items + 1", ["count"]),
        ("UPDATE itemstore_checkpoints SET events = events - 1", ["events"]),
        ("UPDATE itemstore_checkpoints SET event = 'x'", ["checkpoint"]),
        ("UPDATE itemstore_checkpoints SET position = '9999999999999-0'", ["checkpoint"]),
        ("UPDATE itemstore_checkpoints SET position = '1-0'", ["row", "checkpoint"]),
        ("UPDATE itemstore_checkpoints SET position = '?'", ["row", "checkpoint"]),
        ("UPDATE itemstore_checkpoints SET log = '0123456789abcdef'", ["log"]),
    ],
)
async def test_each_damage_is_named(
    partition: Partition, followed: Database, statement: str, names: list[str]
) -> None:
    """Whoever changes something, and whatever that is."""
    change(followed, statement)

    verdict = await verified(partition, followed)

    assert {each.where for each in verdict.differences} == {"sql"}
    for name in names:
        assert any(each.name.startswith(name) for each in verdict.differences), name
    if len(names) == 1:
        assert {each.name for each in verdict.differences} <= {*names, "digest"}
    assert not verdict.clean


async def test_a_key_is_missed_once_an_index_is_complete(
    partition: Partition, followed: Database
) -> None:
    """Before that, the rows of before it have none, or those of the column's path before."""
    change(
        followed,
        "UPDATE items SET k1 = (SELECT k1 FROM items WHERE id = 'indexed') WHERE id = 'kept 2'",
    )
    assert (await verified(partition, followed)).clean
    change(followed, "UPDATE itemstore_indexes SET is_complete = 1")

    verdict = await verified(partition, followed)

    assert "key $['name'] of kept 2" in [each.name for each in verdict.differences]

    assert verdict.counted["sql"] > 10
    assert all(each.name.startswith("key $['name'] of ") for each in verdict.differences)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET version = 'x' WHERE id = 'indexed'",
        "UPDATE items SET id = x'ff00' WHERE id = 'indexed'",
        "UPDATE items SET body = x'ff' WHERE id = 'indexed'",
    ],
)
async def test_values_of_another_type_are_named(
    partition: Partition, followed: Database, statement: str
) -> None:
    """SQLite takes any."""
    change(followed, statement)
    assert "row indexed" in {
        each.name for each in (await verified(partition, followed)).differences
    }


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_file_that_is_none_is_named(partition: Partition, followed: SqliteDatabase) -> None:
    """It is found, not raised."""
    followed.path.write_bytes(b"not SQLite at all" * 1000)

    verdict = await verified(partition, followed)

    assert [(each.where, each.name) for each in verdict.differences] == [("sql", "database")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_model_that_is_not_there_yet_is_said_and_is_no_difference(
    partition: Partition,
    log: EventLog,
    database: SqliteDatabase,
    begun: bool,  # noqa: FBT001
) -> None:
    """No file, or one in which nothing was begun."""
    await log.append(PutItem("a", b"{}"))
    if begun:
        change(database, "CREATE TABLE other (id TEXT)")

    verdict = await verified(partition, database)

    assert verdict.clean
    assert verdict.not_compared == {"sql": "nothing of it is there yet"}
    assert database.path.exists() == begun


async def test_a_model_that_is_behind_is_compared_as_far_as_it_is(
    partition: Partition, log: EventLog, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed since is what it was; an item of after it is not missed."""
    monkeypatch.setattr(checking, "PATIENCE", 0.01)
    await write(log, 50, seed=2)
    await log.append(PutItem("new", b"{}"))
    await log.append(PutItem("gone", b"{}"))
    assert (await verified(partition, followed)).differences == []

    change(followed, "UPDATE items SET body = '{\"a\":2}' WHERE id = 'item 1'")
    found = [each.name for each in (await verified(partition, followed)).differences]
    assert found == ["row item 1", "digest"]


async def test_a_model_that_is_ahead_of_the_fold_is_waited_for_by_the_fold(
    partition: Partition, log: EventLog, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes come while the log is folded, and the model has them."""
    fold = Fold.catch_up

    async def with_writes(self: Fold, *args: Callable[[], None]) -> None:
        await fold(self, *args)
        await write(log, 30, seed=3)
        await follow(partition, followed)
        await write(log, 30, seed=4)

    monkeypatch.setattr(Fold, "catch_up", with_writes)
    assert (await verified(partition, followed)).differences == []


async def test_nothing_is_wrong_beside_live_writes(
    partition: Partition, log: EventLog, followed: Database
) -> None:
    """Again and again, while somebody writes and somebody follows."""

    async def go_on() -> None:
        for seed in range(12):
            await write(log, 10, seed=seed)
            await asyncio.sleep(0)
            await follow(partition, followed)

    writing = asyncio.create_task(go_on())
    verdicts = 0
    while not writing.done():
        assert (await verified(partition, followed)).differences == []
        verdicts += 1
    await writing
    assert verdicts > 1


async def test_what_a_moment_shows_is_compared(
    partition: Partition, log: EventLog, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody follows in the middle of the comparison."""
    states = checking.AsOf.states

    def after_a_write(as_of: checking.AsOf) -> object:
        with closing(followed.writing()) as other:
            other.execute("DELETE FROM itemstore_deleted")
        return states(as_of)

    monkeypatch.setattr(checking.AsOf, "states", after_a_write)
    assert (await verified(partition, followed)).differences == []
