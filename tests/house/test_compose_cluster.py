"""docker-compose.cluster.yml: what it promises, held against the compose specification."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from compose_spec.models import ComposeSpecification

from itemstore.engine.local_cluster import new_cluster
from itemstore.engine.local_node import ONLY_ON_VALKEY, SETTINGS, free_ports
from tests.conftest import ROOT, program_of
from tests.missing import missing

TEXT = (ROOT / "docker-compose.cluster.yml").read_text()

Services = dict[str, Any]


@pytest.fixture
def services() -> Services:
    """The services by name."""
    services: Services = yaml.safe_load(TEXT)["services"]
    return services


def nodes(services: Services) -> Services:
    """Those that are nodes of the cluster."""
    return {name: each for name, each in services.items() if name.startswith("node-")}


def apis(services: Services) -> list[Any]:
    """Those that serve the store."""
    return [each for name, each in services.items() if name.startswith("api-")]


def addresses(services: Services) -> list[str]:
    """The address of each node."""
    return [each["networks"]["cluster"]["ipv4_address"] for each in nodes(services).values()]


def test_it_is_valid_by_the_compose_specification() -> None:
    """The specification's own schema takes it, and so does a compose parser."""
    parsed = yaml.safe_load(TEXT)
    ComposeSpecification.model_validate(parsed)
    PyCompose.from_yaml(yaml.safe_dump(parsed))  # it knows no merged keys, which Compose does


def test_each_node_is_as_durable_as_those_that_are_tested(services: Services) -> None:
    """Every acknowledged write is on disk, nothing is evicted, and the data outlives it."""
    tested = SETTINGS | ONLY_ON_VALKEY
    for name, node in nodes(services).items():
        words = node["command"]
        given = dict(zip(words[1::2], words[2::2], strict=True))
        timeout = given.pop("--cluster-node-timeout")
        assert int(timeout) >= 1000
        assert {key.removeprefix("--"): value for key, value in given.items()}.items() <= (
            tested.items()
        )
        assert (given["--appendfsync"], given["--cluster-enabled"]) == ("always", "yes")
        assert node["volumes"] == [f"{name}:/data"]
        assert "ports" not in node


def test_there_are_three_primaries_with_a_replica_each(services: Services) -> None:
    """Each of six has an address of its own, and the cluster is made of all of them."""
    assert len({*addresses(services)}) == 6
    script = services["create"]["command"][2]
    [made] = [line for line in script.splitlines() if "--cluster create" in line]
    assert re.findall(r"([0-9.]+):6379", made) == addresses(services)
    assert "--cluster-replicas 1 " in made
    assert services["create"]["depends_on"].keys() == nodes(services).keys()
    subnet = yaml.safe_load(TEXT)["networks"]["cluster"]["ipam"]["config"][0]["subnet"]
    assert all(each.startswith(subnet.rpartition(".")[0]) for each in addresses(services))


def test_both_apis_wait_for_the_cluster_and_are_on_loopback_only(services: Services) -> None:
    """They find any node by one name, and a write is in a replica before it is acknowledged."""
    assert len(apis(services)) == 2
    for api in apis(services):
        assert api["depends_on"]["create"]["condition"] == "service_completed_successfully"
        [port] = api["ports"]
        assert port.startswith("127.0.0.1:")
        assert api["environment"]["ITEMSTORE_REDIS_URL"] == "redis://nodes:6379"
        assert api["environment"]["ITEMSTORE_DURABILITY"] == "replicas:1"
        assert "healthcheck" in api
        assert api["read_only"] is True
    for node in nodes(services).values():
        assert node["networks"]["cluster"]["aliases"] == ["nodes"]


def test_the_script_makes_a_cluster_once(services: Services, tmp_path: Path) -> None:
    """Run twice, as it is when all of it is started again, with the addresses of this machine."""
    cli = shutil.which("redis-cli")
    if cli is None:
        missing("redis-cli is not installed: `apt-get install redis-tools` brings it")
    cluster = new_cluster(program_of("valkey"), tmp_path, free_ports(12))
    script = services["create"]["command"][2]
    for address, node in zip(addresses(services), cluster.nodes, strict=True):
        script = script.replace(f"{address}:6379", node.address)
        script = script.replace(f"-h {address}", f"-h 127.0.0.1 -p {node.port}")
    (tmp_path / "valkey-cli").write_text(f'#!/bin/sh\nexec {cli} "$@"\n')
    (tmp_path / "valkey-cli").chmod(stat.S_IRWXU)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    try:
        cluster.start()
        for _ in range(2):
            subprocess.run(["sh", "-ec", script], check=True, env=path, timeout=90)
        cluster.wait_until_ok()
        roles = [node.ask("ROLE")[0] for node in cluster.nodes]
        assert sorted(roles) == ["master"] * 3 + ["slave"] * 3
    finally:
        cluster.kill()
