"""A cluster on this machine, such as the other tests run on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from itemstore.engine.local_cluster import SLOTS, LocalCluster, running_cluster
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
from tests.conftest import program_of


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
