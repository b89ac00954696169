"""What the client needs, and how it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from itemstore import client as package
from itemstore.client import AsyncClient, Client

SERVER_PARTS = {"fastapi", "starlette", "redis", "uvicorn", "structlog", "opentelemetry", "typer"}


def test_the_client_imports_nothing_of_the_server() -> None:
    """It starts fast, and works where only it is wanted."""
    program = (
        "import sys, itemstore.client; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    imported = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "httpx" in imported
    assert SERVER_PARTS & imported == set()


def test_all_that_it_exports_is_there() -> None:
    """And nothing is named twice."""
    assert all(hasattr(package, name) for name in package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://store", "http://", "http://store?x=1"])
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    """And not by the first request."""
    with pytest.raises(ValueError, match="no URL"):
        Client(url)


def test_both_clients_have_the_same_methods() -> None:
    """But for what closes them."""
    own = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
    assert own == {name for name in vars(AsyncClient) if not name.startswith("_")} - {"aclose"}
    assert "update" in own


def seen_by(seen: list[httpx.Request]) -> Any:
    """A transport that answers 404, and keeps what it was asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(404, json={"type": "/problems/item-not-found"})

    return httpx.MockTransport(answer)


def test_a_token_is_read_from_its_file_for_each_request(tmp_path: Path) -> None:
    """So it may be changed while the client is at work."""
    file, seen = tmp_path / "token", list[httpx.Request]()
    with Client("http://store/shop/", transport=seen_by(seen), token=file) as client:
        for token in ("one", "other\n"):
            file.write_text(token)
            assert client.find("a b") is None
    assert [each.headers["authorization"] for each in seen] == ["Bearer one", "Bearer other"]
    assert seen[0].url.raw_path == b"/shop/items/a%20b"


async def test_fields_that_are_given_are_sent_with_each_request() -> None:
    """As a request's id, or a trace."""
    seen = list[httpx.Request]()
    fields = {"X-Request-ID": "order-7"}
    async with AsyncClient("http://store", transport=seen_by(seen), headers=fields) as client:
        assert await client.find("fox") is None
    assert seen[0].headers["x-request-id"] == "order-7"


def test_a_client_of_ones_own_is_left_open() -> None:
    """Who made it closes it."""
    with httpx.Client(transport=seen_by([])) as http:
        with Client("http://store", http=http) as client:
            assert client.find("fox") is None
        assert not http.is_closed
    with Client("http://store", transport=seen_by([])) as own:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        own.find("fox")
