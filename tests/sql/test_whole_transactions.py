"""What a transaction did in a collection is in its table as a whole, or not at all."""

from __future__ import annotations

from contextlib import closing

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PutItem
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from tests.eventlog.two_collections import PRODUCTS, orders, products

pytestmark = [
    pytest.mark.parametrize("redis", ["fakeredis"], indirect=True),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


@pytest.mark.parametrize("batch", range(1, 8))
async def test_a_batch_that_ends_within_a_transaction_takes_the_rest_of_it(
    redis: Redis, log: EventLog, database: Database, batch: int
) -> None:
    """Wherever it ends; and the next one goes on after that."""
    for number in range(2):
        name = f"{number}"
        await log.appender.append_together(
            [
                *products(PutItem(f"{name}a", b"{}"), PutItem(f"{name}b", b"{}")),
                *orders(PutItem(name, b"{}")),
                *products(PutItem(f"{name}c", b"{}")),
            ]
        )
    partition = Partition(redis, PRODUCTS)
    [entries] = [each async for each in partition.reader.slices()]
    projection = SqlProjection(database, ["products"])
    follower = projection.follower(partition)
    after, sizes = await follower.position(), set[int]()

    while rest := [each for each in entries if each[0].decode() > after]:
        assert await follower.apply(rest[:batch], after)
        after = await follower.position()
        with closing(database.reading()) as connection:
            sizes.add(len([*connection.rows("SELECT id FROM products")]))

    projection.writer.close()
    assert sizes <= {3, 6}
    assert 6 in sizes
