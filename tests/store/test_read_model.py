"""What queries are answered from, in a process that nobody else shares the engine with."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.engine.disk_space import DiskSpace
from itemstore.projections.queries.query import Query
from itemstore.projections.sql.errors import ReadModelBehind, SqlUnavailable
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.sql.tables import create_tables
from itemstore.store.read_model import ReadModel, read_model_of
from itemstore.store.settings import Settings
from itemstore.store.store import Store


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def opened(server: FakeServer, **settings: str) -> Store:
    """A store on an engine of this process."""
    return Store.on(FakeAsyncRedis(server=server), Settings(**settings), DiskSpace())  # type: ignore[arg-type]


@pytest.fixture
def store() -> Store:
    """A store of two collections."""
    return opened(FakeServer(), collections="products=any,orders=any", indexes="products=price")


@pytest.fixture
def model(store: Store, temporary: Path) -> Iterator[ReadModel]:
    """Its read model."""
    model = read_model_of(store)
    assert model is not None
    yield model
    model.close()


def made_in(directory: Path) -> list[Path]:
    """What is there."""
    return [*directory.iterdir()]


async def put(store: Store, collection: str, item: str, body: bytes) -> str:
    """The position of the event."""
    return (await store.collections[collection].log.append(PutItem(item, body))).position


async def test_a_query_sees_what_was_written_before_it(store: Store, model: ReadModel) -> None:
    """Nobody follows: it is brought up to the log's end first."""
    assert [each.id for each in (await model.find(Query("products"))).items] == []
    await put(store, "products", "a", b'{"price":1}')
    await put(store, "orders", "b", b'{"price":2}')
    at = await put(store, "products", "c", b'{"price":3}')
    found = await model.find(Query("products", where="@.price > 0", order="-price"))
    assert ([each.id for each in found.items], found.position) == (["c", "a"], at)
    assert found.plan.index == "$['price']"
    await store.collections["products"].log.append(DeleteItem("a"))
    assert [each.id for each in (await model.find(Query("products"))).items] == ["c"]


async def test_queries_at_once_see_all_of_it(store: Store, model: ReadModel) -> None:
    """They don't get into each other's way while they bring it up."""
    for number in range(30):
        await put(store, "products", f"item-{number}", b"{}")
    found = await asyncio.gather(*(model.find(Query("products", limit=50)) for _ in range(5)))
    assert [len(each.items) for each in found] == [30] * 5


async def test_nothing_is_made_before_the_first_query_and_nothing_is_left(
    store: Store, model: ReadModel, temporary: Path
) -> None:
    """A store that nobody queries pays nothing."""
    await put(store, "products", "a", b"{}")
    assert made_in(temporary) == []
    await model.find(Query("products"))
    assert len(made_in(temporary)) == 1
    await model.finish()
    assert made_in(temporary) == []
    assert len((await model.find(Query("products"))).items) == 1


async def test_one_that_is_forgotten_leaves_nothing(store: Store, temporary: Path) -> None:
    """Nobody has to close it."""
    model = read_model_of(store)
    assert model is not None
    await model.find(Query("products"))
    assert len(made_in(temporary)) == 1
    del model
    assert made_in(temporary) == []


async def test_a_position_is_there_or_not(store: Store, model: ReadModel) -> None:
    """One of another collection that is later than all of the log counts as there."""
    assert await model.position("products") == "0-0"
    mine = await put(store, "products", "a", b"{}")
    other = await put(store, "orders", "b", b"{}")
    assert await model.wait("products", mine, 0)
    assert await model.position("products") == mine
    assert await model.wait("products", other, 0)
    assert await model.position("products") == mine


async def test_they_can_be_turned_off() -> None:
    """There is no read model then."""
    assert read_model_of(opened(FakeServer(), sql_url="off")) is None


async def test_a_file_of_one_s_own_is_shared_by_nobody(tmp_path: Path) -> None:
    """A second store there would take it from the first."""
    url = f"sqlite:///{tmp_path}/of/products.sqlite"
    first, second = opened(FakeServer(), sql_url=url), opened(FakeServer(), sql_url=url)
    model, other = read_model_of(first), read_model_of(second)
    assert model is not None
    assert other is not None
    await put(first, "items", "a", b"{}")
    assert len((await model.find(Query("items"))).items) == 1
    assert (tmp_path / "of/products.sqlite").stat().st_mode & 0o777 == 0o600
    await put(second, "items", "b", b"{}")
    assert [each.id for each in (await other.find(Query("items"))).items] == ["b"]
    assert [each.id for each in (await model.find(Query("items"))).items] == ["a"]
    for each in (model, other):
        each.close()


async def test_a_place_where_nothing_can_be_made_is_said(tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / "file").write_text("")
    model = read_model_of(opened(FakeServer(), sql_url=f"sqlite:///{tmp_path}/file/queries.sqlite"))
    assert model is not None
    with pytest.raises(SqlUnavailable, match=r"file/queries\.sqlite can't be made"):
        await model.find(Query("items"))
    model.close()


@pytest.mark.parametrize("there", ["nothing", "a file", "tables"])
async def test_what_is_not_made_yet_is_waited_for(store: Store, tmp_path: Path, there: str) -> None:
    """The process that makes it may just be starting: that is no failure."""
    database = SqliteDatabase(tmp_path / "queries.sqlite")
    model = ReadModel(store, database)
    at = await put(store, "products", "a", b"{}")
    if there != "nothing":
        connection = database.writing()
        if there == "tables":
            create_tables(connection, ["products"])
        connection.close()
    with pytest.raises(ReadModelBehind, match="just being made"):
        await model.find(Query("products"))
    assert await model.position("products") == "0-0"
    assert not await model.wait("products", at, 0)
    model.close()


async def test_a_full_disk_is_said_and_nothing_is_written(
    store: Store, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine may be on the same one, and needs what is left."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 << 20))
    await put(store, "products", "a", b"{}")
    with pytest.raises(SqlUnavailable, match="has 100 MiB left"):
        await model.find(Query("products"))
    monkeypatch.undo()
    assert len((await model.find(Query("products"))).items) == 1
