"""An operator's own projections: named in a setting, and from then on like any other."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from itemstore import create_app
from itemstore.cli.errors import Stop
from itemstore.cli.serving import checked
from itemstore.engine.embedded import attach
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections import pace
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.pace import Pace
from itemstore.projections.runner import Runner
from itemstore.store.named import UnknownName
from itemstore.store.projections import named_projections
from itemstore.store.settings import Settings
from tests.api.conftest import client_of, problem

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

SHOP = """
import json

from itemstore import CountingProjection

def count(numbers, recorded):
    numbers[recorded.meta.get("actor", "nobody")] += 1

WRITERS = CountingProjection("writers", count)
AGAIN = CountingProjection("writers", count)
STATISTICS = CountingProjection("statistics", count)
LOG = CountingProjection("log", count)
REBUILD = CountingProjection("rebuild", count)
CLASS = CountingProjection
NAMELESS = CountingProjection("", count)
SPACED = CountingProjection("by color", count)
ORDERS = CountingProjection("orders", count, collections=("orders",))

def price(numbers, recorded):
    numbers["cents"] += json.loads(recorded.event.body)["cents"]

def color(numbers, recorded):
    numbers[json.loads(recorded.event.body).get("color")] += 1

CENTS = CountingProjection("cents", price)
COLORS = CountingProjection("colors", color)
EAGER = CountingProjection("eager", lambda numbers, recorded: numbers.update(events=5))
"""


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `shop` in the working directory, as an operator has it."""
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)


def test_a_store_has_its_own_beside_the_others() -> None:
    """In the order of the setting, after those that every store has; by default there are none."""
    found = named_projections("shop:WRITERS")
    assert [each.name for each in found] == ["current-items", "statistics", "writers"]
    assert named_projections(None) == BUILT_IN


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shop", "'shop'; write module:NAME, several separated by commas"),
        ("shop:WRITERS,", "''; write module:NAME"),
        ("nowhere:WRITERS", "can't be imported: No module named 'nowhere'"),
        ("shop:Nothing", "has no attribute 'Nothing'"),
        ("shop:count", "'shop:count', which is not a projection: make one with Counting"),
        ("shop:CLASS", "'shop:CLASS', which is not a projection: make one with Counting"),
        ("shop:STATISTICS", "whose name, 'statistics', is taken: give it another one"),
        ("shop:WRITERS, shop:AGAIN", "'shop:AGAIN', whose name, 'writers', is taken"),
        ("shop:LOG", "whose name, 'log', is taken"),
        ("shop:REBUILD", "whose name, 'rebuild', is taken"),
        ("shop:NAMELESS", "whose name, '', is not of 1 to 64 letters, digits, - or _"),
        ("shop:SPACED", "whose name, 'by color', is not of 1 to 64 letters"),
        ("shop:ORDERS", "which is for 'orders': the store has no collection of that name"),
    ],
)
def test_what_is_no_projection_or_no_other_is_refused_at_the_start(name: str, reason: str) -> None:
    """The error names the setting, what is wrong with which part of it, and what to do."""
    with pytest.raises(UnknownName, match=f"^ITEMSTORE_PROJECTIONS names .*{reason}"):
        create_app(Settings(projections=name), redis=FakeAsyncRedis())
    with pytest.raises(Stop, match=reason):
        checked({"projections": name})


