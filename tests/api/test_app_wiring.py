"""create_app: what it takes, and where the application can run."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeRedis, FakeServer
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from itemstore.api.app import ItemStore, create_app
from itemstore.engine.errors import LogUnavailable
from itemstore.store.settings import Settings
from tests.api.conftest import client_of, problem
from tests.conftest import PATIENCE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather be used with a successor of httpx
    from starlette.testclient import TestClient


def test_a_blocking_client_is_refused() -> None:
    """TypeError, which says what is taken."""
    with pytest.raises(TypeError, match="asynchronous client"):
        create_app(Settings(), redis=FakeRedis())  # type: ignore[arg-type]


def test_a_client_that_decodes_is_refused() -> None:
    """TypeError, as bodies are bytes."""
    with pytest.raises(TypeError, match="without decode_responses"):
        create_app(Settings(), redis=FakeAsyncRedis(decode_responses=True))


def test_an_app_needs_nothing_but_a_client(redis: FakeAsyncRedis) -> None:
    """`create_app(redis=FakeAsyncRedis())` is a whole store."""
    client = TestClient(create_app(redis=redis))

    assert client.put("/items/foo", json={"size": 6}).status_code == 201
    assert client.put("/items/foo", json={"size": 6}).status_code == 200


async def test_an_app_with_a_client_needs_no_lifespan(app: ItemStore) -> None:
    """It answers though nobody started it."""
    async with client_of(app) as client:
        assert (await client.put("/items/foo", json={})).status_code == 201


def test_the_lifespan_leaves_the_callers_client_open(app: ItemStore, redis: FakeAsyncRedis) -> None:
    """Who passes a client closes it: the same app can be run twice."""
    for status in (201, 200):
        with TestClient(app) as client:
            assert client.put("/items/foo", json={}).status_code == status


async def test_the_feed_lives_in_each_lifespan(app: ItemStore) -> None:
    """A live stream of the second one is not told that the server is going down."""
    async with client_of(app) as client:
        for status in (201, 200):
            async with app.router.lifespan_context(app):
                first = await client.put("/items/foo", json={})
                waits = asyncio.create_task(
                    client.get("/events", params={"after": first.headers["event-id"], "wait": 20})
                )
                await asyncio.sleep(0.1)
                assert not waits.done()
                last = await client.put("/items/foo", json={"size": 6})
                [event] = (await waits).json()
            assert (first.status_code, event["id"]) == (status, last.headers["event-id"])


def test_an_app_may_be_used_in_one_event_loop_after_the_other(redis: FakeAsyncRedis) -> None:
    """As by tests that have a loop each, and share the app: also where many ask for pages."""
    app = create_app(redis=redis)

    async def statuses() -> set[int]:
        async with client_of(app) as client:
            paths = [*["/items"] * 8, "/events", "/items/foo/versions", "/readyz"]
            answers = await asyncio.gather(
                client.put("/items/foo", json={"name": "x" * 50_000}), *map(client.get, paths)
            )
            return {answer.status_code for answer in answers}

    asyncio.run(statuses())
    for _ in range(2):
        assert asyncio.run(statuses()) == {200}


async def test_an_app_that_nobody_has_any_more_is_gone() -> None:
    """With its engine in memory: a suite of tests may make thousands, each with its items."""

    async def used() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
        engine = FakeServer()
        app = create_app(redis=FakeAsyncRedis(server=engine))
        async with client_of(app) as client:
            await client.put("/items/foo", json={})
            await client.get("/openapi.json")
        return weakref.ref(app), weakref.ref(engine)

    left = await used()
    async with asyncio.timeout(PATIENCE):
        while any(each() is not None for each in left):  # a thread may be about to let go of it
            gc.collect()
            await asyncio.sleep(0.01)


async def test_two_apps_on_one_engine_are_one_store(redis: FakeAsyncRedis) -> None:
    """As two processes are: what one writes, the other reads and goes on with."""
    async with (
        client_of(create_app(redis=redis)) as one,
        client_of(create_app(redis=redis)) as other,
    ):
        await one.put("/items/foo", json={"size": 1})
        answer = await other.put("/items/foo", json={"size": 2})

        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert (await one.get("/items/foo")).json()["size"] == 2


async def test_an_app_that_was_not_started_says_so(tmp_path: Path) -> None:
    """Without a client it needs its lifespan, and the error names both ways."""
    async with client_of(create_app(Settings(data_dir=tmp_path))) as client:
        with pytest.raises(RuntimeError, match=r"run the application's lifespan, or pass redis="):
            await client.get("/items")


async def test_what_comes_after_the_end_of_a_store_is_told_so(tmp_path: Path) -> None:
    """A request that waits on its connection for the one before may begin as late as that."""
    app = create_app(Settings(data_dir=tmp_path))
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.get("/items")).status_code == 200
    async with client_of(app) as client:
        answer = await client.get("/items")
        assert problem(answer, 503, "log-unavailable")["detail"] == "The server is going down."


def test_an_engine_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better no service than one that can't write."""
    monkeypatch.setattr("itemstore.store.opening.PATIENCE", 0.3)
    app = create_app(Settings(redis_url="unix:///nowhere/at/all"))

    with pytest.raises(LogUnavailable), TestClient(app):
        pytest.fail("it started")


