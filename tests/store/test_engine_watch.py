"""What a process says of the engine, and of the nodes of its partitions: each thing once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from itemstore.engine.errors import LogUnavailable
from itemstore.store import engine_watch
from tests.logged import all_told


class Nodes:
    """Which node has each of three partitions; None where that one is away."""

    def __init__(self) -> None:
        self.now: list[str | None] = ["a:1", "b:1", "b:1"]
        self.last = list(self.now)
        self.looks = 0

    async def positions(self, partitions: object) -> list[Any]:
        """What a look at all of them gives."""
        del partitions
        self.looks += 1
        self.last = [now or last for now, last in zip(self.now, self.last, strict=True)]
        return [LogUnavailable("It is away.") if now is None else "0-0" for now in self.now]

    def node_of(self, _store: object, number: int) -> str | None:
        """The node that has it."""
        return self.last[number]

    async def seen(self, *now: str | None) -> None:
        """The nodes are these from now on, and that was seen, twice."""
        self.now = [*now]
        until = self.looks + 3
        while self.looks < until:
            await asyncio.sleep(0.005)


async def test_another_node_that_took_over_is_said_once_with_its_partitions(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And one that is lost and comes back as another is said to have been taken over."""
    nodes = Nodes()
    monkeypatch.setattr(engine_watch, "LOOK", 0.005)
    monkeypatch.setattr(engine_watch, "last_positions", nodes.positions)
    monkeypatch.setattr(engine_watch, "node_of", nodes.node_of)
    store: Any = SimpleNamespace(sections=[SimpleNamespace(partition=n) for n in range(3)])
    caplog.set_level("INFO", logger="itemstore")
    watching = asyncio.create_task(engine_watch.EngineWatch(store).keep_watching())
    try:
        await nodes.seen("a:1", "b:1", "b:1")
        assert not all_told(caplog)
        await nodes.seen("a:1", None, None)
        await nodes.seen("a:1", "c:1", "c:1")
        await nodes.seen("a:1", "c:1", "c:1")
    finally:
        watching.cancel()
    lost, moved, back = all_told(caplog)
    assert (lost["event"], lost["node"], lost["partitions"]) == ("The engine is lost", "b:1", "1,2")
    assert lost["reason"] == "It is away."
    assert moved == {
        "event": "Another node has taken over",
        "node": "c:1",
        "before": "b:1",
        "partitions": "1,2",
    }
    assert (back["event"], back["node"], back["partitions"]) == ("The engine is back", "c:1", "1,2")