async def test_it_follows_the_log_and_is_listed_and_measured(
    redis: AsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is named in the environment, too."""
    monkeypatch.setattr(pace, "USUAL", Pace(pause=0.001))
    monkeypatch.setenv("ITEMSTORE_PROJECTIONS", "shop:WRITERS")
    app = create_app(redis=redis)
    async with app.router.lifespan_context(app), client_of(app) as client, asyncio.timeout(10):
        for name in ("a", "b"):
            await client.put(f"/items/{name}", json={})
        own: dict[str, Any] = {"lag": 2}
        while own["lag"]:
            [_, _, own] = (await client.get("/projections")).json()["projections"]
        metrics = list(text_string_to_metric_families((await client.get("/metrics")).text))

    assert (own["name"], own["rows"]) == ("writers", 1)
    [lags] = [each for each in metrics if each.name == "itemstore_projection_lag_events"]
    labels = [sample.labels for sample in lags.samples]
    assert {"collection": "items", "projection": "writers"} in labels
    assert await redis.hget("items:projection:writers", "nobody") == b"2"


async def test_it_is_listed_and_measured_with_the_collections_that_it_is_for(
    redis: AsyncRedis,
) -> None:
    """And with no other."""
    settings = Settings(collections="orders=any,notes=any", projections="shop:ORDERS")
    async with client_of(create_app(settings, redis=redis)) as client:
        listed = (await client.get("/projections")).json()["projections"]
        text = (await client.get("/metrics")).text
    assert [each["collection"] for each in listed if each["name"] == "orders"] == ["orders"]
    lag = "itemstore_projection_lag_events{collection="
    assert f'{lag}"orders",projection="orders"}} 0.0\n' in text
    assert f'{lag}"notes",projection="orders"}}' not in text


def test_it_is_verified_and_rebuilt_for_as_long_as_it_is_named(tmp_path: Path) -> None:
    """Its counts stay where it no longer is, and nothing looks at them."""
    named = ("--projections", "shop:WRITERS")
    event = json.dumps({"type": "ItemCreated", "subject": "foo", "data": {}})
    assert run("import", stdin=event).returncode == 0
    rebuilt = run("rebuild", "writers", *named)
    assert rebuilt.stdout.startswith("Rebuilt writers\n  events     1 ")
    with attach(tmp_path / "itemstore-data") as engine, Redis.from_url(engine.url) as redis:
        redis.hset("items:projection:writers", "nobody", 7)

    found = run("verify", *named)
    assert found.returncode == 1
    assert "  writers nobody: is 7, should be 1\n" in found.stdout
    assert "`itemstore rebuild writers` rebuilds writers from the log." in found.stdout
    assert run("verify").returncode == 0
    unknown = run("rebuild", "writers")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no projection 'writers'; there are current-items, statistics, sql." in unknown.stderr

    assert run("rebuild", "writers", *named).returncode == 0
    assert run("verify", *named).returncode == 0


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("cents", '{"cents":1.5}', "'cents' is 3.5, and not a whole number of up to 18 digits"),
        ("cents", "{}", "on the event at {position}: KeyError: 'cents'"),
        ("cents", '{"cents":1000000000000000000}', "is 1000000000000000002, and not a whole"),
        ("colors", "{}", "None is not a name to count under"),
        ("eager", "{}", "'events' is not a name to count under"),
    ],
)
def test_code_that_fails_is_named_with_its_reason_and_changes_no_count(
    tmp_path: Path, name: str, wrong: str, reason: str
) -> None:
    """In the runner's words as in those of the commands: what was counted stays as it is."""
    projection = f"shop:{name.upper()}"
    right = json.dumps({"type": "ItemCreated", "subject": "a", "data": {"cents": 2, "color": "a"}})
    assert run("import", stdin=right).returncode == 0
    if name != "eager":
        assert run("rebuild", name, "--projections", projection).returncode == 0
    with attach(tmp_path / "itemstore-data") as engine, Redis.from_url(engine.url) as redis:
        before = redis.hgetall(f"items:projection:{name}")
    event = f'{{"type":"ItemCreated","subject":"b","data":{wrong}}}'
    assert run("import", "--append", stdin=event).returncode == 0
    with attach(tmp_path / "itemstore-data") as engine, Redis.from_url(engine.url) as redis:
        last = redis.xrevrange("items:events", count=1)[0][0].decode()
        for verb in (["rebuild", name], ["verify"]):
            failed = run(*verb, "--projections", projection)
            assert (failed.returncode, failed.stdout) == (1, "")
            assert f"itemstore: {name} fails " in failed.stderr
            assert reason.format(position=last) in failed.stderr
        with suppress(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(follow(engine.url, projection), 0.5))
        assert redis.hgetall(f"items:projection:{name}") == before


async def follow(url: str, projection: str) -> None:
    """Runs a runner of the projection until it is cancelled."""
    async with AsyncRedis.from_url(url) as client:
        await Runner([Partition(client, Keys())], [named_projections(projection)[-1]]).run()


async def test_a_projection_that_fails_hides_nothing_of_the_others(redis: AsyncRedis) -> None:
    """In the metrics: the engine is up, and what it holds is shown."""
    async with client_of(create_app(redis=redis)) as client:
        await client.put("/items/a", json={})
        await redis.hset("items:projection:statistics", "events", "abc")
        text = (await client.get("/metrics")).text
        damaged = await client.get("/projections")

    of = '{collection="items"}'
    for line in ("engine_up 1.0", f"items{of} 1.0", f"log_events{of} 1.0"):
        assert f"\nitemstore_{line}\n" in text
    lag = 'itemstore_projection_lag_events{collection="items",projection='
    assert f'{lag}"current-items"}} 0.0\n' in text
    assert f'{lag}"statistics"}}' not in text
    problem(damaged, 500, "store-damaged")


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in the working directory, where `shop` is."""
    command = [sys.executable, "-m", "itemstore", *words]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
