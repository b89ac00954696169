"""A served read model of a store of several partitions, on one engine and on a cluster."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from redis import Redis

from itemstore.domain.cursors import positions_of
from itemstore.domain.partitions import key_slot, partition_of
from itemstore.domain.positions import START
from itemstore.engine.local_cluster import LocalCluster
from tests.clusters import primary_of
from tests.conftest import ServerOf, wait_until
from tests.postgresql import PostgresServer
from tests.server.conftest import COMMAND, Serve, Server
from tests.server.test_read_model import follower_of

PARTITIONS = 4
IDS = [f"item-{number}" for number in range(24)]
QUICKLY = 15.0
"""Seconds for an answer, on a machine with much else to do."""


@pytest.fixture(params=["one engine", "cluster"])
def engine(request: pytest.FixtureRequest, server_of: ServerOf) -> str:
    """The URL of an engine, or of a node of a cluster, with nothing in it."""
    if request.param == "cluster":
        cluster: LocalCluster = request.getfixturevalue("cluster")
        return cluster.url
    server = server_of("valkey")
    with Redis(unix_socket_path=str(server.socket)) as client:
        client.flushall()
    return server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for the read model."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'queries.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.url


@pytest.fixture
def start(serve: Serve, engine: str, sql_url: str) -> Callable[[], Server]:
    """Starts servers of the store."""
    where = ("--redis-url", engine, "--sql-url", sql_url, "--partitions", str(PARTITIONS))

    def start() -> Server:
        return serve(*where, "--model", "any", "--indexes", "n", queries=True)

    return start


def put(server: Server, item: str, n: int) -> str:
    """The id of the event that puts an item: its position, and its partition."""
    answer = httpx.put(f"{server.url}/items/{item}", json={"n": n}, timeout=QUICKLY)
    answer.raise_for_status()
    position, _, _ = answer.headers["Event-Id"].partition("@")
    return f"{position}@{partition_of(item, PARTITIONS)}"


def query(server: Server, **parameters: str) -> httpx.Response:
    """The answer to a query, asked again where it is not there yet."""
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        asked = {"order": "n"} | parameters
        answers.append(httpx.get(f"{server.url}/items", params=asked, timeout=QUICKLY))
        return answers[-1].status_code != 503

    wait_until(is_answered)
    assert answers[-1].status_code == 200, answers[-1].text
    return answers[-1]


def test_ones_own_writes_are_found_whichever_partition_they_are_in(
    start: Callable[[], Server],
) -> None:
    """Each by its event's id; and a page has the items of all partitions in one order."""
    server = start()
    for number, item in enumerate(IDS):
        at = put(server, item, number)
        answer = query(server, min_position=at, where=f"@.n == {number}")
        assert [each["id"] for each in answer.json()["items"]] == [item]
        position, _, place = at.partition("@")
        assert positions_of(answer.headers["Position"], PARTITIONS)[int(place)] == position
    answer = query(server)
    assert [each["id"] for each in answer.json()["items"]] == IDS
    assert answer.json()["total"] == len(IDS)
    assert START not in positions_of(answer.headers["Position"], PARTITIONS)


def test_another_process_goes_on_in_each_partition(start: Callable[[], Server]) -> None:
    """Where the server that has the tables followed is killed: nothing counts twice."""
    first = start()
    last = [put(first, item, number) for number, item in enumerate(IDS)]
    query(first, min_position=",".join(last))
    second = start()
    wait_until(lambda: follower_of(first))
    first.stop(signal.SIGKILL)
    last = [put(second, item, 100 + number) for number, item in enumerate(IDS)]
    answer = query(second, min_position=",".join(last))
    assert [each["version"] for each in answer.json()["items"]] == [2] * len(IDS)
    assert answer.json()["total"] == len(IDS)


def test_the_tables_say_which_partition_is_how_far(
    serve: Serve, server_of: ServerOf, tmp_path: Path
) -> None:
    """As docs/queries.md describes them: people read them with SQL."""
    with Redis(unix_socket_path=str(server_of("valkey").socket)) as client:
        client.flushall()
    where = ("--redis-url", server_of("valkey").url, "--partitions", str(PARTITIONS))
    server = serve(*where, "--model", "any", queries=True)
    last = {int(at.partition("@")[2]): at for at in (put(server, item, 0) for item in IDS)}
    query(server, min_position=",".join(last.values()))
    path = tmp_path / "data" / "queries.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        ends = file.execute("SELECT position || '@' || partition FROM itemstore_checkpoints")
        assert {at for [at] in ends} == {*last.values()}
        found = file.execute(
            "SELECT checkpoints.items = count(items.id) FROM itemstore_checkpoints AS checkpoints"
            " JOIN items ON items.partition = checkpoints.partition GROUP BY items.partition"
        )
        assert [is_same for [is_same] in found] == [1] * PARTITIONS


def test_a_failover_of_one_node_is_followed(
    serve: Serve, cluster: LocalCluster, tmp_path: Path
) -> None:
    """What the lost node had is made again from what its replica has, and all of it is right."""
    where = ("--redis-url", cluster.url, "--partitions", str(PARTITIONS))
    server = serve(*where, "--model", "any", "--indexes", "n", queries=True)
    last = [put(server, item, number) for number, item in enumerate(IDS)]
    query(server, min_position=",".join(last))
    lost = primary_of(cluster, key_slot("1"))
    lost.kill()
    try:
        wait_until(lambda: is_written(server, 1))
        wait_until(lambda: query(server, where="@.n == 1000").json()["total"] == 1)
    finally:
        lost.start()
        cluster.wait_until_ok()
    last = [put(server, item, 2000) for item in IDS]
    answer = query(server, min_position=",".join(last), where="@.n == 2000")
    assert answer.json()["total"] == len(IDS)
    environment = os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
    verified = subprocess.run(
        [*COMMAND, "verify", "--redis-url", cluster.url],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def is_written(server: Server, partition: int) -> bool:
    """Whether an item in a partition was changed."""
    item = next(each for each in IDS if partition_of(each, PARTITIONS) == partition)
    answer = httpx.put(f"{server.url}/items/{item}", json={"n": 1000}, timeout=QUICKLY)
    return answer.is_success
