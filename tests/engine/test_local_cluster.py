"""A cluster on this machine, such as the other tests run on."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import RedisCluster

from itemstore.engine.local_cluster import SLOTS, LocalCluster, free_ports, running_cluster
from tests.clusters import (
    add_node,
    begin_legacy_migration,
    end_legacy_migration,
    fail_over,
    migrate,
    move_keys,
    primary_of,
    remove_node,
    replicas_of,
)
from tests.conftest import PATIENCE, killed_when_silent, program_of


def test_every_primary_has_a_third_of_the_slots_and_a_replica(cluster: LocalCluster) -> None:
    """And no two of them the same."""
    primaries = {primary_of(cluster, slot).port for slot in range(0, SLOTS, 1000)}
    assert len(primaries) == 3
    for node in cluster.nodes:
        if node.port in primaries:
            assert len(replicas_of(cluster, node)) == 1


def test_slots_are_moved_to_a_new_node_and_back(cluster: LocalCluster) -> None:
    """And a replica takes its primary's place."""
    old = primary_of(cluster, 0)
    old.ask("SET", "{06S}", "kept")  # slot 0
    new = add_node(cluster)
    migrate(old, new, 0, 10)
    assert new.ask("GET", "{06S}") == "kept"
    migrate(new, old, 0, 10)
    remove_node(cluster, new)
    assert fail_over(cluster, old).ask("GET", "{06S}") == "kept"


@pytest.mark.parametrize("engine", ["redis"])
def test_a_slot_is_moved_key_by_key_on_redis_too(engine: str) -> None:
    """Which has no other way."""
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        running_cluster(program_of(engine), Path(directory), replicas=0) as cluster,
    ):
        source, target = cluster.nodes[:2]
        for number in range(3):
            source.ask("SET", f"{{06S}}{number}", "kept")
        begin_legacy_migration(source, target, 0)
        assert move_keys(source, target, 0) == 3
        end_legacy_migration(cluster, target, 0)
        assert target.ask("GET", "{06S}2") == "kept"


def test_a_cluster_for_trying_keeps_its_data_until_the_next_start() -> None:
    """It says where it is, ends with Ctrl-C, and takes its servers along."""
    first = next(port for port in free_ports(100) if port < 22_000)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        options = ["--data-dir", directory, "--port", str(first)]
        for before in (None, "kept"):
            with run(options) as (process, said):
                assert said[0].startswith(f"Cluster  redis://127.0.0.1:{first}, ports {first} to")
                with RedisCluster("127.0.0.1", first, decode_responses=True) as client:
                    assert client.get("key") == before
                    client.set("key", "kept")
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 0
            for port in range(first, first + 6):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port))
        options[-1] = str(first + 1)
        with run(options) as (process, said):
            assert said == []
            assert process.wait(PATIENCE) == 1


@contextmanager
def run(options: list[str]) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A cluster for trying, and what it says until it runs; nothing where it fails."""
    words = [sys.executable, "-m", "itemstore.engine.run_local_cluster", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with killed_when_silent(process):
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C" in line:
                    break
        try:
            yield process, said
        finally:
            process.terminate()
