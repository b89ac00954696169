"""`/metrics`: what it counts, in a form that Prometheus reads, and all of it documented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio.client import Pipeline

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.server.counters import BOUNDS, Counters
from itemstore.server.processes import Processes
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create
from tests.api.conftest import Serve, client_of, problem
from tests.conftest import ROOT

OPERATIONS = (ROOT / "docs/operations.md").read_text()

PUT = {"route": "/items/{id}", "method": "PUT"}


async def families(client: httpx.AsyncClient) -> dict[str, Metric]:
    """All metrics as a scrape gets them, by name."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    found = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in found)
    return {family.name: family for family in found}


async def value(client: httpx.AsyncClient, sample: str, **labels: str) -> float | None:
    """The value of one sample, None where there is none."""
    for family in (await families(client)).values():
        for each in family.samples:
            if each.name == sample and each.labels == labels:
                return each.value
    return None


@contextmanager
def running_process() -> Iterator[int]:
    """The id of some other process, which runs for the block and is gone after it."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        yield process.pid
    finally:
        process.communicate(timeout=10)


def documented() -> dict[str, str]:
    """Name and type of each metric in the table of docs/operations.md."""
    section = OPERATIONS.partition("## Metrics")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {name.strip(" `"): row[1].strip() for row in rows for name in row[0].split(",")}


async def test_every_metric_is_documented_with_its_type(client: httpx.AsyncClient) -> None:
    """Under the name that a query uses; and nothing is that there is not."""
    found = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in (await families(client)).values()
    }
    assert documented() == found


async def test_requests_are_counted_by_route_method_and_status(client: httpx.AsyncClient) -> None:
    """By the route's template: an id never becomes a label."""
    for name in ("a", "b", "a"):
        await client.put(f"/items/{name}", json={})
    await client.get("/items/c")
    await client.get("/nowhere")

    total = "itemstore_requests_total"
    assert await value(client, total, **PUT, status="201") == 2
    assert await value(client, total, **PUT, status="200") == 1
    assert await value(client, total, route="/items/{id}", method="GET", status="404") == 1
    assert await value(client, total, route="other", method="GET", status="404") == 1


async def test_durations_are_a_histogram_by_route_and_method(client: httpx.AsyncClient) -> None:
    """Its buckets only grow, and the last one is the count."""
    for _ in range(3):
        await client.put("/items/a", json={})

    family = (await families(client))["itemstore_request_duration_seconds"]
    samples = [each for each in family.samples if PUT.items() <= each.labels.items()]
    buckets = [each.value for each in samples if each.name.endswith("_bucket")]
    assert len(buckets) == len(BOUNDS) + 1
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3
    [seconds] = [each.value for each in samples if each.name.endswith("_sum")]
    assert 0 < seconds < 10


async def test_events_are_counted_by_collection_and_type(client: httpx.AsyncClient) -> None:
    """What this process appended, and in how many batches."""
    await client.put("/items/a", json={})
    await client.put("/items/a", json={})
    await client.delete("/items/a")

    events = "itemstore_events_total"
    assert await value(client, events, type="ItemCreated", collection="items") == 1
    assert await value(client, events, type="ItemUpdated", collection="items") == 1
    assert await value(client, events, type="ItemDeleted", collection="items") == 1
    assert await value(client, "itemstore_batch_commands_count") == 3
    assert await value(client, "itemstore_batch_commands_sum") == 3


async def test_errors_are_counted_by_problem_type(client: httpx.AsyncClient) -> None:
    """Those of the resources, and those of paths that there are not."""
    await client.get("/items/a")
    await client.get("/nowhere")

    assert await value(client, "itemstore_problems_total", type="item-not-found") == 1
    assert await value(client, "itemstore_problems_total", type="not-found") == 1


