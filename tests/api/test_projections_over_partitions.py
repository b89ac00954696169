"""`/projections`, `/stats`, `/metrics` and operations of a store whose partitions are apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from itemstore.api.app import ItemStore, create_app
from itemstore.domain.cursors import positions_of
from itemstore.domain.events import RecordedEvent
from itemstore.projections.counting import CountingProjection
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.statistics import STATISTICS
from itemstore.projections.task import Findings, Task
from itemstore.store import carrying_out
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.apart import Apart
from tests.api.conftest import client_of, problem

PARTITIONS = 3


@pytest.fixture
def apart() -> Apart:
    """An engine for each partition."""
    return Apart()


@pytest.fixture
def shop(apart: Apart) -> ItemStore:
    """A store of two collections on them, with a projection of its operator's."""
    settings = Settings(partitions=PARTITIONS, sql_url="off")
    app = create_app(settings, collections=dict.fromkeys(("products", "orders")))
    app.projections = (*app.projections, CountingProjection("names", _count_names))
    app.clients = apart
    app.serve(store_on(apart, settings, names=("products", "orders")))
    return app


def _count_names(numbers: Any, recorded: RecordedEvent) -> None:
    numbers[recorded.item[:1]] += 1


@pytest.fixture
async def buyer(shop: ItemStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it; there are products in each partition, and one order."""
    async with client_of(shop) as client:
        for number in range(12):
            await client.put(f"/products/p{number}", json={"size": number})
        await client.delete("/products/p3")
        await client.put("/orders/a", json={})
        yield client


def store_of(app: ItemStore) -> Store:
    """The store that the app serves."""
    assert app.context is not None
    return app.context.store


async def lengths_of(store: Store, name: str) -> list[int]:
    """Events in each partition of a collection's log."""
    logs = store.collections[name].partitions
    return [await each.client.xlen(each.keys.events) for each in logs]


async def measured(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """The metrics, by name and the values of their labels."""
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    return {
        (each.name, *each.labels.values()): each.value
        for family in families
        for each in family.samples
    }


async def test_projections_are_sums_and_each_partition_is_told(
    buyer: httpx.AsyncClient, shop: ItemStore
) -> None:
    """Here statistics of one partition are counted, and of the others not yet."""
    store = store_of(shop)
    lengths = await lengths_of(store, "products")
    assert min(lengths) > 0
    counted = store.collections["products"].partitions[1]
    await rebuild(counted, STATISTICS)
    found = (await buyer.get("/projections")).json()
    ends = [(await each.reader.extent()).last for each in store.collections["products"].partitions]

    logs = {each["collection"]: each for each in found["logs"]}
    assert positions_of(logs["products"]["position"], PARTITIONS) == ends
    assert (logs["products"]["events"], logs["orders"]["events"]) == (13, 1)
    assert found["log"]["events"] == 14
    [statistics] = [
        each
        for each in found["projections"]
        if (each["collection"], each["name"]) == ("products", "statistics")
    ]
    lags = [0 if number == 1 else length for number, length in enumerate(lengths)]
    assert [each["lag"] for each in statistics["partitions"]] == lags
    assert statistics["lag"] == sum(lags)
    assert statistics["rows"] == statistics["partitions"][1]["rows"] > 0
    assert positions_of(statistics["position"], PARTITIONS) == ["0-0", ends[1], "0-0"]
    assert statistics["time"] == statistics["partitions"][1]["time"]
    assert statistics["last_rebuild"]["events"] == lengths[1]
    assert "partitions" not in statistics["last_rebuild"]

    metrics = await measured(buyer)
    assert metrics["itemstore_projection_lag_events", "products", "statistics"] == sum(lags)
    order = [await lengths_of(store, "orders")][0]
    for number in range(PARTITIONS):
        behind = metrics["itemstore_partition_lag_events", str(number), "statistics"]
        assert behind == lags[number] + order[number]
    assert metrics["itemstore_items", "products"] == 11
    assert metrics["itemstore_log_events", "products"] == 13


async def test_statistics_are_those_of_all_partitions(
    buyer: httpx.AsyncClient, shop: ItemStore
) -> None:
    """While the application runs, each partition is counted, the operator's projection too."""
    async with shop.router.lifespan_context(shop), asyncio.timeout(10):
        while (found := (await buyer.get("/stats")).json())["events"] < 14:
            await asyncio.sleep(0.01)
        assert (found["items"], found["types"]) == (12, {"ItemCreated": 13, "ItemDeleted": 1})
        of_products = found["collections"]["products"]
        assert (of_products["events"], sum(of_products["days"].values())) == (13, 13)
        told = (await buyer.get("/projections")).json()
        assert found["position"] == told["log"]["position"]
        names = [each for each in told["projections"] if each["name"] == "names"]
        while any(each["lag"] for each in names):
            told = (await buyer.get("/projections")).json()
            names = [each for each in told["projections"] if each["name"] == "names"]
        assert [each["rows"] for each in names] == [PARTITIONS, 1]


async def test_of_a_node_that_is_away_nothing_is_summed_and_the_rest_is_told(
    buyer: httpx.AsyncClient, apart: Apart
) -> None:
    """The metrics of the process and of partitions that answer are there; no sum is too small."""
    apart.servers["2"].connected = False
    metrics = await measured(buyer)
    assert metrics["itemstore_engine_up",] == 0
    assert metrics["itemstore_events_total", "products", "ItemCreated"] == 12
    assert ("itemstore_items", "products") not in metrics
    assert ("itemstore_projection_lag_events", "products", "statistics") not in metrics
    behind = {name[1] for name in metrics if name[0] == "itemstore_partition_lag_events"}
    assert behind == {"0", "1"}
    problem(await buyer.get("/stats"), 503, "log-unavailable")


async def test_projections_tell_what_is_known_where_a_node_is_away(
    buyer: httpx.AsyncClient, apart: Apart
) -> None:
    """Sums are null, and of the partition that is away it is said why."""
    before = (await buyer.get("/projections")).json()["projections"]
    apart.servers["2"].connected = False
    found = (await buyer.get("/projections")).json()
    assert found["log"] == {"position": None, "events": None}
    assert {"collection": "orders", "position": None, "events": None} in found["logs"]
    for state, was in zip(found["projections"], before, strict=True):
        assert (state["name"], state["collection"]) == (was["name"], was["collection"])
        assert (state["position"], state["time"]) == (None, None)
        assert (state["lag"], state["rows"]) == (None, None)
        *known, away = state["partitions"]
        assert known == was["partitions"][:2]
        assert (away["partition"], away["position"], away["lag"]) == (2, None, None)
        assert "engine" in away["reason"]

    for server in apart.servers.values():
        server.connected = False
    problem(await buyer.get("/projections"), 503, "log-unavailable")


class Slow(CountingProjection):
    """One whose rebuild stands still, once it has said how far it is."""

    __slots__ = ()
    go_on = asyncio.Event()

    async def rebuild(self, task: Task) -> Findings:
        """Waits, the first time."""
        task.tell("replaying", 0)
        await self.go_on.wait()
        return await CountingProjection.rebuild(self, task)


async def test_an_operation_says_which_partition_it_is_at(
    shop: ItemStore, apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how far it is in all of them."""
    monkeypatch.setattr(carrying_out, "BEAT", 0.01)
    monkeypatch.setattr(Slow, "go_on", asyncio.Event())
    shop.projections = (*shop.projections, Slow("slow", _count_names))
    shop.serve(store_on(apart, shop.settings, names=("products", "orders")))
    async with client_of(shop) as client, asyncio.timeout(10):
        for number in range(9):
            await client.put(f"/products/p{number}", json={})
        wanted = {"operation": "rebuild", "projection": "slow", "collection": "products"}
        path = (await client.post("/admin/operations", json=wanted)).headers["location"]
        while not (progress := (await client.get(path)).json()["progress"]):
            await asyncio.sleep(0.01)
        assert progress == {
            "stage": "replaying",
            "done": 0,
            "total": 9,
            "unit": "events",
            "collection": "products",
            "partition": 0,
        }
        Slow.go_on.set()
        while (ended := (await client.get(path)).json())["status"] == "running":
            await asyncio.sleep(0.01)
        assert ended["result"]["events"] == ended["progress"]["done"] == 9
        assert [each["partition"] for each in ended["result"]["partitions"]] == [0, 1, 2]
