"""The live feed over connections that break: every event once, in order."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.missing import missing
from tests.server.browsing import browser
from tests.server.conftest import Serve
from tests.server.cutting import CuttingProxy, cutting, write_until

CUTS = 100

PAGE = """<!doctype html><title>Following</title><script>
const seen = [];
const source = new EventSource("/events");
for (const type of ["ItemCreated", "ItemUpdated", "ItemDeleted"]) {
  source.addEventListener(type, (event) => {
    if (JSON.parse(event.data).id === event.lastEventId) { seen.push(event.lastEventId); }
  });
}
source.onerror = () => { if (source.readyState === 2) { seen.push("gave up"); } };
setInterval(() => fetch("/seen", {method: "POST", body: JSON.stringify(seen)}), 100);
</script>"""


async def test_httpx_sse_gets_every_event_once_over_100_cuts(serve: Serve) -> None:
    """Ten writers write meanwhile; Last-Event-ID goes on after the last whole event."""
    server = serve()
    seen: list[str] = []
    async with cutting(server, CUTS) as proxy, httpx.AsyncClient(timeout=30) as client:

        async def follow() -> None:
            headers = {"accept": "text/event-stream"}
            while True:
                if seen:
                    headers["last-event-id"] = seen[-1]
                with suppress(httpx.TransportError):
                    async with client.stream(
                        "GET", f"{proxy.url}/events", headers=headers
                    ) as answer:
                        async for event in EventSource(answer).aiter_sse():
                            if event.data:
                                assert json.loads(event.data)["type"] == event.event
                                seen.append(event.id)

        following = asyncio.create_task(follow())
        written = await write_until(server, proxy.done)
        await _all_there(lambda: len(seen) >= len(written))
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert len(written) > CUTS
    assert seen == written


async def test_curl_gets_every_event_once_over_100_cuts(serve: Serve) -> None:
    """As a script would do it: what stands between two empty lines is an event."""
    if shutil.which("curl") is None:
        missing("curl is not installed")
    server = serve()
    seen: list[str] = []
    async with cutting(server, CUTS) as proxy:
        following = asyncio.create_task(_follow_by_curl(proxy, seen))
        written = await write_until(server, proxy.done)
        await _all_there(lambda: len(seen) >= len(written))
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert seen == written


async def _follow_by_curl(proxy: CuttingProxy, seen: list[str]) -> None:
    while True:
        resume = ["--header", f"Last-Event-ID: {seen[-1]}"] if seen else []
        curl = await asyncio.create_subprocess_exec(
            "curl", "--silent", "--no-buffer", "--header", "Accept: text/event-stream", *resume,
            f"{proxy.url}/events", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert curl.stdout is not None
        try:
            with suppress(asyncio.IncompleteReadError):
                while True:
                    event = (await curl.stdout.readuntil(b"\n\n")).decode()
                    fields = dict(line.split(": ", 1) for line in event.splitlines() if line)
                    if "id" in fields:
                        seen.append(fields["id"])
        finally:
            with suppress(ProcessLookupError):
                curl.kill()
            await curl.wait()


async def test_a_browser_gets_every_event_once_over_100_cuts(serve: Serve, tmp_path: Path) -> None:
    """Its own EventSource: it comes again by itself, with Last-Event-ID."""
    server = serve()
    async with cutting(server, CUTS, PAGE) as proxy, browser(f"{proxy.url}/page", tmp_path):
        written = await asyncio.wait_for(write_until(server, proxy.done), timeout=90)
        async with asyncio.timeout(20):
            seen: list[Any] = []
            while len(seen) < len(written):
                seen = json.loads(await proxy.seen.get())
    assert seen == written


async def _all_there(is_there: Any) -> None:
    async with asyncio.timeout(20):
        while not is_there():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)  # for what should not come


async def test_the_pages_of_the_log_are_the_stream(serve: Serve) -> None:
    """Walked by `next`, as JSON lines and live: the same events."""
    server = serve()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        for number in range(57):
            await client.put(f"/items/{number % 7}", json={"size": number})
        pages: list[dict[str, Any]] = []
        url: str | None = "/events?limit=10"
        while url:
            page = await client.get(url)
            pages += page.json()
            url = page.links["next"]["url"] if "next" in page.links else None
        lines = await client.get("/events", headers={"accept": "application/jsonl"})
    assert len(pages) == 57
    assert [json.loads(line) for line in lines.text.splitlines()] == pages