async def test_the_log_and_the_projections_are_measured(client: httpx.AsyncClient) -> None:
    """As the engine has them, whichever process wrote them."""
    answer = await client.put("/items/a", json={})
    await client.put("/items/b", json={})
    await client.delete("/items/b")

    assert await value(client, "itemstore_engine_up") == 1
    assert await value(client, "itemstore_items", collection="items") == 1
    assert await value(client, "itemstore_log_events", collection="items") == 3
    lag = "itemstore_projection_lag_events"
    items, statistics = (
        {"collection": "items", "projection": name} for name in ("current-items", "statistics")
    )
    assert await value(client, lag, **items) == 0
    assert await value(client, lag, **statistics) == 3
    time = "itemstore_projection_position_timestamp_seconds"
    written = int(answer.headers["event-id"].partition("-")[0]) / 1000
    at = await value(client, time, **items)
    assert at is not None
    assert written <= at < written + 60
    assert await value(client, time, **statistics) == 0


async def test_each_collection_is_measured(redis: FakeAsyncRedis) -> None:
    """One that can't be read hides nothing of the others."""
    collections = dict.fromkeys(("products", "orders", "notes"))
    async with client_of(create_app(redis=redis, collections=collections)) as client:
        for path in ("/products/a", "/products/b", "/orders/a"):
            await client.put(path, json={})
        await redis.set("notes:events", "?")
        await redis.set("orders:ids", "?")
        found = await families(client)

    def values(name: str, **labels: str) -> dict[str, float]:
        samples = [each for each in found[name].samples if labels.items() <= each.labels.items()]
        return {each.labels["collection"]: each.value for each in samples}

    assert [each.value for each in found["itemstore_engine_up"].samples] == [1]
    assert values("itemstore_items") == {"products": 2, "notes": 0}
    assert values("itemstore_log_events") == {"products": 2, "orders": 1}
    assert values("itemstore_events") == {"products": 2, "orders": 1}
    lag = "itemstore_projection_lag_events"
    assert values(lag, projection="statistics") == {"products": 2, "orders": 1}
    assert values(lag, projection="current-items") == {"products": 0, "orders": 0}


@pytest.mark.parametrize("path", ["/metrics", "/projections", "/stats"])
async def test_a_look_at_all_collections_asks_the_engine_as_often_as_at_one(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A scrape of a hundred of them is a few round trips."""
    trips: list[object] = []
    command: Any = redis.execute_command
    together: Any = Pipeline.execute

    async def one(*words: Any, **options: Any) -> Any:
        trips.append(words)
        return await command(*words, **options)

    async def several(self: Pipeline, *arguments: Any, **options: Any) -> Any:
        trips.append(self)
        return await together(self, *arguments, **options)

    monkeypatch.setattr(redis, "execute_command", one)
    monkeypatch.setattr(Pipeline, "execute", several)
    asked = []
    for count in (1, 40):
        names = dict.fromkeys(f"c{number}" for number in range(count))
        async with client_of(create_app(redis=redis, collections=names)) as client:
            await client.get(path)  # its scripts are loaded then
            trips.clear()
            await client.get(path)
            asked.append(len(trips))
    assert asked[0] == asked[1] < 10


async def test_metrics_are_there_while_the_engine_is_not(
    client: httpx.AsyncClient, engine: FakeServer
) -> None:
    """What the process counts goes on; what the engine knows is left out, not zero."""
    await client.put("/items/a", json={})
    engine.connected = False
    problem(await client.get("/items/a"), 503, "log-unavailable")

    assert await value(client, "itemstore_engine_up") == 0
    assert await value(client, "itemstore_items", collection="items") is None
    events = "itemstore_events_total"
    assert await value(client, events, type="ItemCreated", collection="items") == 1
    assert await value(client, "itemstore_problems_total", type="log-unavailable") == 1


async def test_a_reader_of_metrics_needs_the_role_of_a_reader(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Once there are tokens."""
    token = await create(Partition(redis, Keys()), "prometheus", Role.reader)

    problem(await client.get("/metrics"), 401, "unauthorized")
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


OF_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("nonsense;version=x", "text/plain"),
        ("application/openmetrics-text;version=1.0.0,*/*;q=0.1", "application/openmetrics-text"),
        ("application/openmetrics-text;q=0, text/plain", "text/plain"),
        ("application/openmetrics-text;q=0.5, text/plain", "text/plain"),
        ("text/plain;q=0.5, application/openmetrics-text", "application/openmetrics-text"),
        ("APPLICATION/OpenMetrics-Text", "application/openmetrics-text"),
        ("application/*", "application/openmetrics-text"),
        ("text/*, application/*;q=0.9", "text/plain"),
        ("application/openmetrics-text;version=0.0.1", "text/plain"),
        ("application/openmetrics-text-2", "text/plain"),
        (OF_PROMETHEUS, "application/openmetrics-text; version=1.0.0"),
    ],
)
async def test_the_form_is_what_the_client_takes(
    client: httpx.AsyncClient, accept: str | None, media_type: str
) -> None:
    """Prometheus' text, or OpenMetrics where it is asked for; each is read by its own parser."""
    answer = await client.get("/metrics", headers={"accept": accept} if accept else {})

    assert answer.headers["content-type"].startswith(media_type)
    parse = openmetrics_families if "openmetrics" in media_type else text_string_to_metric_families
    assert "itemstore_requests" in {family.name for family in parse(answer.text)}


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=abc", "text/plain;;=,"])
async def test_an_accept_that_can_t_be_read_is_no_error(
    client: httpx.AsyncClient, accept: str
) -> None:
    """It gets some form."""
    assert (await client.get("/metrics", headers={"accept": accept})).status_code == 200


