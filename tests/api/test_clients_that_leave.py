"""Clients that leave before they have their answer: the work for them ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from itemstore.api.app import ItemStore
from itemstore.engine.scripts import Script
from itemstore.eventlog import stream
from itemstore.eventlog.stream import Stream
from tests.api.conftest import sent_by


@pytest.fixture
def steps() -> Iterator[list[Any]]:
    """The steps of the engine that reads of the log take."""
    run, taken = Stream._run, []

    async def counted(stream: Stream, script: Script, key: str, *arguments: Any) -> Any:
        if key == stream.keys.events:
            taken.append(arguments)
        return await run(stream, script, key, *arguments)

    with patch.object(Stream, "_run", counted), patch.object(stream, "LOOKED_AT", 10):
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
