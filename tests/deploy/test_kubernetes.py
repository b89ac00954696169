"""The manifests for Kubernetes, by its own schemas, and what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from itemstore.cli.environment import misspelt
from itemstore.store.setting_fields import PREFIX
from itemstore.store.settings import Settings
from tests.conftest import ROOT

PLACE = ROOT / "deploy/kubernetes"
FOLDERS = ["embedded", "by-url"]
VERSION = "1.31"
"""Of Kubernetes: no field that came later is needed."""


def documents(folder: str) -> dict[str, dict[str, Any]]:
    """What is applied, by its kind."""
    listed = yaml.safe_load((PLACE / folder / "kustomization.yaml").read_text())["resources"]
    found = {}
    for name in listed:
        for each in yaml.safe_load_all((PLACE / folder / name).read_text()):
            found[each["kind"]] = each
    return found


def pod(folder: str) -> dict[str, Any]:
    """The pod of the workload."""
    [workload] = [each for each in documents(folder).values() if "template" in each.get("spec", {})]
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("folder", FOLDERS)
def test_kubernetes_takes_every_manifest(folder: str) -> None:
    """By the schemas of its API, where nothing else may be in an object."""
    for document in documents(folder).values():
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_the_schemas_would_notice_a_mistake() -> None:
    """A field that there is not."""
    document = documents("embedded")["StatefulSet"]
    document["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_folder_is_applied(folder: str) -> None:
    """Nothing lies beside it that somebody would think is in force."""
    listed = yaml.safe_load((PLACE / folder / "kustomization.yaml").read_text())["resources"]
    there = {each.name for each in (PLACE / folder).iterdir()} - {"kustomization.yaml"}
    assert there == set(listed)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_is_a_setting_and_none_comes_from_a_service(folder: str) -> None:
    """A Service called itemstore would set ITEMSTORE_PORT to an address."""
    spec = pod(folder)
    names = [each["name"] for each in spec["containers"][0]["env"]]
    assert all(name.startswith(PREFIX) for name in names)
    assert list(misspelt(names)) == []
    assert spec["enableServiceLinks"] is False


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_pod_has_probes_and_no_rights(folder: str) -> None:
    """Restarts by /livez, traffic by /readyz; no root, no capabilities, nothing to write to."""
    spec = pod(folder)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert spec["terminationGracePeriodSeconds"] > 18
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
    [container] = spec["containers"]
    probed = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert probed == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_user_and_places_are_those_of_the_image(folder: str) -> None:
    """Who runs it there owns /data."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    user = str(pod(folder)["securityContext"]["runAsUser"])
    assert f"--uid {user} " in dockerfile
    mounts = {each["mountPath"] for each in pod(folder)["containers"][0]["volumeMounts"]}
    assert mounts == {"/data", "/tmp"}  # noqa: S108 - of the container
    assert "ITEMSTORE_DATA_DIR=/data" in dockerfile


def test_there_is_one_embedded_engine_for_a_volume() -> None:
    """Two on the same files would be the end of them."""
    spec = documents("embedded")["StatefulSet"]["spec"]
    assert spec["replicas"] == 1
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_an_engine_that_is_away_keeps_no_node_from_being_emptied() -> None:
    """Then no pod is ready, and a budget by itself lets none of them go."""
    budget = documents("by-url")["PodDisruptionBudget"]["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["minAvailable"] < documents("by-url")["Deployment"]["spec"]["replicas"]


def test_secrets_are_in_no_other_manifest() -> None:
    """URLs with passwords come from the Secret, by keys that it has."""
    env = pod("by-url")["containers"][0]["env"]
    taken = {
        each["name"]: each["valueFrom"]["secretKeyRef"]["key"]
        for each in env
        if "valueFrom" in each
    }
    secret = documents("by-url")["Secret"]["stringData"]
    assert taken == {"ITEMSTORE_REDIS_URL": "redis-url", "ITEMSTORE_SQL_URL": "sql-url"}
    assert secret.keys() == set(taken.values())
    Settings(redis_url=secret["redis-url"], sql_url=secret["sql-url"])


def test_a_new_store_gets_its_first_token_and_an_old_one_no_other(tmp_path: Path) -> None:
    """The very script of the manifest, on a directory in place of the volume."""
    [script] = [each["command"][2] for each in pod("embedded")["initContainers"]]
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "itemstore").symlink_to(Path(sys.executable).parent / "itemstore")
    data = tmp_path / "data"
    data.mkdir()
    environment = os.environ | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "ITEMSTORE_DATA_DIR": str(data),
    }
    for _ in range(2):
        command = ["sh", "-ec", script.replace("/data", str(data))]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
        if _ == 0:
            token = data / "admin.token"
            assert token.read_text().strip()
            assert token.stat().st_mode & 0o077 == 0
            token.unlink()
    assert not (data / "admin.token").exists()
    listed = subprocess.run(
        [str(commands / "itemstore"), "token", "list"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [["admin", "admin"]]