@pytest.fixture
def mounted(app: ItemStore) -> TestClient:
    """A client of another application, which has the store under `/store/v1`."""
    return TestClient(Starlette(routes=[Mount("/store/v1", app)]))


def test_a_mounted_store_names_urls_that_work(mounted: TestClient) -> None:
    """Location, Content-Location, links and cursors have the prefix."""
    created = mounted.put("/store/v1/items/a%2Fb", json={})
    posted = mounted.post("/store/v1/items", json={})
    page = mounted.get("/store/v1/items", params={"limit": 1})

    document = mounted.get("/store/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/store/v1"}]
    assert created.status_code == 201
    assert created.headers["location"] == "/store/v1/items/a%2Fb"
    assert created.headers["content-location"] == "/store/v1/items/a%2Fb"
    assert posted.headers["location"].startswith("/store/v1/items/")
    for url in (
        created.headers["location"],
        posted.headers["location"],
        page.links["next"]["url"],
        *mounted.get("/store/v1/").json()["links"].values(),
        *(
            httpx.URL(link["url"]).raw_path.decode()
            for link in mounted.get(created.headers["location"]).links.values()
        ),
    ):
        assert url.startswith("/store/v1/")
        assert mounted.get(url).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/items/none", 404, "item-not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/items%2Fnone", 404, "not-found"),
        ("POST", "/items/none", 405, "method-not-allowed"),
        ("POST", "/docs", 405, "method-not-allowed"),
    ],
)
def test_a_mounted_store_has_problems_whose_types_resolve(
    mounted: TestClient, method: str, path: str, status: int, slug: str
) -> None:
    """Type and instance have the prefix too."""
    answer = mounted.request(method, f"/store/v1{path}")

    content = answer.json()
    assert (answer.status_code, content["type"]) == (status, f"/store/v1/problems/{slug}")
    assert content["instance"] == f"/store/v1{path}"
    assert mounted.get(content["type"]).json()["type"] == content["type"]


def test_the_history_of_a_deleted_item_is_linked_to_under_the_prefix(mounted: TestClient) -> None:
    """The Link of a problem as well."""
    mounted.put("/store/v1/items/foo", json={})
    mounted.delete("/store/v1/items/foo")

    answer = mounted.get("/store/v1/items/foo")

    assert answer.links["version-history"]["url"] == "/store/v1/items/foo/versions"


async def test_a_server_may_leave_out_the_raw_path(app: ItemStore) -> None:
    """`raw_path` is optional in ASGI: then the decoded path is all there is."""

    async def without_raw_path(scope: Any, receive: Any, send: Any) -> None:
        await app({name: scope[name] for name in scope if name != "raw_path"}, receive, send)

    transport = httpx.ASGITransport(app=without_raw_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://store") as client:
        put = await client.put("/items/%C3%A9%20b", json={}, headers={"Idempotency-Key": "k"})
        assert (put.status_code, put.headers["location"]) == (201, "/items/%C3%A9%20b")
        assert (await client.get("/problems/not-found")).status_code == 200
        assert (await client.get("/items/%C3%A9%20b/versions")).status_code == 200
        problem(await client.get("/items/a%2Fb"), 404, "not-found")


def test_a_websocket_is_turned_away(app: ItemStore) -> None:
    """There is none here."""
    client = TestClient(app)

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/items/foo"):
        pytest.fail("it was taken")
