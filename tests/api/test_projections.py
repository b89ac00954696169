"""`/projections`: how far each one is, and the same wherever it is said."""

from __future__ import annotations

import httpx
from fakeredis import FakeAsyncRedis
from prometheus_client.parser import text_string_to_metric_families

from itemstore.api.app import ItemStore
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.statistics import STATISTICS
from itemstore.store.facts import facts_of
from itemstore.store.store import Store


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
