"""The fixtures that `itemstore.testing` gives to the tests of applications."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fakeredis import FakeServer
from pydantic import BaseModel

from itemstore.testing import ItemstoreClock, ItemstoreServer

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


class Product(BaseModel):
    """A model of an application's own."""

    title: str


class TestOwnCollections:
    """A fixture that is defined again counts for those who ask below it."""

    @pytest.fixture
    def itemstore_collections(self) -> dict[str, type[BaseModel] | None]:
        """Two, one with a model."""
        return {"products": Product, "notes": None}

    def test_each_collection_has_its_model(self, itemstore_client: httpx.Client) -> None:
        """As `create_app` takes them."""
        assert itemstore_client.put("/notes/1", json={"text": "tea"}).status_code == 201
        assert itemstore_client.put("/products/1", json={"text": "tea"}).status_code == 422


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_has_an_empty_store(time: int, itemstore_client: httpx.Client) -> None:
    """The second finds nothing of the first."""
    assert itemstore_client.put("/items/foo", json={"size": 6}).status_code == 201


async def test_both_clients_are_of_one_store(
    itemstore_client: httpx.Client, itemstore_async_client: httpx.AsyncClient
) -> None:
    """What one writes the other reads, also where a loop is running."""
    blocking_put = itemstore_client.put
    assert blocking_put("/items/foo", json={"size": 6}).status_code == 201
    answer = await itemstore_async_client.put("/items/foo", json={"size": 7})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


def test_a_body_in_parts_arrives_whole(itemstore_client: httpx.Client) -> None:
    """A generator is a body too."""

    def parts() -> Iterator[bytes]:
        yield b'{"size"'
        yield b": 6}"

    headers = {"Content-Type": "application/json"}
    assert itemstore_client.put("/items/foo", content=parts(), headers=headers).status_code == 201


@pytest.mark.timeout(60, func_only=True)
async def test_a_live_stream_in_process_ends_with_the_requests_timeout(
    itemstore_client: httpx.Client, itemstore_async_client: httpx.AsyncClient
) -> None:
    """It has no end to wait for; the error says what to use instead, and the store goes on."""
    live = {"Accept": "text/event-stream"}
    blocking_get = itemstore_client.get
    with pytest.raises(httpx.ReadTimeout, match="itemstore_server"):
        blocking_get("/events", headers=live, timeout=0.2)
    with pytest.raises(httpx.ReadTimeout, match="itemstore_server"):
        await itemstore_async_client.get("/events", headers=live, timeout=0.2)
    answer = await itemstore_async_client.put("/items/foo", json={"size": 6})
    assert answer.status_code == 201


def test_the_engine_can_be_taken_away(
    itemstore_client: httpx.Client, itemstore_engine: FakeServer
) -> None:
    """And code can be shown what a store without one says."""
    itemstore_engine.connected = False
    assert itemstore_client.put("/items/foo", json={"size": 6}).status_code == 503


def test_the_clock_is_the_time_of_events_and_of_the_way_back(
    itemstore_client: httpx.Client, itemstore_clock: ItemstoreClock
) -> None:
    """Positions, Last-Modified and Accept-Datetime follow it."""
    itemstore_clock.set(NEW_YEAR)
    first = itemstore_client.put("/items/foo", json={"size": 6})
    assert first.headers["event-id"] == f"{int(NEW_YEAR.timestamp() * 1000)}-0"
    assert first.headers["last-modified"] == "Mon, 01 Jan 2024 00:00:00 GMT"
    itemstore_clock.advance(timedelta(days=2))
    assert itemstore_client.put("/items/foo", json={"size": 7}).status_code == 200
    then = {"Accept-Datetime": "Tue, 02 Jan 2024 00:00:00 GMT"}
    answer = itemstore_client.get("/items/foo", headers=then, follow_redirects=True)
    assert answer.json()["size"] == 6


def test_an_idempotency_key_expires_by_the_clock(
    itemstore_client: httpx.Client, itemstore_clock: ItemstoreClock
) -> None:
    """A write again within its day is the first one; after a month it is another."""
    itemstore_clock.set(NEW_YEAR)
    headers = {"Idempotency-Key": '"one"'}
    statuses = []
    for seconds in (0, 60, 30 * 86_400):
        itemstore_clock.advance(seconds)
        answer = itemstore_client.put("/items/foo", json={"size": 6}, headers=headers)
        statuses.append(answer.status_code)
    assert statuses == [201, 201, 200]


def test_the_time_of_a_store_does_not_go_back(
    itemstore_client: httpx.Client, itemstore_clock: ItemstoreClock
) -> None:
    """What the log could not follow is refused."""
    itemstore_clock.set(NEW_YEAR)
    itemstore_client.put("/items/foo", json={"size": 6})
    with pytest.raises(ValueError, match="only goes forward"):
        itemstore_clock.advance(-1)
    with pytest.raises(ValueError, match="no time zone"):
        itemstore_clock.set(NEW_YEAR.replace(tzinfo=None))
    assert itemstore_clock.now() == NEW_YEAR


class TestRealServer:
    """`itemstore serve`, with options of the test's own."""

    @pytest.fixture
    def itemstore_options(self) -> list[str]:
        """It wants a condition with every overwriting."""
        return ["--require-conditions"]

    def test_a_real_server_runs_with_the_options(self, itemstore_server: ItemstoreServer) -> None:
        """On a port and a directory of its own."""
        url = f"{itemstore_server.url}/items/foo"
        assert httpx.put(url, json={"size": 6}).status_code == 201
        assert httpx.put(url, json={"size": 6}).status_code == 428


def test_a_real_server_goes_by_its_options_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Not by the engine that a developer's environment names, nor by the .env that is there."""
    monkeypatch.setenv("ITEMSTORE_REDIS_URL", "redis://127.0.0.1:1")
    (tmp_path / ".env").write_text("ITEMSTORE_REQUIRE_CONDITIONS=true\n")
    monkeypatch.chdir(tmp_path)
    server: ItemstoreServer = request.getfixturevalue("itemstore_server")
    statuses = [httpx.put(f"{server.url}/items/foo", json={}).status_code for _ in range(2)]
    assert statuses == [201, 200]


def test_the_plugin_imports_nothing_of_the_store() -> None:
    """Tests that use no fixture of it don't wait for FastAPI."""
    code = "import sys, itemstore.testing; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert not loaded & {"fastapi", "pydantic", "redis", "fakeredis", "httpx", "itemstore.domain"}
