"""An engine whose primary sentinels name: it is found by them, and found again after a failover."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from itemstore.domain.commands import PutItem
from itemstore.engine.clients import clients_of
from itemstore.engine.connect import NotAnEngineUrl
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import free_ports
from itemstore.engine.sentinel.urls import SentinelUrl
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import Server, Start, program_of
from tests.sentinels import ENGINE_PASSWORD, SERVICE, Sentinels, running_sentinels


@pytest.fixture
def primary(start: Start) -> Server:
    """The server that is the primary at first."""
    return _started(start)


@pytest.fixture
def sentinels(primary: Server, start: Start, tmp_path: Path) -> Iterator[Sentinels]:
    """Three sentinels of that primary, which has a replica."""
    port = _port(primary)
    _started(start, replicaof=f"127.0.0.1 {port}")
    with running_sentinels(program_of("valkey"), tmp_path, port, replicas=1) as sentinels:
        yield sentinels


def _started(start: Start, **settings: str) -> Server:
    """A server that listens on a port as well, and wants a password."""
    port = str(free_ports(1)[0])
    settings |= {"bind": "127.0.0.1", "port": port, "repl-diskless-sync-delay": "0"}
    server = start("valkey", masterauth=ENGINE_PASSWORD, **settings)
    with Redis(unix_socket_path=str(server.socket)) as client:
        client.config_set("requirepass", ENGINE_PASSWORD)
    return server


def _port(server: Server) -> int:
    words = [str(word) for word in server.process.args]  # type: ignore[union-attr]
    return int(words[words.index("--port") + 1])


async def test_a_failover_is_followed_and_every_write_is_there_once(
    primary: Server, sentinels: Sentinels, keys: Keys
) -> None:
    """The primary is killed, and its replica has its place as soon as the sentinels say so."""
    url = f"redis+sentinel://:secret@{sentinels.hosts}/{SERVICE}?sentinel_password=watched"
    async with clients_of(url, is_served=True) as clients:
        assert not clients.is_cluster
        assert clients.of("5") is clients.of(None)
        before = await clients.nodes()
        assert [node.role for node in before] == ["primary", "replica"]
        log = EventLog(Partition(clients.of(None), keys))
        await log.append(PutItem("foo", b"1"))
        await asyncio.to_thread(_in_step, primary)
        primary.kill()

        async def appended() -> bool:
            try:
                await log.append(PutItem("foo", b"2"))
            except LogUnavailable:
                return False
            return True

        async with asyncio.timeout(20):
            while not await appended():
                pass
        events = await log.reader.read()
        assert [event.version for event in events] == list(range(1, len(events) + 1))
        assert len(events) == 2
        [after, *_] = await clients.nodes()
        assert after.address == before[1].address
    async with clients_of(url, is_served=False) as clients:
        assert await clients.of(None).xlen(keys.events) == 2


def _in_step(primary: Server) -> None:
    """Waits until the replica has what the primary has."""
    with Redis(port=_port(primary), password=ENGINE_PASSWORD) as client:
        client.set("last", "")
        assert client.wait(1, 5000) == 1


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://127.0.0.1:26379",
        "redis+sentinel://127.0.0.1:26379/",
        "redis+sentinel:///shop",
        "redis+sentinel://127.0.0.1:26379,/shop",
        "redis+sentinel://127.0.0.1:port/shop",
        "redis+sentinel://127.0.0.1:26379/shop/0/1",
        "redis+sentinel://127.0.0.1:26379/shop/zero",
        "redis+sentinel://user:pass@127.0.0.1,b@c/shop",
        "redis+sentinel://:pa/ss@127.0.0.1:26379/shop",
        "redis+sentinel://127.0.0.1:26379/shop?nonsense=1",
        "redis+sentinel://127.0.0.1:26379/shop?sentinel_nonsense=1",
        "redis+sentinel://[::1/shop",
        "redis+sentinel://127.0.0.1:26379/shop#fragment",
        "redis+sentry://127.0.0.1:26379/shop",
    ],
)
async def test_a_url_that_is_none_is_refused_and_not_quoted(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(NotAnEngineUrl, match=r"redis\+sentinel://HOST") as refused:
        async with clients_of(url, is_served=False):
            pass
    assert "pass" not in str(refused.value).replace("password", "")


def test_what_a_url_says_is_read() -> None:
    """Percent-encoded where it must be, and for the sentinels what they alone are told."""
    url = SentinelUrl.of(
        "rediss+sentinel://us%40er:p%2Fw@a.example,[::1]:7/my%20shop/3"
        "?ssl_ca_certs=%2Fca.pem&sentinel_username=s&sentinel_password=p%26w"
    )
    assert url.sentinels == (("a.example", 26379), ("::1", 7))
    assert url.service == "my shop"
    assert url.engine == "rediss://us%40er:p%2Fw@sentinel/3?ssl_ca_certs=%2Fca.pem"
    assert url.settings == {"username": "s", "password": "p&w"}


async def test_sentinels_that_are_away_or_know_no_such_service_are_told(
    sentinels: Sentinels,
) -> None:
    """By the name of the service, and at once for a command."""
    for hosts in ("127.0.0.1:1", sentinels.hosts):
        url = f"redis+sentinel://{hosts}/other?sentinel_password=watched"
        with pytest.raises(LogUnavailable, match="'other'"):
            async with clients_of(url, is_served=False):
                pass
