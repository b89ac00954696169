"""The live feed of several collections: one order under many writers, with nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from random import Random
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource

from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.transaction import Addressed
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.conftest import Start
from tests.server.conftest import Serve

NAMES = ("orders", "products", "notes")

QUERIES = (
    "", "source=/orders", "source=/notes,/orders", "item=a", "source=/products&type=ItemCreated",
    "type=ItemUpdated&item=b",
)  # fmt: skip

Event = dict[str, Any]


class Follower:
    """One that takes a few events, goes away, and comes back for those after the last one."""

    def __init__(self, client: httpx.AsyncClient, query: str, seed: int) -> None:
        self._client = client
        self._query = query
        self._random = Random(seed)
        self.seen: list[Event] = []

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            headers = {"accept": "text/event-stream"}
            if self.seen:
                headers["last-event-id"] = self.seen[-1]["id"]
            most = self._random.choice([1, 5, 50, 1000])
            url = f"/events?{self._query}"
            async with self._client.stream("GET", url, headers=headers) as answer:
                assert answer.status_code == 200
                async for event in EventSource(answer).aiter_sse():
                    if event.data:
                        self.seen.append(event.json())
                        assert (event.id, event.event) == (
                            self.seen[-1]["id"],
                            self.seen[-1]["type"],
                        )
                        most -= 1
                    if most == 0:
                        break


def asked_for(query: str, events: Sequence[Event]) -> list[Event]:
    """Those of the events that a query asks for."""
    wanted = httpx.QueryParams(query)
    return [
        event
        for event in events
        if ("source" not in wanted or event["source"] in wanted["source"].split(","))
        and event["type"] == wanted.get("type", event["type"])
        and event["subject"] == wanted.get("item", event["subject"])
    ]


async def put_alone(client: httpx.AsyncClient, seed: int) -> None:
    """Writes items of all collections through the API."""
    random = Random(seed)
    for number in range(40):
        path = f"/{random.choice(NAMES)}/{random.choice('abcde')}"
        (await client.put(path, json={"n": number})).raise_for_status()


async def put_together(store: Store, seed: int) -> None:
    """Writes a few items of several collections at a time."""
    random = Random(seed)
    for number in range(40):
        commands = [
            Addressed(
                store.collections[random.choice(NAMES)].partition.keys,
                PutItem(random.choice("abcde"), b"%d" % number),
            )
            for _ in range(random.randrange(2, 9))
        ]
        await store.appender.append_together(commands)


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_followers_get_what_happens_in_all_collections_once_and_in_order(
    serve: Serve, start: Start, kind: str
) -> None:
    """With two processes of the API, writers of single items and of transactions, and resumes."""
    engine = start(kind)
    collections = ",".join(f"{name}=any" for name in NAMES)
    server = serve("--redis-url", engine.url, "--workers", "2", "--collections", collections)
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=20) as client,
        connect(engine.url) as redis,
    ):
        store = Store.on(redis, Settings(), DiskSpace(), names=NAMES)
        followers = [Follower(client, query, seed) for seed, query in enumerate(2 * QUERIES)]
        following = [asyncio.create_task(each.run()) for each in followers]
        await asyncio.gather(
            *(put_alone(client, seed) for seed in range(4)),
            *(put_together(store, seed) for seed in range(4)),
        )
        events = (await client.get("/events?limit=1000")).json()
        while (page := await client.get(f"/events?limit=1000&after={events[-1]['id']}")).json():
            events += page.json()
        expected = [asked_for(query, events) for query in 2 * QUERIES]
        async with asyncio.timeout(30):
            while any(
                len(each.seen) < len(wanted)
                for each, wanted in zip(followers, expected, strict=True)
            ):
                assert not any(task.done() for task in following), following
                await asyncio.sleep(0.05)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    assert [each.seen for each in followers] == expected
    runs = [key for key, _ in groupby(event.get("transaction") for event in events) if key]
    assert len(runs) == len(set(runs)) == 160
    assert len(events) == 160 + sum("transaction" in event for event in events)
