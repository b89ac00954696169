"""How many partitions a store has is written down at its first start, and never another number."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.domain.commands import PutItem
from itemstore.engine.connect import connect
from itemstore.engine.errors import LogBroken
from itemstore.engine.local_cluster import LocalCluster
from itemstore.store.layout import WrongPartitions
from itemstore.store.opening import open_store, open_to_serve
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.conftest import Start, contents


def settings(url: str, partitions: int | None = None, namespace: str | None = None) -> Settings:
    """Those of a store on the engine at a URL."""
    return Settings(redis_url=url, partitions=partitions, namespace=namespace, sql_url="off")


async def partitions_after(given: Settings) -> int:
    """With how many partitions a store is served that was opened with these settings."""
    async with open_to_serve(given) as store:
        assert store.settings.partitions == len(store.sections)
        return len(store.sections)


async def held(url: str) -> dict[bytes, object]:
    """All that the engine has."""
    async with connect(url) as client:
        return await contents(client)


async def test_a_store_has_as_many_as_at_its_first_start(start: Start) -> None:
    """Without the setting it is opened with what it has, by a process and by a command."""
    url = start("valkey").url

    assert await partitions_after(settings(url, 4)) == 4
    assert await partitions_after(settings(url)) == 4
    async with open_store(settings(url)) as store:
        assert [section.keys.front for section in store.sections] == ["{0}", "{1}", "{2}", "{3}"]
    assert (await held(url))[b"{0}:itemstore:layout"][b"partitions"] == b"4"  # type: ignore[index]


async def test_a_store_of_one_has_the_keys_that_it_always_had(start: Start) -> None:
    """Nothing in it says how many partitions it has, and none of its keys has a hash tag."""
    url = start("valkey").url

    assert await partitions_after(settings(url)) == 1
    assert await partitions_after(settings(url, 1)) == 1
    found = await held(url)
    assert not [key for key in found if b"{" in key]
    assert {*found[b"itemstore:layout"]} == {b"log", b"collection:items"}  # type: ignore[misc]


@pytest.mark.parametrize(("first", "then"), [(4, 8), (4, 1), (1, 4), (None, 4)])
async def test_another_number_is_refused_and_nothing_is_written(
    start: Start, first: int | None, then: int
) -> None:
    """The sentence says how many it has, and the way to another number."""
    url = start("valkey").url
    had = await partitions_after(settings(url, first))
    before = await held(url)

    for opening in (open_store, open_to_serve):
        with pytest.raises(WrongPartitions) as refusal:
            async with opening(settings(url, then)):
                pytest.fail("it was opened")
        assert f"The store has {had} partition" in str(refusal.value)
        assert "`itemstore export`" in str(refusal.value)
    assert await held(url) == before


async def test_another_namespace_is_another_store(start: Start) -> None:
    """Two stores share an engine, each with a number of its own."""
    url = start("valkey").url

    assert await partitions_after(settings(url, 4)) == 4
    assert await partitions_after(settings(url, 2, "shop")) == 2
    assert await partitions_after(settings(url, None, "other")) == 1
    assert await partitions_after(settings(url, None, "shop")) == 2
    assert b"shop:{0}:itemstore:layout" in await held(url)


async def test_a_namespace_with_a_hash_tag_is_for_one_partition(start: Start) -> None:
    """It keeps all keys in one slot, so several partitions would be none."""
    url = start("valkey").url

    assert await partitions_after(settings(url, None, "{shop}")) == 1
    with pytest.raises(WrongPartitions, match="hash tag"):
        await partitions_after(settings(url, 4, "{shop}"))


@pytest.mark.parametrize("numbers", [(1, 4), (4, 1), (2, 4)])
async def test_of_two_that_start_at_once_with_other_numbers_one_is_refused(
    start: Start, numbers: tuple[int, int]
) -> None:
    """However they come between each other: the store has one number, and nothing of the other."""
    url = start("valkey").url
    async with connect(url) as client:
        for _ in range(20):
            await client.flushall()
            outcomes = await asyncio.gather(
                *(partitions_after(settings(url, each)) for each in numbers),
                return_exceptions=True,
            )
            refused = [each for each in outcomes if isinstance(each, WrongPartitions)]
            [served] = [each for each in outcomes if isinstance(each, int)]
            assert len(refused) == 1
            assert f"The store has {served} partition" in str(refused[0])
            assert await partitions_after(settings(url)) == served


async def test_a_number_that_is_none_is_told_and_kept(start: Start) -> None:
    """Somebody else wrote there."""
    url = start("valkey").url
    async with connect(url) as client:
        await client.hset("{0}:itemstore:layout", "partitions", "many")
        before = await contents(client)

        with pytest.raises(LogBroken, match="'many'"):
            await partitions_after(settings(url))
        assert await contents(client) == before


async def test_who_may_not_see_keys_of_partitions_has_a_store_of_one(start: Start) -> None:
    """As the engine's users were given their rights before there were such."""
    server = start("valkey")
    async with connect(server.url) as client:
        for word in ("resetkeys", "~items:*", "~itemstore:*"):
            await client.execute_command("ACL", "SETUSER", "default", word)  # type: ignore[no-untyped-call]

    assert await partitions_after(settings(server.url)) == 1


async def test_an_application_with_a_client_has_what_the_store_has(tmp_path: Path) -> None:
    """The setting says how many a new one has; then it is as it is, and another is refused."""
    engine = FakeServer()

    async def begun(partitions: int | None) -> Store:
        given = Settings(partitions=partitions, data_dir=tmp_path, sql_url="off")
        app = create_app(given, redis=FakeAsyncRedis(server=engine))
        async with app.router.lifespan_context(app):
            assert app.context is not None
            await app.context.store.collections["items"].log.append(PutItem("fox", b"{}"))
            return app.context.store

    assert len((await begun(4)).sections) == 4
    assert len((await begun(None)).sections) == 4
    with pytest.raises(WrongPartitions, match="8"):
        await begun(8)
    assert sorted(await FakeAsyncRedis(server=engine).keys("*:items:events")) == [
        b"{0}:items:events"
    ]


async def test_a_new_store_on_a_cluster_has_sixteen(cluster: LocalCluster) -> None:
    """Where nothing else is said; and what is written down is at the node of partition 0."""
    assert await partitions_after(settings(cluster.url)) == 16
    assert await partitions_after(settings(cluster.nodes[1].url)) == 16
    with pytest.raises(WrongPartitions, match="16 partitions, and ITEMSTORE_PARTITIONS says 4"):
        await partitions_after(settings(cluster.url, 4))
    assert await partitions_after(settings(cluster.url, 4, "shop")) == 4


async def test_one_partition_on_a_cluster_wants_a_hash_tag(cluster: LocalCluster) -> None:
    """Its keys would be on several nodes."""
    with pytest.raises(WrongPartitions, match=r"\{items\}"):
        await partitions_after(settings(cluster.url, 1))
    assert await partitions_after(settings(cluster.url, 1, "{items}")) == 1
    assert await partitions_after(settings(cluster.url, None, "{items}")) == 1
