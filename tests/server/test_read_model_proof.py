"""A served read model, compared, damaged and rebuilt by commands, and what is said of it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import wait_until
from tests.server.conftest import COMMAND, Serve, Server

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["1", "3"])
def server(request: pytest.FixtureRequest, serve: Serve) -> Server:
    """A server with items in one of two collections, and one of them deleted."""
    collections = ("--collections", "products=any,notes=any", "--indexes", "products=size")
    server = serve(*collections, "--partitions", request.param, queries=True)
    for number in range(5):
        httpx.put(f"{server.url}/products/{number}", json={"size": number}).raise_for_status()
    httpx.delete(f"{server.url}/products/4").raise_for_status()
    wait_until(lambda: [each["lag"] for each in standing(server)] == [0, 0])
    return server


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs the command on the same data directory."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"ITEMSTORE_DATA_DIR": str(tmp_path / "data")}
        return subprocess.run(
            [*COMMAND, *words],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=60,
        )

    return run


def standing(server: Server) -> list[dict[str, Any]]:
    """What `/projections` says of the read model, for each collection; nothing before it can."""
    found = httpx.get(f"{server.url}/projections").json().get("projections", [])
    return [each for each in found if each["name"] == "sql"]


def test_what_is_said_of_it(server: Server, command: Command, tmp_path: Path) -> None:
    """By `/projections`, by the metrics, and by `itemstore info`."""
    products, notes = standing(server)
    assert (products["rows"], notes["rows"]) == (4, 0)
    assert products["position"] == httpx.get(f"{server.url}/projections").json()["log"]["position"]
    assert products["following"] is True
    wait_until(lambda: standing(server)[0]["indexes"] == {"size": True})
    assert (notes["indexes"], products["texts"]) == ({}, {})

    metrics = httpx.get(f"{server.url}/metrics").text.splitlines()
    of = '{collection="products",projection="sql"}'
    assert f"itemstore_projection_rows{of} 4.0" in metrics
    assert f"itemstore_projection_lag_events{of} 0.0" in metrics
    assert "itemstore_read_model_following 1.0" in metrics

    facts = json.loads(command("info", "--json").stdout)
    assert facts["queries"] == str(tmp_path / "data" / "queries.sqlite")
    assert facts["queries_up_to"] == products["position"]
    assert facts["queries_behind"] == 0


def test_damage_is_found_and_mended_by_commands_while_it_is_served(
    server: Server, command: Command, tmp_path: Path
) -> None:
    """Of a row, of a key, and of what was deleted: exit code 1, and the names of all three."""
    with closing(sqlite3.connect(tmp_path / "data" / "queries.sqlite")) as file, file:
        file.execute("UPDATE products SET body = '{}' WHERE id = '1'")
        file.execute("UPDATE products SET k1 = x'00' WHERE id = '2'")
        file.execute("DELETE FROM itemstore_deleted")

    found = command("verify", "--json", "--collection", "products")
    assert found.returncode == 1
    verdict = json.loads(found.stdout)
    differing = [each["name"] for each in verdict["differences"]]
    assert {*differing} == {"row 1", "key $['size'] of 2", "deleted 4", "digest"}
    assert verdict["counted"] == {"sql": len(differing)}

    receipt = json.loads(command("rebuild", "sql", "--json", "--collection", "products").stdout)
    assert receipt["different"] == {"rows": 1, "deleted": 1, "keys": 1, "words": 0, "checkpoint": 0}
    assert receipt["digest_after"] == verdict["digest"]
    receipt.pop("partitions", None)
    assert standing(server)[0]["last_rebuild"] == receipt

    httpx.put(f"{server.url}/products/after", json={"size": 9}).raise_for_status()
    wait_until(lambda: standing(server)[0]["rows"] == 5)
    assert command("verify").returncode == 0


def test_a_read_model_that_is_off_is_said(serve: Serve, command: Command) -> None:
    """And is nothing that differs."""
    server = serve("--sql-url", "off")
    assert standing(server) == []
    found = command("verify", "--sql-url", "off")
    assert found.returncode == 0
    assert "sql was not compared: it is off (ITEMSTORE_SQL_URL)" in found.stdout
    assert "it is off" in command("rebuild", "sql", "--sql-url", "off").stderr
