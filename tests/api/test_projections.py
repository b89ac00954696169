"""`/projections`: how far each one is, and the same wherever it is said."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from prometheus_client.parser import text_string_to_metric_families

from itemstore.api.app import ItemStore, create_app
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.statistics import STATISTICS
from itemstore.store.facts import facts_of
from itemstore.store.store import Store
from tests.api.conftest import client_of, problem


def store_of(app: ItemStore) -> Store:
    """The store that the app serves."""
    assert app.context is not None
    return app.context.store


async def listed(client: httpx.AsyncClient) -> dict[str, dict[str, object]]:
    """What `/projections` says of each, by name."""
    answer = (await client.get("/projections")).json()
    return {each.pop("name"): each for each in answer["projections"]}


async def measured(client: httpx.AsyncClient, name: str) -> dict[str, float]:
    """The values of a metric, by projection."""
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = [each for family in families for each in family.samples if each.name == name]
    return {each.labels.get("projection", ""): each.value for each in samples}


async def test_each_says_the_same_of_a_store_with_deleted_items(
    app: ItemStore,
    client: httpx.AsyncClient,
    redis: FakeAsyncRedis,
) -> None:
    """A deleted item keeps its row: for `/projections`, `itemstore info` and `redis-cli` alike."""
    for name in ("a", "b", "c"):
        await client.put(f"/items/{name}", json={})
    await client.delete("/items/b")

    told = await facts_of(store_of(app))
    items = (await listed(client))["current-items"]
    assert items["rows"] == told["items"] + told["deleted_items"] == 3
    assert items["rows"] == await redis.hlen("items:current")
    assert items["position"] == told["last_position"]
    assert await measured(client, "itemstore_items") == {"": told["items"]} == {"": 2}


async def test_each_says_the_same_of_how_far_they_are(
    app: ItemStore, client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Before anything is counted, when all is, and when there is more to count."""
    for number in range(3):
        await client.put("/items/a", json={})
        if number == 1:
            await rebuild(store_of(app).partition, STATISTICS)
        found = await listed(client)
        assert {name: each["lag"] for name, each in found.items()} == await measured(
            client, "itemstore_projection_lag_events"
        )
        assert [each["lag"] for each in found.values()] == [0, (1, 0, 1)[number]]
        seconds = await measured(client, "itemstore_projection_position_timestamp_seconds")
        for name, each in found.items():
            milliseconds = int(str(each["position"]).partition("-")[0])
            assert seconds[name] == milliseconds / 1000

    counted = await redis.hlen("items:projection:statistics")
    assert found["statistics"]["rows"] == counted - len(["position", "events"])
    assert found["statistics"]["last_rebuild"]


@pytest.fixture
def shop(redis: FakeAsyncRedis) -> ItemStore:
    """A store of three collections."""
    return create_app(redis=redis, collections=dict.fromkeys(("products", "orders", "notes")))


@pytest.fixture
async def buyer(shop: ItemStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it; there are two products, one of which is gone, an order, and no note."""
    async with client_of(shop) as client:
        for path in ("/products/a", "/products/b", "/orders/a"):
            await client.put(path, json={})
        await client.delete("/products/b")
        yield client


async def test_with_several_collections_each_says_whose_it_is(
    buyer: httpx.AsyncClient, shop: ItemStore
) -> None:
    """In the order of the setting; `log` is of all of them, and `source` asks for one."""
    names = list(store_of(shop).collections)
    found = (await buyer.get("/projections")).json()
    assert [(each["collection"], each["events"]) for each in found["logs"]] == [
        ("products", 3),
        ("orders", 1),
        ("notes", 0),
    ]
    assert found["log"] == {"position": found["logs"][0]["position"], "events": 4}
    assert [(each["collection"], each["name"]) for each in found["projections"]] == [
        (name, each) for name in names for each in ("current-items", "statistics")
    ]
    assert [each["lag"] for each in found["projections"]] == [0, 3, 0, 1, 0, 0]
    assert [each["rows"] for each in found["projections"]] == [2, 0, 1, 0, 0, 0]

    one = (await buyer.get("/projections?source=/orders")).json()
    assert one["logs"] == [found["logs"][1]]
    assert one["log"] == {key: one["logs"][0][key] for key in ("position", "events")}
    assert one["projections"] == found["projections"][2:4]


async def test_the_last_rebuild_is_that_of_the_collection(
    buyer: httpx.AsyncClient, shop: ItemStore
) -> None:
    """Of the others there was none."""
    await rebuild(store_of(shop).collections["orders"].partition, STATISTICS)
    found = (await buyer.get("/projections")).json()["projections"]
    rebuilt = [(each["collection"], each["name"]) for each in found if each["last_rebuild"]]
    assert rebuilt == [("orders", "statistics")]


async def test_statistics_are_of_all_collections_and_of_each(
    buyer: httpx.AsyncClient, shop: ItemStore
) -> None:
    """The sum has the shape that it has of one, and so has each."""
    for each in store_of(shop).collections.values():
        await rebuild(each.partition, STATISTICS)
    found = (await buyer.get("/stats")).json()
    of_each = found.pop("collections")
    assert list(of_each) == ["products", "orders", "notes"]
    assert [each["items"] for each in of_each.values()] == [1, 1, 0]
    assert found["position"] == of_each["products"]["position"]
    assert (found["events"], found["items"], found["bytes"]) == (4, 2, 6)
    assert found["types"] == {"ItemCreated": 3, "ItemDeleted": 1}
    assert sum(found["days"].values()) == 4
    for name, numbers in of_each.items():
        assert (await buyer.get(f"/stats?source=/{name}")).json() == numbers


@pytest.mark.parametrize("path", ["/stats", "/projections"])
async def test_a_source_that_is_none_is_named(buyer: httpx.AsyncClient, path: str) -> None:
    """With those that there are."""
    for wrong in ("/items", "orders", ""):
        content = problem(await buyer.get(path, params={"source": wrong}), 422, "invalid-parameter")
        [error] = content["errors"]
        assert error["parameter"] == "source"
        assert error["detail"].endswith("; there are /products, /orders, /notes.")


async def test_the_only_collection_of_a_store_is_not_named(client: httpx.AsyncClient) -> None:
    """The answers are those of a store without the setting."""
    await client.put("/items/a", json={})
    projections = (await client.get("/projections")).json()
    assert set(projections) == {"log", "projections"}
    assert all("collection" not in each for each in projections["projections"])
    numbers = (await client.get("/stats")).json()
    assert "collections" not in numbers
    assert (await client.get("/stats?source=/items")).json() == numbers
    assert (await client.get("/projections?source=/items")).json() == projections
