"""A data directory that is moved or deleted while a server runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.server.conftest import Serve, Server

PATIENCE = 15


def put(server: Server, item: str) -> httpx.Response:
    """Writes an item."""
    return httpx.put(f"{server.url}/items/{item}", json={"size": 6}, timeout=10)


def until(answer: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The first answer with this status."""
    end = time.monotonic() + PATIENCE
    while (last := answer()).status_code != status:
        assert time.monotonic() < end, last.text
        time.sleep(0.05)
    return last


def test_nothing_is_acknowledged_while_the_data_is_elsewhere(serve: Serve, tmp_path: Path) -> None:
    """Writes are 503 and say why, and it all goes on when the directory is back."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    server = serve(data_dir=data)
    put(server, "a").raise_for_status()
    data.rename(elsewhere)
    refused = until(lambda: put(server, "b"), 503)
    assert "was moved or deleted" in refused.json()["detail"]
    assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == 503
    elsewhere.rename(data)
    acknowledged = until(lambda: put(server, "c"), 201)
    assert server.stop() in {0, -15}
    server = serve(data_dir=data)
    found = httpx.get(f"{server.url}/items/c", timeout=10)
    assert found.headers["etag"] == acknowledged.headers["etag"]
    assert httpx.get(f"{server.url}/items/b", timeout=10).status_code == 404


def test_a_deleted_data_directory_is_not_written_to(serve: Serve, tmp_path: Path) -> None:
    """Also where another one has taken its place; the server ends without a traceback."""
    data = tmp_path / "data"
    server = serve(data_dir=data)
    put(server, "a").raise_for_status()
    shutil.rmtree(data)
    data.mkdir()
    until(lambda: put(server, "b"), 503)
    server.stop()
    assert list(data.iterdir()) == []
