"""A read model whose database says nothing, or has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.domain.commands import PutItem
from itemstore.engine.disk_space import DiskSpace
from itemstore.projections.queries.query import Query
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.postgres import postgres_database
from itemstore.store.read_model import ReadModel
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.postgresql import PostgresServer, running_postgresql
from tests.sql.followers import follow

QUERY = Query("items", where="@.n == 1")

LATE = 60.0
"""Seconds in which many are answered together; one after the other they would take minutes."""


@pytest.fixture
def server(own_postgres: Path) -> Iterator[PostgresServer]:
    """A server of the test's own, with nothing in it."""
    with running_postgresql(own_postgres) as server:
        server.empty()
        yield server


@pytest.fixture
async def model(server: PostgresServer) -> AsyncIterator[ReadModel]:
    """A read model that has one item, and that another process follows for."""
    store = Store.on(FakeAsyncRedis(server=FakeServer()), Settings(model="any"), DiskSpace())
    database = postgres_database(server.url, seconds=store.settings.query_seconds)
    partition = store.collections["items"].partition
    await store.collections["items"].log.append(PutItem("a", b'{"n":1}'))
    await follow(database, partition)
    model = ReadModel(store, database)
    yield model
    model.close()


async def test_many_that_ask_one_that_hangs_are_told_so_together(
    model: ReadModel, server: PostgresServer
) -> None:
    """And are answered once it goes on."""
    assert [item.id for item in (await model.find(QUERY)).items] == ["a"]
    with server.paused():
        began = monotonic()
        outcomes = await asyncio.gather(
            *(model.find(QUERY) for _ in range(50)),
            *(model.position("items") for _ in range(50)),
            return_exceptions=True,
        )
        assert monotonic() - began < LATE
    assert {type(each) for each in outcomes} == {SqlUnavailable}
    assert [item.id for item in (await model.find(QUERY)).items] == ["a"]


async def test_one_that_ended_is_asked_again_when_it_is_back(
    model: ReadModel, server: PostgresServer, own_postgres: Path
) -> None:
    """The connections of before are not used."""
    assert (await model.find(QUERY)).total == 1
    server.kill()
    with pytest.raises(SqlUnavailable, match="can't be used"):
        await model.find(QUERY)
    with running_postgresql(own_postgres):
        assert (await model.find(QUERY)).total == 1
