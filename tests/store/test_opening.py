"""A store is opened in one place: which engine, with which client, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from itemstore.domain.commands import PutItem
from itemstore.engine.connect import NotAnEngineUrl, connect
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.embedded import DataDirectoryInUse
from itemstore.store.opening import NoStore, open_store, open_to_serve
from itemstore.store.settings import Settings
from tests.conftest import Start


async def test_a_command_makes_no_store_by_accident(tmp_path: Path) -> None:
    """It says where it looked, and leaves nothing there."""
    data_dir = tmp_path / "data"

    with pytest.raises(NoStore, match=str(data_dir)):
        async with open_store(Settings(data_dir=data_dir)):
            pytest.fail("it was opened")

    assert not data_dir.exists()


async def test_a_command_shares_the_engine_of_a_process_that_serves(tmp_path: Path) -> None:
    """What one appends the other reads; a second process can't serve the same directory."""
    settings = Settings(data_dir=tmp_path / "data")
    async with open_to_serve(settings) as served:
        recorded = await served.collections["items"].log.append(PutItem("fox", b"{}"))
        async with open_store(settings) as store:
            assert not store.is_own
            assert await store.feed.reader.last_position() == recorded.position
        with pytest.raises(DataDirectoryInUse):
            async with open_to_serve(settings):
                pytest.fail("it was opened")
    async with open_store(settings) as store:
        assert store.is_own
        assert await store.feed.reader.last_position() == recorded.position


@pytest.mark.parametrize("url", ["http://localhost", "redis://a:b@c@d/e@f", "redis://h?x=1"])
async def test_what_is_no_url_of_an_engine_is_refused_for_all(url: str) -> None:
    """Before anything is connected to, and nothing of it is said again."""
    for opening in (open_store, open_to_serve):
        with pytest.raises(NotAnEngineUrl) as refusal:
            async with opening(Settings(redis_url=url)):
                pytest.fail("it was opened")
        assert url not in str(refusal.value)


async def test_an_engine_that_could_drop_events_is_not_served(start: Start) -> None:
    """The sentence says what to set. A command that reads may look all the same."""
    settings = Settings(redis_url=start("valkey").url)
    async with connect(settings.redis_url or "") as client:
        await client.config_set("maxmemory", "100mb")
        await client.config_set("maxmemory-policy", "allkeys-lru")

    with pytest.raises(UnsafeEngine, match="noeviction"):
        async with asyncio.timeout(5), open_to_serve(settings):
            pytest.fail("it was opened")
    async with open_store(settings) as store:
        assert await store.collections["items"].items.get("fox") is None