async def test_a_stream_more_than_allowed_is_refused(serve: Serve) -> None:
    """503 at once with Retry-After, and the next one is taken when a place is free."""
    client = serve(max_streams=1)
    lines = {"accept": "application/jsonl"}
    app = app_of(client)
    app.admission.begin_stream()

    answer = await client.get("/events", headers=lines)
    problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    problem(await client.get("/events?wait=1"), 503, "overloaded")

    app.admission.end_stream()
    assert (await client.get("/events", headers=lines)).status_code == 200
    assert (await client.head("/events", headers=lines)).status_code == 200
    assert app.admission.streams == 0


def app_of(client: httpx.AsyncClient) -> ItemStore:
    """The app that a client of `serve` calls."""
    app = client._transport.app  # type: ignore[attr-defined]
    assert isinstance(app, ItemStore)
    return app


async def test_the_app_shows_the_sum_of_its_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis: FakeAsyncRedis
) -> None:
    """Through the directory that `serve` names; processes are told apart where there are two."""
    monkeypatch.setenv("ITEMSTORE_COUNTERS_DIR", str(tmp_path))
    other = Counters()
    other.answered("/items/{id}", "PUT", 201, 0.1)
    with running_process() as pid:
        (tmp_path / str(pid)).write_text(json.dumps(other.snapshot().as_json()))
        async with client_of(create_app(Settings(), redis=redis)) as client:
            await client.put("/items/a", json={})
            total = await value(client, "itemstore_requests_total", **PUT, status="201")
            cpu = await value(client, "process_cpu_seconds_total", pid=str(pid))
    assert total == 2
    assert cpu is not None


def test_a_sum_never_goes_backwards(tmp_path: Path) -> None:
    """Whichever process gives it; and one that ended has counted what it counted."""
    first, second = Counters(), Counters()
    first.gauges["waiting"] = second.gauges["waiting"] = lambda: 1.0
    with running_process() as pid:
        ours, theirs = Processes(first, tmp_path), Processes(second, tmp_path)
        second.answered("/", "GET", 200, 0.0)
        theirs.publish()
        (tmp_path / str(os.getpid())).rename(tmp_path / str(pid))
        first.answered("/", "GET", 200, 0.0)
        total, pids = ours.total()
        assert (total.answers["/", "GET", 200][0], total.gauges["waiting"]) == (2, 2)
        assert pids == sorted([pid, os.getpid()])
    total, pids = ours.total()
    assert (total.answers["/", "GET", 200][0], total.gauges["waiting"]) == (2, 1)
    assert pids == [os.getpid()]
