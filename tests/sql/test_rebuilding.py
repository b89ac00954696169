"""`rebuild sql`: made again beside what is live, and put in place in one transaction."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.rebuild.receipt import Receipt
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.sql import rebuilding
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.rebuilt_tables import PREFIX, name_of
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.verify.run import verify
from tests.rebuild.conftest import write
from tests.sql.mortal import Killed, Mortal
from tests.sql.read_model import change, follow, keys_of, with_an_index

pytestmark = pytest.mark.parametrize("redis", ["fakeredis"], indirect=True)

DAMAGE = {
    "rows": "UPDATE items SET body = '{\"a\":2}' WHERE id = 'kept'",
    "rows too many": "INSERT INTO items (id, version, created, modified, position,"
    " created_position, body) SELECT 'other', version, created, modified, position,"
    " created_position, body FROM items WHERE id = 'kept'",
    "rows missing": "DELETE FROM items WHERE id = 'kept'",
    "all rows missing": "DELETE FROM items",
    "deleted": "DELETE FROM itemstore_deleted",
    "keys": "UPDATE items SET k1 = NULL WHERE id = 'kept'",
    "count": "UPDATE itemstore_checkpoints SET items = 7",
    "events": "UPDATE itemstore_checkpoints SET events = 7",
    "checkpoint": "UPDATE itemstore_checkpoints SET position = '1-0', event = 'x'",
    "ahead": "UPDATE itemstore_checkpoints SET position = '9999999999999-0'",
    "log": "UPDATE itemstore_checkpoints SET log = '0123456789abcdef'",
    "gone": "DELETE FROM itemstore_checkpoints",
}


def model(database: Database) -> SqlProjection:
    """What is tested."""
    return SqlProjection(database, ["items"], keys_of)


@pytest.fixture
async def followed(partition: Partition, log: EventLog, database: Database) -> Database:
    """One that has all of a log, and a complete index of it."""
    await follow(partition, database)
    with_an_index(database)
    await write(log, 60, items=12)
    await log.append(PutItem("kept", b'{"name":"%s"}' % (b"x" * 100)))
    await log.append(PutItem("gone", b"{}"))
    await log.append(DeleteItem("gone"))
    await follow(partition, database)
    return database


async def rebuilt(partition: Partition, database: Database, *, dry_run: bool = False) -> Receipt:
    """The receipt of a rebuild."""
    return await rebuild(partition, model(database), dry_run=dry_run)


async def is_right(partition: Partition, database: Database) -> bool:
    """Whether verify finds nothing, and the digest is that of the current items."""
    verdict = await verify(partition, [model(database)])
    assert verdict.differences == []
    return verdict.clean and not verdict.not_compared


def contents(database: Database) -> dict[str, list[Any]]:
    """What all tables hold, those of rebuilds too."""
    with closing(database.reading()) as connection:
        names = [name for [name] in connection.rows("SELECT collection FROM itemstore_checkpoints")]
        tables = {*names, "items", "itemstore_deleted", "itemstore_checkpoints"}
        return {
            name: sorted(map(repr, connection.rows(f'SELECT * FROM "{name}"')))  # noqa: S608
            for name in tables
            if connection.has_table(name)
        }


async def test_what_is_right_is_left_as_it_is(partition: Partition, followed: Database) -> None:
    """And the receipt says so; its digest is that of the current items."""
    before = contents(followed)

    receipt = await rebuilt(partition, followed)

    found = receipt.findings
    assert not any(found.different.values())
    assert found.digest_before == found.digest_after
    assert found.digest_after == (await verify(partition, [])).digest
    assert found.events == (await partition.reader.extent()).events
    assert contents(followed) == before


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_mended_and_counted(
    partition: Partition, followed: Database, damage: str
) -> None:
    """Whatever is wrong; and nothing of the rebuild is left."""
    right = contents(followed)
    change(followed, DAMAGE[damage])

    receipt = await rebuilt(partition, followed)

    assert contents(followed) == right
    assert await is_right(partition, followed)
    different = receipt.findings.different
    assert sum(different.values())
    if damage in {"rows", "deleted", "keys"}:
        assert different[damage] == len(receipt.findings.examples)
    if damage.startswith(("rows", "deleted")):
        assert receipt.findings.digest_before != receipt.findings.digest_after


@pytest.mark.parametrize("damage", ["rows", "gone"])
async def test_a_dry_run_says_it_and_changes_nothing(
    partition: Partition, followed: Database, damage: str
) -> None:
    """The same receipt."""
    change(followed, DAMAGE[damage])
    damaged = contents(followed)

    would = await rebuilt(partition, followed, dry_run=True)

    assert contents(followed) == damaged
    assert would.findings == (await rebuilt(partition, followed)).findings


async def test_what_is_not_there_is_made(
    partition: Partition, log: EventLog, database: Database
) -> None:
    """No file, or no schema: it need not be followed first."""
    await write(log, 20)

    await rebuilt(partition, database)

    assert await is_right(partition, database)


async def test_what_is_behind_is_brought_to_the_end(
    partition: Partition, log: EventLog, followed: Database
) -> None:
    """What it lacks is not different, and the one that follows goes on from there."""
    await write(log, 30, seed=2)

    receipt = await rebuilt(partition, followed)

    assert not any(receipt.findings.different.values())
    assert receipt.findings.digest_before == receipt.findings.digest_after
    assert await is_right(partition, followed)
    await write(log, 30, seed=3)
    await follow(partition, followed)
    assert await is_right(partition, followed)


@pytest.mark.parametrize("damage", ["rows", "rows missing", "deleted"])
async def test_writes_and_the_one_that_follows_go_on_meanwhile(
    partition: Partition,
    log: EventLog,
    followed: Database,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has more events when it is compared, and more again when it is put in place."""
    change(followed, DAMAGE[damage])
    compare = rebuilding._SqlRebuild._compare
    seeds = iter(range(5, 100))

    async def with_writes(self: Any) -> Any:
        await write(log, 15, seed=next(seeds))
        await follow(partition, followed)
        compared = await compare(self)
        await write(log, 15, seed=next(seeds))
        await follow(partition, followed)
        await write(log, 15, seed=next(seeds))
        return compared

    monkeypatch.setattr(rebuilding._SqlRebuild, "_compare", with_writes)

    receipt = await rebuilt(partition, followed)

    assert sum(receipt.findings.different.values())
    assert await is_right(partition, followed)
    await follow(partition, followed)
    assert await is_right(partition, followed)


