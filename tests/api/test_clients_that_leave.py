"""Clients that leave before they have their answer: the work for them ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from redis.asyncio import Redis

from itemstore.api.app import ItemStore
from itemstore.engine.scripts import Script
from itemstore.eventlog import log_steps, stream
from tests.api.conftest import sent_by


@pytest.fixture
def steps() -> Iterator[list[Any]]:
    """The steps of the engine that reads of the log take."""
    run, taken = log_steps.run, []

    async def counted(client: Redis, script: Script, keys: Sequence[str], *arguments: Any) -> Any:
        if "items:events" in keys:
            taken.append(arguments)
        return await run(client, script, keys, *arguments)

    with ExitStack() as patches:
        for module in (stream, log_steps):
            patches.enter_context(patch.object(module, "run", counted))
            patches.enter_context(patch.object(module, "LOOKED_AT", 10))
        yield taken


@pytest.mark.parametrize(
    "path",
    [
        b"/events?type=ItemDeleted",
        b"/events?type=ItemDeleted&item=a",
        b"/events?type=ItemDeleted&wait=60",
        b"/items/a/versions",
    ],
)
async def test_a_search_ends_when_its_client_has_left(
    app: ItemStore, client: httpx.AsyncClient, steps: list[Any], path: bytes
) -> None:
    """After the step that it is at: nobody waits for the rest of the 50."""
    for _ in range(500):
        await client.put("/items/a", json={})
    steps.clear()

    raw_path, _, query = path.partition(b"?")
    gone = {"type": "http.disconnect"}
    assert await sent_by(app, "GET", raw_path, gone, query=query) == []

    assert len(steps) <= 3
