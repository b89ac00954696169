"""Everything that is derived from the log can be damaged by hand: it is noticed, and it heals."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN, CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.rebuild.shadow import Shadow
from itemstore.projections.verify.run import verify
from tests.conftest import assert_agreement, contents
from tests.rebuild.conftest import Damage

ONCE = "a/b:c*[?"
"""An item that was put once."""


async def edit_row(redis: Redis, keys: Keys) -> None:
    """Gives an item another body, as a person with redis-cli would."""
    row: Any = await redis.hget(keys.current, "kept")
    await redis.hset(keys.current, "kept", row.replace(b"name", b"nome"))


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "all rows deleted": (lambda redis, keys: redis.delete(keys.current), {"row"}),
    "a row deleted": (lambda redis, keys: redis.hdel(keys.current, "kept"), {"row"}),
    "a row edited": (edit_row, {"row"}),
    "a row that is no row": (lambda redis, keys: redis.hset(keys.current, "kept", "?"), {"row"}),
    "a row of nothing": (lambda redis, keys: redis.hset(keys.current, "never", "{}"), {"row"}),
    "rows of another type": (lambda redis, keys: redis.set(keys.current, "?"), {"row"}),
    "all ids deleted": (lambda redis, keys: redis.delete(keys.ids), {"index", "total"}),
    "an id removed": (lambda redis, keys: redis.zrem(keys.ids, "kept"), {"index", "total"}),
    "an id with a score": (lambda redis, keys: redis.zadd(keys.ids, {"kept": 1.5}), {"index"}),
    "the id of a deleted item": (
        lambda redis, keys: redis.zadd(keys.ids, {"gone": 0}),
        {"index", "total"},
    ),
    "the id of nothing": (
        lambda redis, keys: redis.zadd(keys.ids, {"never": 0}),
        {"index", "total"},
    ),
    "ids of another type": (lambda redis, keys: redis.set(keys.ids, "?"), {"index", "total"}),
    "a history deleted": (lambda redis, keys: redis.delete(keys.history("kept")), {"history"}),
    "a history cut off": (lambda redis, keys: redis.rpop(keys.history("kept")), {"history"}),
    "a history without its beginning": (
        lambda redis, keys: redis.lpop(keys.history("kept")),
        {"history"},
    ),
    "a history with another position": (
        lambda redis, keys: redis.lset(keys.history("kept"), 1, "1-1"),
        {"history"},
    ),
    "a history too long": (
        lambda redis, keys: redis.rpush(keys.history("kept"), "1-1"),
        {"history"},
    ),
    "a history of one position deleted": (
        lambda redis, keys: redis.delete(keys.history(ONCE)),
        {"history"},
    ),
    "a history of one position with another one": (
        lambda redis, keys: redis.lset(keys.history(ONCE), 0, "1-1"),
        {"history"},
    ),
    "a history of one position too long": (
        lambda redis, keys: redis.lpush(keys.history(ONCE), "1-1"),
        {"history"},
    ),
    "a history of one position of another type": (
        lambda redis, keys: redis.set(keys.history(ONCE), "?"),
        {"history"},
    ),
    "a history of two positions without its beginning": (
        lambda redis, keys: redis.lset(keys.history("gone"), 0, "1-1"),
        {"history"},
    ),
    "a history of nothing": (
        lambda redis, keys: redis.rpush(keys.history("never"), "1-1"),
        {"history"},
    ),
    "a history of another type": (
        lambda redis, keys: redis.set(keys.history("kept"), "?"),
        {"history"},
    ),
}


WHERE = {"rows": "row", "ids": "index", "histories": "history"}
"""What a receipt calls the places that verify names."""


pytestmark = pytest.mark.usefixtures("replay")


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest) -> tuple[Damage, set[str]]:
    """Something done to derived keys, and where verify must see it."""
    return DAMAGES[request.param]


async def test_damage_is_named_by_verify_and_healed_by_rebuild(
    redis: Redis, partition: Partition, history: EventLog, damage: tuple[Damage, set[str]]
) -> None:
    """Verify says where, rebuild makes it as it was, and the digest is the one from before."""
    do_damage, places = damage
    before = await contents(redis)
    digest = (await verify(partition, BUILT_IN)).digest
    await do_damage(redis, partition.keys)

    found = await verify(partition, BUILT_IN)
    assert set(found.counted) == places
    assert found.differences
    receipt = await rebuild(partition, CURRENT_ITEMS)
    different = receipt.findings.different
    assert {WHERE[kind] for kind, count in different.items() if count} == places - {"total"}

    healed = await verify(partition, BUILT_IN)
    assert healed.clean
    assert healed.digest == digest == receipt.findings.digest_after
    after = await contents(redis)
    after.pop(partition.keys.receipts.encode())
    assert after == before
    await assert_agreement(partition)


@pytest.mark.parametrize("kind", ["deleted", "with another one", "too long"])
async def test_a_history_of_one_position_heals_while_its_item_is_written(
    redis: Redis,
    partition: Partition,
    history: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """What is appended to it after it was found wrong stands in it once, behind the first."""
    do_damage, _ = DAMAGES[f"a history of one position {kind}"]
    await do_damage(redis, partition.keys)
    heal = Shadow.heal_histories

    async def write_and_heal(shadow: Shadow) -> None:
        for _ in range(2):
            await history.append(PutItem(ONCE, b"2"))
        await heal(shadow)

    monkeypatch.setattr(Shadow, "heal_histories", write_and_heal)
    await rebuild(partition, CURRENT_ITEMS)

    assert (await verify(partition, BUILT_IN)).differences == []
    await assert_agreement(partition)


async def test_everything_damaged_at_once_heals(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """All derived keys gone, and a history of nothing in their place."""
    before = await contents(redis)
    digest = (await verify(partition, BUILT_IN)).digest
    derived = [key for key in before if key != partition.keys.events.encode()]
    await redis.delete(*derived)
    await redis.rpush(partition.keys.history("never"), "1-1")

    assert not (await verify(partition, BUILT_IN)).clean
    receipt = await rebuild(partition, CURRENT_ITEMS)

    assert receipt.findings.digest_before != receipt.findings.digest_after == digest
    assert (await verify(partition, BUILT_IN)).clean
    await assert_agreement(partition)


async def test_a_difference_says_what_is_and_what_should_be(
    redis: Redis, partition: Partition, history: EventLog
) -> None:
    """The edited row stands beside the one that the log gives."""
    right: Any = await redis.hget(partition.keys.current, "kept")
    await edit_row(redis, partition.keys)
    wrong: Any = await redis.hget(partition.keys.current, "kept")

    [difference] = (await verify(partition, BUILT_IN)).differences

    assert difference.where == "row"
    assert difference.name == "kept"
    assert difference.found == wrong.decode()
    assert difference.expected == right.decode()
