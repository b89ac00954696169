"""The explorer at /docs, in a real browser."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from tests.server.browsing import evaluated, shown
from tests.server.conftest import Serve


async def test_a_browser_shows_the_api_without_the_internet(serve: Serve, tmp_path: Path) -> None:
    """Under the page's own policy: the script, the style and the document come from the store."""
    page = await shown(f"{serve().url}/docs", tmp_path)
    assert 'class="opblock' in page
    assert "/items/{id}" in page.replace("\u200b", "").replace("<wbr>", "")
    assert "https://" not in page.partition("<body")[0]


TRYING = """
(async (ids) => {
  const until = async (find) => {
    for (let tries = 0; tries < 400; tries++) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never there: ${find}`);
  };
  const operation = await until(() => document.querySelector("#operations-items-put_item"));
  const inside = (selector) => until(() => operation.querySelector(selector));
  (await inside("button.opblock-summary-control")).click();
  (await inside(".try-out__btn")).click();
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const urls = [];
  for (const id of ids) {
    const input = await inside('tr[data-param-name="id"] input');
    write.call(input, id);
    for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
    const last = urls.at(-1);
    const sent = () => operation.querySelector(".request-url pre")?.textContent;
    await until(() => {  // the page takes what was typed a moment later
      operation.querySelector("button.execute").click();
      return sent() && sent() !== last;
    });
    urls.push(sent());
  }
  return urls;
})(IDS)
"""


async def test_an_id_is_typed_as_it_is(serve: Serve, tmp_path: Path) -> None:
    """The page encodes it: a slash is a slash, and an escape is an id with a percent sign."""
    server = serve()
    ids = ["a/b", "a%2Fb", "\u00e9? #x"]
    script = TRYING.replace("IDS", json.dumps(ids))

    urls = await evaluated(f"{server.url}/docs", script, tmp_path)

    paths = ["a%2Fb", "a%252Fb", "%C3%A9%3F%20%23x"]
    assert urls == [f"{server.url}/items/{path}" for path in paths]
    listed: list[str] = []
    async with httpx.AsyncClient(base_url=server.url) as client, asyncio.timeout(10):
        while len(listed) < len(ids):  # the page shows the URL before its request is answered
            listed = [each["id"] for each in (await client.get("/items")).json()["items"]]
    assert sorted(listed) == sorted(ids)