async def test_what_was_begun_again_meanwhile_is_compared_again(
    partition: Partition, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read model heals by itself: what was compared is not there any more."""
    compare = rebuilding._SqlRebuild._compare
    times = 0

    async def begun_again(self: Any) -> Any:
        nonlocal times
        compared = await compare(self)
        if times == 0:
            change(
                followed,
                "DELETE FROM items",
                "UPDATE itemstore_checkpoints SET position = '0-0' WHERE collection = 'items'",
            )
        times += 1
        return compared

    monkeypatch.setattr(rebuilding._SqlRebuild, "_compare", begun_again)

    await rebuilt(partition, followed)

    assert times == 2
    assert await is_right(partition, followed)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_killed_before_each_of_its_statements_it_leaves_what_was_or_what_is_right(
    partition: Partition, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one ends with the digest of the current items, and leaves nothing over."""
    monkeypatch.setattr(rebuilding, "MENDED", 3)
    monkeypatch.setattr(rebuilding, "ENOUGH", 20)
    right = contents(followed)
    left, outcomes = 0, set[str]()
    while "done" not in outcomes:
        for damage in ("rows", "deleted", "count"):
            change(followed, DAMAGE[damage])
        damaged = contents(followed)
        task = model(Mortal(followed, iter(range(left))))
        try:
            await rebuild(partition, task)
            outcomes.add("done")
        except Killed:
            lease = partition.keys.lease("rebuild")
            await partition.client.delete(lease)  # as time does
        found = {name: each for name, each in contents(followed).items() if name in right}
        own = {name: [row for row in rows if PREFIX not in row] for name, rows in found.items()}
        assert own in (damaged, right)
        outcomes.add("was" if own == damaged else "right")
        await rebuilt(partition, followed)
        assert contents(followed) == right
        left += 1
    assert outcomes == {"was", "right", "done"}


async def test_a_rebuild_that_lost_its_lease_touches_nothing_of_the_next_one(
    partition: Partition, followed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still for too long, and finds that what it built is gone."""
    change(followed, DAMAGE["rows"])
    compare = rebuilding._SqlRebuild._compare

    async def overtaken(self: Any) -> Any:
        compared = await compare(self)
        monkeypatch.undo()
        await partition.client.delete(partition.keys.lease("rebuild"))
        await rebuilt(partition, followed)
        return compared

    monkeypatch.setattr(rebuilding._SqlRebuild, "_compare", overtaken)

    with pytest.raises(LeaseLost):
        await rebuilt(partition, followed)
    assert await is_right(partition, followed)


async def test_a_rebuild_of_any_collection_has_a_name_that_fits(partition: Partition) -> None:
    """PostgreSQL cuts a longer one off."""
    token = Lease(partition, "any", 1).token
    assert len(name_of(Keys("x" * 63, partition=1023), token)) < 63
