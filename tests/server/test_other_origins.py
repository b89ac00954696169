"""A script of another origin, in a browser's own hands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.server.browsing import browser
from tests.server.conftest import Serve, Server
from tests.server.cutting import CuttingProxy, cutting
from tests.server.raw import Raw, get

PAGE = """<!doctype html><title>Elsewhere</title><script>
const headers = {"Content-Type": "application/json", "If-None-Match": "*"};
fetch("SERVER/items/a", {method: "PUT", headers, body: "{}"})
  .then((answer) => [answer.status, answer.headers.get("Event-Type"), answer.headers.get("ETag")])
  .catch(() => "blocked")
  .then((seen) => fetch("/seen", {method: "POST", body: JSON.stringify(seen)}));
</script>"""


async def seen_by(proxy: CuttingProxy, server: Server, directory: Path) -> object:
    """What a page of the proxy's origin could do at the server."""
    proxy.page = PAGE.replace("SERVER", server.url)
    async with browser(f"{proxy.url}/page", directory), asyncio.timeout(30):
        return json.loads(await proxy.seen.get())


@pytest.mark.parametrize("origins", ["the page's", "another", None])
async def test_a_browser_lets_a_script_in_where_its_origin_is_listed(
    serve: Serve, tmp_path: Path, origins: str | None
) -> None:
    """A PUT with a condition, after the question that goes before it; else blocked."""
    first = serve(data_dir=tmp_path / "first")
    async with cutting(first, 0) as proxy:
        listed = {"the page's": proxy.url, "another": "https://a.example"}
        options = ["--cors-origins", listed[origins]] if origins else []
        server = serve(*options, data_dir=tmp_path / "second")
        seen = await seen_by(proxy, server, tmp_path)
    assert seen == ([201, "ItemCreated", '"1"'] if origins == "the page's" else "blocked")


OURS = "https://a.example"


def at_the_door(origin: str) -> dict[int, bytes]:
    """Requests that are answered before the application has them, by their status."""
    fields = f"Origin: {origin}"
    return {
        400: get("/items", fields, "Transfer-Encoding: gzip"),
        408: get("/items", fields, "X: y")[:-2],
        414: get("/items?" + "x" * 8_000, fields),
        431: get("/items", fields, "X: " + "x" * 33_000),
        501: get("/items", fields, "Transfer-Encoding: gzip, chunked"),
        505: get("/items", fields).replace(b"1.1", b"2.0", 1),
    }


@pytest.mark.parametrize("listed", [f"https://b.example, {OURS}", "*"])
def test_a_script_may_read_what_is_answered_at_the_door(serve: Serve, listed: str) -> None:
    """Why it was refused, and after how long it may come again, where its origin is listed."""
    server = serve("--cors-origins", listed, "--client-seconds", "1", "--max-connections", "1")
    for origin in (OURS, "https://c.example"):
        allowed = "*" if listed == "*" else OURS if origin == OURS else None
        for status, request in at_the_door(origin).items():
            with Raw(server.url) as client:
                client.send(request)
                answer = client.answer()
                assert answer.status == status
                assert answer.headers.get("access-control-allow-origin") == allowed
                assert ("vary" in answer.headers) == (listed != "*")
        with Raw(server.url), Raw(server.url) as client:
            client.send(get("/items", f"Origin: {origin}"))
            answer = client.answer()
            answer.problem(503, "overloaded")
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_nobody_else_is_told_that_there_are_scripts(serve: Serve) -> None:
    """Without the setting, no such field is sent."""
    server = serve()
    with Raw(server.url) as client:
        client.send(at_the_door(OURS)[505])
        answer = client.answer()
        assert not [name for name in answer.headers if name.startswith("access-control")]
