"""Queries of served stores from one PostgreSQL, which goes away and comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from redis import Redis

from tests.conftest import ServerOf, wait_until
from tests.postgresql import PostgresServer, running_postgresql
from tests.server.conftest import Serve, Server
from tests.server.test_read_model import follower_of

Engines = Callable[[str], str]

AT_ONCE = 15.0
"""Seconds in which a query is answered, one that has five, on a machine with much else to do."""


@pytest.fixture
def engine(request: pytest.FixtureRequest, server_of: ServerOf) -> str:
    """The URL of an engine with nothing in it."""
    server = server_of(getattr(request, "param", "valkey"))
    with Redis(unix_socket_path=str(server.socket)) as client:
        client.flushall()
    return server.url


def put(server: Server, item: str, body: object) -> str:
    """Puts an item; the event's position."""
    answer = httpx.put(f"{server.url}/items/{item}", json=body, timeout=AT_ONCE)
    assert answer.status_code in (200, 201), answer.text
    return answer.headers["Event-Id"]


def query(server: Server, **parameters: str) -> httpx.Response:
    """The answer to a query of all items that have a number."""
    asked = {"where": "@.n >= 0", "limit": "1"} | parameters
    return httpx.get(f"{server.url}/items", params=asked, timeout=AT_ONCE)


def as_new_as(server: Server, position: str, **parameters: str) -> httpx.Response:
    """The answer to a query that wants to see a write, asked again where that is not there yet."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        answers.append(query(server, min_position=position, **parameters))
        return answers[-1].status_code != 503

    wait_until(is_answered)
    assert answers[-1].status_code == 200, answers[-1].text
    return answers[-1]


def total(server: Server) -> int | None:
    """How many items a query finds, None where it is not answered."""
    answer = query(server)
    return answer.json()["total"] if answer.status_code == 200 else None


def options(engine: str, url: str) -> tuple[str, ...]:
    """Of a server on an engine and a database."""
    return ("--redis-url", engine, "--sql-url", url, "--model", "any", "--indexes", "n")


@pytest.mark.parametrize("engine", ["valkey", "redis"], indirect=True)
def test_a_write_is_found_by_who_names_it(
    serve: Serve, engine: str, postgresql: PostgresServer
) -> None:
    """As with SQLite."""
    server = serve(*options(engine, postgresql.url), queries=True)
    for number in range(3):
        position = put(server, f"item-{number}", {"n": number, "text": "\x00😀"})
        answer = as_new_as(server, position, where=f"@.n == {number}")
        assert [item["id"] for item in answer.json()["items"]] == [f"item-{number}"]
        assert answer.headers["Position"] == position
    assert postgresql.run("SELECT count(*) FROM itemstore.items") == [(3,)]


def test_one_that_goes_away_takes_nothing_but_queries_with_it(
    serve: Serve, engine: str, own_postgres: Path
) -> None:
    """While it hangs, while it is dead, and when it is back; and nothing counts twice."""
    with running_postgresql(own_postgres) as database:
        database.empty()
        server = serve(*options(engine, database.url), queries=True)
        put(server, "a", {"n": 1})
        wait_until(lambda: total(server) == 1)
        with database.paused():
            put(server, "b", {"n": 2})
            assert_away(query(server))
            assert httpx.get(f"{server.url}/items/b", timeout=AT_ONCE).json() == {"n": 2}
            assert httpx.get(f"{server.url}/items", timeout=AT_ONCE).json()["total"] == 2
        wait_until(lambda: total(server) == 2)
        database.kill()
        put(server, "c", {"n": 3})
        assert_away(query(server))
        assert httpx.get(f"{server.url}/readyz", timeout=AT_ONCE).status_code == 200
    with running_postgresql(own_postgres) as database:
        wait_until(lambda: total(server) == 3)
        events = "SELECT items, events FROM itemstore.itemstore_checkpoints"
        assert database.run(events) == [(3, 3)]


def assert_away(answer: httpx.Response) -> None:
    """It says that the database is away, and why."""
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "PostgreSQL" in answer.json()["detail"]


def test_of_several_hosts_one_follows(
    serve: Serve, engine: str, postgresql: PostgresServer, tmp_path: Path
) -> None:
    """Another one does once that has died; both answer queries."""
    hosts = [
        serve(*options(engine, postgresql.url), queries=True, data_dir=tmp_path / str(number))
        for number in range(2)
    ]
    put(hosts[0], "a", {"n": 1})
    wait_until(lambda: [total(host) for host in hosts] == [1, 1])
    [first] = [host for host in hosts if follower_of(host)]
    other = hosts[1 - hosts.index(first)]
    first.stop(signal.SIGKILL)
    put(other, "b", {"n": 2})
    wait_until(lambda: total(other) == 2)
    assert follower_of(other)
    assert postgresql.run("SELECT events FROM itemstore.itemstore_checkpoints") == [(2,)]


def test_a_database_that_is_not_there_yet_is_waited_for(
    serve: Serve, engine: str, own_postgres: Path
) -> None:
    """The server starts without it."""
    with running_postgresql(own_postgres) as database:
        database.empty()
    server = serve(*options(engine, database.url), queries=True)
    put(server, "a", {"n": 1})
    began = time.monotonic()
    assert_away(query(server))
    assert time.monotonic() - began < AT_ONCE
    with running_postgresql(own_postgres):
        wait_until(lambda: total(server) == 1)
