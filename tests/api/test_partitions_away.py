"""What is answered while some of a store's partitions are away, and what is not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from itemstore.api.app import create_app
from itemstore.domain.partitions import partition_of
from itemstore.store import health
from itemstore.store.settings import Settings
from tests.apart import Apart, store_apart
from tests.api.conftest import client_of, problem
from tests.store.test_health import items_in

PARTITIONS = 4

HERE, AWAY = items_in(0, PARTITIONS), items_in(2, PARTITIONS)


@pytest.fixture
def apart() -> Apart:
    """An engine for each partition."""
    return Apart()


@pytest.fixture
async def client(apart: Apart) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a store with an item in each of two partitions, of which one is away then."""
    settings = Settings(partitions=PARTITIONS, sql_url="off")
    app = create_app(settings)
    app.serve(store_apart(apart, PARTITIONS))
    async with client_of(app) as client:
        for item in (HERE, AWAY):
            for size in (1, 2):
                await client.put(f"/items/{item}", json={"size": size})
        yield client


async def test_an_items_events_come_from_its_own_partition(
    apart: Apart, client: httpx.AsyncClient
) -> None:
    """Whichever others are away; its page says that partition's log, and goes on with that."""
    whole = (await client.get("/events")).headers["log-id"]
    apart.servers["2"].connected = False

    first = await client.get(f"/items/{HERE}/events", params={"limit": 1})
    assert (first.status_code, len(first.json())) == (200, 1)
    rest = await client.get(first.links["next"]["url"])
    assert [event["itemversion"] for event in rest.json()] == [2]
    assert rest.headers["log-id"] == first.headers["log-id"] != whole
    problem(await client.get(f"/items/{AWAY}/events"), 503, "log-unavailable")
    problem(await client.get("/events"), 503, "log-unavailable")


async def test_an_items_events_take_the_log_of_the_whole_store_too(
    client: httpx.AsyncClient,
) -> None:
    """Which a client has that came from the feed; another one is refused."""
    whole = (await client.get("/events")).headers["log-id"]
    own = (await client.get(f"/items/{HERE}/events")).headers["log-id"]
    others = (await client.get(f"/items/{AWAY}/events")).headers["log-id"]
    for log, status in ((whole, 200), (own, 200), (others, 409), ("0f" * 8, 409)):
        answer = await client.get(f"/items/{HERE}/events", params={"log": log})
        assert answer.status_code == status, log


async def test_a_post_takes_an_id_of_a_partition_that_takes_writes(
    apart: Apart, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once one of them is known to take none: at most one request has to find that out."""
    apart.servers["2"].connected = False
    problem(await client.get("/readyz"), 503, "log-unavailable")
    for _ in range(40):
        assert (await client.post("/items", json={"size": 3})).status_code == 201

    apart.servers["2"].connected = True
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(health, "DOUBTED_SECONDS", 0.0)
    while (await client.get("/readyz")).status_code != 200:
        pass
    ids = {(await client.post("/items", json={"size": 4})).headers["location"] for _ in range(60)}
    assert {partition_of(each.rpartition("/")[2], PARTITIONS) for each in ids} == {0, 1, 2, 3}


async def test_a_post_that_fails_has_the_next_ones_pass_its_partition_over(
    apart: Apart, client: httpx.AsyncClient
) -> None:
    """Without anybody asking whether the store is ready; a failed one appended nothing else."""
    apart.servers["2"].connected = False
    statuses = [(await client.post("/items", json={"size": 3})).status_code for _ in range(40)]
    assert statuses.count(503) <= 1
    assert {*statuses} <= {201, 503}
