"""A data directory that is moved or deleted while a server runs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx

from tests.conftest import PATIENCE, wait_until
from tests.server.conftest import Serve, Server

UNAVAILABLE = 503


def refusal(server: Server, item: str) -> tuple[httpx.Response, int]:
    """The first 503 to a write, and how many were acknowledged before it."""
    end = time.monotonic() + PATIENCE
    acknowledged = 0
    while (answer := put(server, item)).status_code != UNAVAILABLE:
        assert time.monotonic() < end, answer.text
        acknowledged += answer.is_success
    return answer, acknowledged


def put(server: Server, item: str) -> httpx.Response:
    """Writes an item."""
    return httpx.put(f"{server.url}/items/{item}", json={"size": 6}, timeout=10)


def is_removed(directory: Path) -> bool:
    """Removes it; a file may be made in it at that moment."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


def until_acknowledged(server: Server, item: str) -> None:
    """Writes an item, as often as it takes."""
    end = time.monotonic() + PATIENCE
    while not (answer := put(server, item)).is_success:
        assert time.monotonic() < end, answer.text


def test_nothing_is_acknowledged_while_the_data_is_elsewhere(serve: Serve, tmp_path: Path) -> None:
    """Writes are 503 and say why, and it all goes on when the directory is back."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    server = serve(data_dir=data)
    put(server, "a").raise_for_status()
    wait_until(lambda: [*data.glob("archive/segments/*")])  # made in the first seconds
    data.rename(elsewhere)
    refused, acknowledged = refusal(server, "b")
    assert "was moved or deleted" in refused.json()["detail"]
    assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == UNAVAILABLE
    elsewhere.rename(data)
    until_acknowledged(server, "c")
    server.stop()
    server = serve(data_dir=data)
    events = httpx.get(f"{server.url}/events", timeout=10).json()
    assert [event["subject"] for event in events] == ["a", *["b"] * acknowledged, "c"]


def test_a_deleted_data_directory_is_not_written_to(serve: Serve, tmp_path: Path) -> None:
    """Also where another one has taken its place; and the server ends as it should."""
    data = tmp_path / "data"
    server = serve(data_dir=data)
    put(server, "a").raise_for_status()
    wait_until(lambda: [*data.glob("archive/segments/*")])  # made in the first seconds
    wait_until(lambda: is_removed(data))
    data.mkdir()
    (data / "notes").touch()
    refusal(server, "b")
    server.stop()
    assert [file.name for file in data.iterdir()] == ["notes"]
