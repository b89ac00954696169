"""Live feeds that are cut at random and go on from the last id they got, while others write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import httpx
from httpx_sse import EventSource

SSE = {"accept": "text/event-stream"}


@dataclass
class CutFeed:
    """One that follows the whole log from its start: `seen` has the ids of events as they came."""

    random: Random
    seen: list[str] = field(default_factory=list)
    cuts: int = 0
    cursor: str = ""

    async def follow(self, clients: Sequence[httpx.AsyncClient]) -> None:
        """For ever, at any of the servers."""
        while True:
            with suppress(httpx.HTTPError):
                await self._until_cut(self.random.choice(clients))
            self.cuts += 1
            await asyncio.sleep(0.02)

    async def _until_cut(self, client: httpx.AsyncClient) -> None:
        most = self.random.choice([1, 5, 40, 400])
        headers = SSE | ({"last-event-id": self.cursor} if self.cursor else {})
        async with client.stream("GET", "/events", headers=headers) as answer:
            if answer.status_code >= 500:
                return
            assert answer.status_code == 200, await answer.aread()
            async for event in EventSource(answer).aiter_sse():
                if not event.data:  # the time to wait before it comes again
                    continue
                self.seen.append(event.json()["id"])
                self.cursor = event.id
                most -= 1
                if not most:
                    return


async def write(clients: Sequence[httpx.AsyncClient], seed: int, count: int) -> None:
    """So many events of random items, at any of the servers; one that fails is not tried again."""
    random = Random(seed)
    for number in range(count):
        url = f"/items/i{random.randrange(40)}"
        with suppress(httpx.HTTPError):
            await random.choice(clients).put(url, json={"size": number})


async def all_ids(client: httpx.AsyncClient) -> list[str]:
    """Of all events that the log has, in the order of its pages."""
    answer = await client.get("/events", headers={"accept": "application/jsonl"})
    assert answer.status_code == 200
    return [httpx.Response(200, content=line).json()["id"] for line in answer.text.splitlines()]


async def assert_all_get_every_event_once(
    feeds: Sequence[CutFeed], following: Sequence[asyncio.Task[None]], wanted: Sequence[str]
) -> None:
    """Waits until each feed has as many as there are; those of each partition are in order."""
    async with asyncio.timeout(60):
        while any(len(feed.seen) < len(wanted) for feed in feeds):
            for task in following:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
    for feed in feeds:
        assert sorted(feed.seen) == sorted(wanted)
        for partition in {each.partition("@")[2] for each in wanted}:
            of_one = [each for each in feed.seen if each.endswith(f"@{partition}")]
            assert of_one == [each for each in wanted if each.endswith(f"@{partition}")]
