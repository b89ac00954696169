"""A hundred collections that nobody uses, on a real server: they cost next to nothing."""

from __future__ import annotations

import time
from typing import Any

import httpx
from redis import Redis

from tests.conftest import wait_until
from tests.server.conftest import Serve, Server, socket_of

NAMES = [f"c{number}" for number in range(100)]


def commands(engine: Redis) -> dict[str, int]:
    """How many commands of each kind the engine has carried out, but those of the test."""
    found: Any = engine.info("commandstats")
    names = {name.removeprefix("cmdstat_"): each["calls"] for name, each in found.items()}
    return {name: calls for name, calls in names.items() if name.split("|")[0] != "info"}


def used(serve: Serve) -> Server:
    """A server of a hundred collections, each of which was written, read and listed."""
    server = serve("--collections", ",".join(f"{name}=any" for name in NAMES))
    with httpx.Client(base_url=server.url) as client:
        for name in NAMES:
            assert client.put(f"/{name}/a", json={}).status_code == 201
            assert client.get(f"/{name}/a").status_code == 200
            assert client.get(f"/{name}").json()["total"] == 1
        wait_until(lambda: client.get("/stats").json()["items"] == len(NAMES))
    return server


def asked_in(engine: Redis, seconds: float) -> int:
    """How many commands the engine is asked in some seconds."""
    before = sum(commands(engine).values())
    time.sleep(seconds)
    return sum(commands(engine).values()) - before


def test_idle_collections_ask_the_engine_for_nothing(serve: Serve) -> None:
    """What is asked is the same few commands as for one; and a new event is seen."""
    server = used(serve)
    with Redis(unix_socket_path=socket_of(server)) as engine:
        wait_until(lambda: engine.hget("itemstore:archive", "sealed"))
        wait_until(lambda: asked_in(engine, 0.5) < 20)  # it is all archived, and that is noted
        clients: Any = engine.client_list()
        before, began = commands(engine), time.monotonic()
        time.sleep(2)
        after, seconds = commands(engine), time.monotonic() - began
        asked = {name: after[name] - before.get(name, 0) for name in after}

    assert sum(asked.values()) < 25 * seconds + 10
    assert asked["get"] <= 10 * seconds + 6  # ten looks a second, and now and then an archiver's
    assert len(clients) < 20
    with httpx.Client(base_url=server.url) as client:
        client.put("/c57/a", json={"changed": True})
        wait_until(lambda: client.get("/stats?source=/c57").json()["events"] == 2)
