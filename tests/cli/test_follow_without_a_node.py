"""`tail --follow` on a store of which a part is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from redis.asyncio import Redis

from itemstore.cli import follow
from itemstore.cli.events import View
from itemstore.cli.follow import Follower
from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.engine.nodes import Node
from itemstore.store.beginning import begun
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.conftest import PATIENCE, Start
from tests.store.test_health import items_in

TWO = Settings(partitions=2, sql_url="off")


@dataclass
class OnTwo:
    """Clients of two engines, with a partition each."""

    engines: list[Redis]
    is_cluster: bool = True

    def of(self, tag: str | None) -> Redis:
        """The client for the keys with this hash tag."""
        assert tag is not None
        return self.engines[int(tag)]

    def address_of(self, tag: str | None) -> str | None:
        """Nowhere."""

    async def nodes(self) -> list[Node]:
        """None that has an address."""
        return []


async def test_the_others_are_followed_while_a_partition_is_away(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is said once, and what comes in it is shown when it is back: each event once."""
    servers = [start("valkey"), start("valkey")]
    shown: list[str] = []
    said = ""

    async def until(*sizes: int) -> None:
        nonlocal said
        async with asyncio.timeout(2 * PATIENCE):
            while len(shown) < len(sizes):
                output, errors = capsys.readouterr()
                shown.extend(output.splitlines())
                said += errors
                await asyncio.sleep(0.02)
        assert sorted(json.loads(line)["data"]["size"] for line in shown) == sorted(sizes)

    async with connect(servers[0].url) as one, connect(servers[1].url) as other:
        store = store_on(OnTwo([one, other]), TWO)

        @asynccontextmanager
        async def opened(_: Settings) -> AsyncIterator[Store]:
            yield store

        async def put(number: int, size: int) -> None:
            command = PutItem(items_in(number, 2), b'{"size":%d}' % size)
            await store.collections["items"].log.append(command)

        monkeypatch.setattr(follow, "open_store", opened)
        monkeypatch.setattr(follow, "watch_the_reader", lambda: None)
        monkeypatch.setattr(follow, "LOOK_AGAIN", 0.1)
        async with begun(store, {}):
            await put(0, 1)
            await put(1, 2)
        view = partial(View.of, names=None, as_json=True)
        following = asyncio.create_task(Follower(TWO, view).run("0-0"))
        await until(1, 2)
        servers[1].kill()
        await put(0, 3)
        await until(1, 2, 3)
        async with asyncio.timeout(PATIENCE):
            while "Some partitions are away" not in said:
                said += capsys.readouterr().err
                await asyncio.sleep(0.02)
        servers[1] = start("valkey", servers[1].directory)
        await put(0, 4)
        async with asyncio.timeout(2 * PATIENCE):
            await put(1, 5)
        await until(1, 2, 3, 4, 5)
        assert said.count("Some partitions are away") == 1
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
