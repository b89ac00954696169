"""The service itself: what it is, whether it is up, and whether it can take writes."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.store.scope import WHOLE, Scope
from itemstore.store.tokens import Role
from tests.api.bearers import bearer
from tests.api.conftest import Serve, problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_the_root_says_what_this_is_and_where_everything_is(
    client: httpx.AsyncClient,
) -> None:
    """JSON with a version, and links that all answer."""
    answer = await client.get("/")

    content = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (content["name"], content["version"]) == ("itemstore", version("itemstore"))
    assert {"items", "docs", "openapi", "readyz"} <= set(content["links"])
    for url in content["links"].values():
        assert (url, (await client.get(url)).status_code) == (url, 200)


async def test_the_root_says_whether_there_are_queries(
    client: httpx.AsyncClient, serve: Serve
) -> None:
    """By the names of the parameters, unless the operator has turned them off."""
    assert "?where=" in (await client.get("/")).json()["description"]
    assert "?where=" not in (await serve(sql_url="off").get("/")).json()["description"]


async def test_the_root_is_html_for_a_browser(client: httpx.AsyncClient) -> None:
    """With the same links."""
    links = (await client.get("/")).json()["links"]

    answer = await client.get("/", headers=BROWSER)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "accept" in answer.headers["vary"]
    for url in links.values():
        assert f'href="{url}"' in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
async def test_the_root_is_json_for_everyone_else(client: httpx.AsyncClient, accept: str) -> None:
    """Also for a client that takes HTML too, but JSON first."""
    answer = await client.get("/", headers={"Accept": accept})

    assert answer.headers["content-type"] == "application/json"


async def test_caches_keep_the_two_forms_of_the_root_apart(client: httpx.AsyncClient) -> None:
    """Both say that they depend on Accept (RFC 9110 §12.5.5)."""
    for headers in ({}, BROWSER):
        for path in ("/", "/problems/not-found"):
            answer = await client.get(path, headers=headers)
            assert "accept" in answer.headers["vary"]


async def test_the_root_is_another_one_for_another_token(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """A stranger hears no name of a collection, a bound token those that it sees."""
    admin = await bearer(redis, "ann", WHOLE, Role.admin)
    bound = await bearer(redis, "bob", Scope(frozenset({"others"})), Role.reader)
    tags = set()
    for form in ({}, BROWSER):
        for headers, sees in (({}, False), (bound, False), (admin, True)):
            answer = await client.get("/", headers=form | headers)
            assert answer.status_code == 200
            assert ("/items" in answer.text) is sees
            assert answer.headers["vary"] == "accept, authorization"
            tags.add(answer.headers["etag"])
    assert len(tags) >= 5
    roles = [(await client.get("/", headers=each)).json()["access"] for each in ({}, bound, admin)]
    assert roles[0] == {"is_open": False, "token": None, "role": None}
    expected = {"is_open": False, "token": "bob", "role": "reader", "collections": ["others"]}
    assert roles[1] == expected
    assert roles[2] == {"is_open": False, "token": "ann", "role": "admin"}
    wrong = await client.get("/", headers={"authorization": "Bearer ann.wrong"})
    problem(wrong, 401, "unauthorized")


async def test_a_process_that_answers_is_alive(
    client: httpx.AsyncClient, engine: FakeServer
) -> None:
    """Whatever the engine does: a restart of this process would not help it."""
    engine.connected = False

    answer = await client.get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


async def test_a_store_that_takes_writes_is_ready_and_says_how_durable_they_are(
    client: httpx.AsyncClient,
) -> None:
    """200; a fake does not know whether anything is on disk."""
    answer = await client.get("/readyz")

    content = answer.json()
    assert (answer.status_code, content["status"]) == (200, "ready")
    assert content["durability"]["fsync"] == "unknown"
    assert content["durability"]["meaning"].endswith(".")


@pytest.mark.parametrize(
    ("engine_settings", "fsync", "meaning"),
    [
        ({"appendonly": "yes", "appendfsync": "always"}, "always", "is on disk"),
        ({"appendonly": "yes", "appendfsync": "everysec"}, "everysec", "last second"),
        ({"appendonly": "yes", "appendfsync": "no"}, "no", "can lose"),
        ({"appendonly": "no", "appendfsync": "always"}, "off", "NOTHING IS ON DISK"),
    ],
)
async def test_readiness_says_what_the_engine_promises(
    client: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    monkeypatch: pytest.MonkeyPatch,
    *,
    engine_settings: dict[str, str],
    fsync: str,
    meaning: str,
) -> None:
    """As the engine's own settings are at this moment."""
    configured(redis, monkeypatch, engine_settings | {"maxmemory": "0"})

    durability = (await client.get("/readyz")).json()["durability"]

    assert durability["fsync"] == fsync
    assert meaning in durability["meaning"]


async def test_an_engine_that_may_drop_events_is_not_ready(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 where somebody set an eviction policy meanwhile, with what to do about it."""
    configured(
        redis,
        monkeypatch,
        {"appendonly": "yes", "maxmemory": "1gb", "maxmemory-policy": "allkeys-lru"},
    )

    answer = await client.get("/readyz")

    assert "noeviction" in problem(answer, 503, "log-unavailable")["detail"]


async def test_a_store_without_its_engine_is_not_ready(
    client: httpx.AsyncClient, engine: FakeServer
) -> None:
    """503, so that a load balancer asks another one."""
    engine.connected = False

    problem(await client.get("/readyz"), 503, "log-unavailable")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health_is_never_kept_by_a_cache(client: httpx.AsyncClient, path: str) -> None:
    """Yesterday's health is no health."""
    assert (await client.get(path)).headers["cache-control"] == "no-store"


async def test_the_documentation_is_there(client: httpx.AsyncClient) -> None:
    """A page for people, and the OpenAPI document that it shows."""
    docs, document = await client.get("/docs"), await client.get("/openapi.json")

    assert "/openapi.json" in docs.text
    assert document.json()["openapi"].startswith("3.1")


def configured(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """Gives the fake engine settings to tell of, which it has none of itself."""

    async def config_get(*_: Any) -> dict[str, str]:
        return settings

    monkeypatch.setattr(redis, "config_get", config_get)


async def test_many_questions_whether_it_is_ready_cost_the_engine_one_look(
    client: httpx.AsyncClient, asked: list[str]
) -> None:
    """It wants no token, so strangers ask; they must not have the engine write, or work hard."""
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert 0 < asked.count("EVAL") + asked.count("EVALSHA") < 10
    assert set(asked) <= {"EVAL", "EVALSHA", "CONFIG GET", "HGETALL"}
    assert asked.count("HGETALL") < 10


async def test_a_log_that_is_ahead_of_the_clock_is_said(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """200, for writes are taken; but what their times are somebody should know."""
    assert (await client.get("/readyz")).json()["clock"]["ahead_seconds"] == 0
    fields: Any = {"type": "ItemCreated", "item": "a", "version": "1", "data": "{}", "meta": "{}"}
    await redis.xadd("items:events", fields, id="4102444800000-0")
    async with asyncio.timeout(10):
        while not (clock := (await client.get("/readyz")).json()["clock"])["ahead_seconds"]:
            await asyncio.sleep(0.05)
    assert "4102444800000-0" in clock["meaning"]
