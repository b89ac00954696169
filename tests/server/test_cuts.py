"""The live feed over connections that break: every event once, in order."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
from httpx_sse import EventSource

from tests.server.conftest import Serve

WRITERS = 10
CUTS = 100


async def test_a_follower_who_is_cut_off_100_times_gets_every_event_once(serve: Serve) -> None:
    """Ten writers write; the follower's connection breaks at random; Last-Event-ID goes on."""
    server = serve()
    written: list[str] = []
    writing = True
    chance = random.Random(2026)

    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:

        async def write(number: int) -> None:
            while writing:
                answer = await client.put(f"/items/item-{number}", json={"size": number})
                written.append(answer.headers["event-id"])
                await asyncio.sleep(0.01)

        writers = asyncio.gather(*(write(number) for number in range(WRITERS)))
        seen: list[str] = []
        for cut in range(CUTS + 1):
            if cut == CUTS:
                writing = False
                await writers
            headers = {"accept": "text/event-stream"}
            if seen:
                headers["last-event-id"] = seen[-1]
            wanted = len(written) - len(seen) if cut == CUTS else chance.randrange(1, 60)
            if wanted == 0:
                break
            async with client.stream("GET", "/events", headers=headers) as stream:
                async for event in EventSource(stream).aiter_sse():
                    if event.retry is not None:
                        continue
                    seen.append(event.id)
                    assert json.loads(event.data)["type"] == event.event
                    wanted -= 1
                    if wanted == 0:
                        break  # in the middle of a stream that goes on
    assert len(written) > CUTS
    assert seen == sorted(written, key=key)


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


def key(position: str) -> tuple[int, int]:
    """What positions sort by."""
    milliseconds, number = position.split("-")
    return int(milliseconds), int(number)
