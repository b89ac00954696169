"""An engine whose memory is full: writes are refused, and everything that reads goes on."""

from __future__ import annotations

import os

import httpx
import pytest
from redis import Redis

from tests.cli.forked import command
from tests.conftest import Start
from tests.server.conftest import Serve

READS = (
    "/items", "/items/a", "/items/a/versions", "/items/a/events", "/events", "/stats",
    "/projections", "/partitions", "/metrics", "/admin/tokens", "/admin/operations", "/livez",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_everything_that_reads_goes_on_without_memory(
    start: Start, serve: Serve, kind: str
) -> None:
    """Also what asks for several things at one moment, which such an engine takes no more."""
    engine = start(kind)
    server = serve("--redis-url", engine.url)
    with (
        httpx.Client(base_url=server.url, timeout=30) as client,
        Redis(unix_socket_path=str(engine.socket)) as redis,
    ):
        assert client.put("/items/a", json={}).status_code == 201
        redis.config_set("maxmemory", "100kb")
        assert client.put("/items/a", json={}).status_code == 507
        assert {path: client.get(path).status_code for path in READS} == dict.fromkeys(READS, 200)
        lines = client.get("/metrics").text.splitlines()
        assert {"itemstore_engine_up 1.0", 'itemstore_items{collection="items"} 1.0'} <= {*lines}
        assert client.get("/readyz").status_code == 507
        where = os.environ | {"ITEMSTORE_REDIS_URL": engine.url, "ITEMSTORE_SQL_URL": "off"}
        for words in (["verify"], ["token", "list"], ["export"]):
            assert command([*words], where, "").returncode == 0, words
        assert "last_position" in command(["info"], where, "").stdout  # beside what is wrong
        redis.config_set("maxmemory", "0")
        assert client.put("/items/a", json={}).status_code == 200


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_a_token_is_revoked_without_memory(start: Start, kind: str) -> None:
    """Who has stolen one reads with it until then. The last one stays all the same."""
    engine = start(kind)
    where = os.environ | {"ITEMSTORE_REDIS_URL": engine.url}
    for name in ("kept", "stolen"):
        assert command(["token", "create", name], where).returncode == 0
    with Redis(unix_socket_path=str(engine.socket)) as redis:
        redis.config_set("maxmemory", "100kb")
        assert command(["token", "create", "more"], where).returncode == 1
        assert command(["token", "revoke", "stolen"], where).returncode == 0
        assert command(["token", "revoke", "stolen"], where).returncode == 1
        refused = command(["token", "revoke", "kept"], where)
        assert (refused.returncode, "--open-store" in refused.stderr) == (1, True)
        redis.config_set("maxmemory", "0")
        assert command(["token", "revoke", "kept", "--open-store"], where).returncode == 0
