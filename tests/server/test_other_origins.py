"""A script of another origin, in a browser's own hands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.server.browsing import browser
from tests.server.conftest import Serve, Server
from tests.server.cutting import CuttingProxy, cutting

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
