"""The commands on a store of several partitions: its number, and what is said of another."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from itemstore.domain.partitions import key_slot
from itemstore.domain.positions import key_of
from itemstore.engine.local_cluster import LocalCluster
from itemstore.store.beginning import begin
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings
from tests.cli.forked import command
from tests.clusters import heal, primary_of, replicas_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]

VERBS = [
    ["serve", "--port", "0"],
    ["info"],
    ["verify"],
    ["rebuild"],
    ["tail"],
    ["history", "fox"],
    ["export"],
    ["import"],
    ["archive"],
    ["token", "list"],
    ["token", "create", "ann", "--role", "reader"],
]


@pytest.fixture
def four(tmp_path: Path) -> Run:
    """Runs the command on a new store of four partitions."""

    async def make() -> None:
        given = Settings(data_dir=tmp_path / "data", partitions=4)
        async with open_store(given, new=True) as store:
            await begin(store)

    asyncio.run(make())

    def run(*words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        where = {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
        return command(words, os.environ | where | more, stdin)

    return run


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_each_verb_says_in_a_line_that_the_store_has_another_number(
    four: Run, verb: list[str]
) -> None:
    """And what to do; it does nothing else."""
    result = four(*verb, ITEMSTORE_PARTITIONS="8")

    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert "The store has 4 partitions, and ITEMSTORE_PARTITIONS says 8." in line
    assert "docs/cluster.md" in line


@pytest.mark.parametrize("first", ["1", "4"])
def test_who_makes_the_first_token_says_how_many_partitions(tmp_path: Path, first: str) -> None:
    """Another number would be a store without that token, which anybody may write to."""
    where = os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
    made = command(
        ["token", "create", "ann", "--role", "admin"], where | {"ITEMSTORE_PARTITIONS": first}, ""
    )
    assert made.returncode == 0

    assert "ann" in command(["token", "list"], where, "").stdout
    refused = command(["serve", "--port", "0", "--partitions", "2"], where, "")
    assert refused.returncode == 1
    assert f"The store has {first} partition" in refused.stderr


def test_info_tells_of_partitions_and_nodes(four: Run) -> None:
    """By name as JSON; for people a line for all partitions, and one for each node."""
    lines = [
        json.dumps({"type": "ItemCreated", "subject": f"i{n}", "source": "/items", "data": {}})
        for n in range(41)
    ]
    assert four("import", stdin="\n".join(lines)).returncode == 0

    facts = json.loads(four("info", "--json").stdout)
    assert (facts["events"], facts["items"], facts["deleted_items"]) == (41, 41, 0)
    parts = facts["partitions"]
    assert [each["partition"] for each in parts] == [0, 1, 2, 3]
    assert sum(each["events"] for each in parts) == 41
    assert facts["last_position"] == max((each["position"] for each in parts), key=key_of)
    [node] = facts["nodes"]
    assert (node["role"], node["partitions"]) == ("primary", [0, 1, 2, 3])
    counts = sorted(each["events"] for each in parts)
    shown = four("info").stdout
    assert (
        f"partitions      4, all take writes; {counts[0]} to {counts[-1]} events in each" in shown
    )
    # The engine runs for each command anew, and its socket may be at another place each time.
    assert re.search(r"^node +\S.*, primary: partitions 0, 1, 2, 3$", shown, re.MULTILINE)


def test_info_on_a_cluster_shows_which_node_has_what(cluster: LocalCluster) -> None:
    """Replicas too, with whose they are; and which partitions take no write, and why."""
    where = os.environ | {"ITEMSTORE_REDIS_URL": cluster.url, "ITEMSTORE_PARTITIONS": "64"}
    assert command(["import"], where, '{"type":"ItemCreated","subject":"a","data":{}}').stderr
    facts = json.loads(command(["info", "--json"], where, "").stdout)

    by_node = {each["node"]: each["partitions"] for each in facts["nodes"]}
    assert sorted(each for parts in by_node.values() for each in parts) == [*range(64)]
    for each in facts["partitions"]:
        assert each["partition"] in by_node[each["node"]]
        assert each["writable"] is True
    primaries = {each["node"] for each in facts["nodes"] if each["role"] == "primary"}
    replicas = [each for each in facts["nodes"] if each["role"] == "replica"]
    assert len(primaries) == len(replicas) == 3
    assert {each["primary"] for each in replicas} == primaries

    node = next(each for each in cluster.nodes if by_node[each.address])
    node.ask("CONFIG", "SET", "min-replicas-to-write", "5")
    try:
        shown = command(["info"], where, "").stdout
    finally:
        node.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    closed = by_node[node.address]
    assert f"partitions      64, {len(closed)} of them take no write now" in shown
    assert f"  no write      {', '.join(map(str, closed))}: " in shown


def test_info_tells_what_is_known_where_a_node_is_away(cluster: LocalCluster) -> None:
    """What would be a sum over its partitions is unknown; which these are is said, and why."""
    first = primary_of(cluster, key_slot("0"))
    where = os.environ | {"ITEMSTORE_REDIS_URL": first.url}
    assert command(["import"], where, '{"type":"ItemCreated","subject":"a","data":{}}').stderr
    others = [node for node in cluster.nodes if node is not first]
    away = next(node for node in others if node.ask("ROLE")[0] == "master")
    replicas = replicas_of(cluster, away)
    for node in cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")
    for node in (*replicas, away):
        node.kill()
    try:
        seen = json.loads(command(["info", "--json"], where, "").stdout)
    finally:
        heal(cluster)
        for node in cluster.nodes:
            node.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")

    closed = [each["partition"] for each in seen["partitions"] if not each["writable"]]
    assert 0 < len(closed) < len(seen["partitions"])
    assert seen["engine"].startswith("Valkey")
    assert (seen["events"], seen["last_position"], seen["queries_up_to"]) == (None, None, None)
    for each in seen["partitions"]:
        assert (each["events"] is None) == (each["partition"] in closed)
    assert [
        each["node"] for each in seen["nodes"] if each["partitions"] and not each["reachable"]
    ] == [away.address]


def _life(events: int, items: int) -> str:
    """Lines of what happened to items, several of them in one millisecond."""
    lines = []
    for number in range(events):
        kind = "ItemCreated" if number < items else "ItemUpdated"
        line = {"type": kind, "subject": f"i{number % items}", "source": "/items"}
        line["time"] = f"2024-01-01T00:00:00.{number // 3 % 1000:03}Z"
        lines.append(json.dumps(line | {"data": {"n": number}}))
    return "\n".join(lines)


def _digest(run: Run, **where: str) -> str:
    """The digest of a store that is as its log says."""
    verdict = json.loads(run("verify", "--json", **where).stdout)
    assert verdict["clean"] is True
    assert verdict["events"] == 900
    return str(verdict["digest"])


def test_a_store_grows_and_keeps_versions_positions_and_digest(
    tmp_path: Path, cluster: LocalCluster
) -> None:
    """From one engine to four partitions, from there to sixteen on a cluster, and back to one."""

    def run(*words: str, stdin: str = "", **where: str) -> subprocess.CompletedProcess[str]:
        return command(words, os.environ | {"ITEMSTORE_SQL_URL": "off"} | where, stdin)

    one = {"ITEMSTORE_DATA_DIR": str(tmp_path / "one")}
    four = {"ITEMSTORE_DATA_DIR": str(tmp_path / "four"), "ITEMSTORE_PARTITIONS": "4"}
    sixteen = {"ITEMSTORE_REDIS_URL": cluster.url}
    back = {"ITEMSTORE_DATA_DIR": str(tmp_path / "back")}
    assert run("import", stdin=_life(900, 100), **one).returncode == 0
    exported = run("export", **one).stdout
    digest = _digest(run, **one)

    text = exported
    for where in (four, sixteen, back):
        assert run("import", stdin=text, **where).stderr == "900 events imported\n"
        assert _digest(run, **where) == digest
        text = run("export", **where).stdout
    assert text == exported
    versions = {
        (each["subject"], each["itemversion"], each["time"], each["id"].partition("@")[0])
        for each in map(json.loads, run("export", **sixteen).stdout.splitlines())
    }
    assert versions == {
        (each["subject"], each["itemversion"], each["time"], each["id"])
        for each in map(json.loads, exported.splitlines())
    }
