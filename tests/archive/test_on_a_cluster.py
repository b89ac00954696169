"""A store of 16 partitions on a real cluster is archived while one of its nodes is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from itemstore.archive.archive import Archive
from itemstore.domain.partitions import key_slot
from itemstore.engine.clients import clients_of
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.progress import unreported
from itemstore.store.archive_place import archives_at
from itemstore.store.opening import store_on
from itemstore.store.restore import restore_all
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from itemstore.store.verify import Verifying
from tests.archive.divided import NAMES, at_work, fill, has_all, in_archive, in_logs
from tests.clusters import empty, go_on, pause, primary_of, replicas_of

PARTITIONS = 16

SECONDS = 40


@asynccontextmanager
async def opened(
    cluster: LocalCluster, place: Path | str, **others: object
) -> AsyncIterator[Store]:
    """The store, as a process that serves has it."""
    settings = Settings.model_validate(
        {"archive": str(place), "archive_seconds": 0.1, "partitions": PARTITIONS, "sql_url": "off"}
        | others
    )
    async with clients_of(cluster.url, is_served=True) as clients:
        yield store_on(clients, settings, names=NAMES)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something holds; that it can't be said now is passed over."""
    async with asyncio.timeout(SECONDS):
        while True:
            with suppress(LogUnavailable):
                if await holds():
                    return
            await asyncio.sleep(0.1)


def archive_in(section: Store) -> Archive:
    """That of a partition."""
    assert section.archive is not None
    return section.archive


async def test_a_failover_of_one_node_takes_back_what_that_one_has_lost_and_nothing_else(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """What its replica never got, although it was archived; the rest stays, and all goes on."""
    async with opened(cluster, tmp_path) as store:
        await fill(store, 200, items=80)
        async with at_work(store):
            await until(lambda: has_all(store))
            primary = primary_of(cluster, key_slot(store.sections[0].keys.layout))
            [replica] = replicas_of(cluster, primary)
            pause(replica)
            primary.ask("CLIENT", "KILL", "TYPE", "replica")
            had = {number: await in_logs(each) for number, each in enumerate(store.sections)}
            await fill(store, 200, seed=2, items=80)
            await until(lambda: has_all(store))
            has = {number: await in_logs(each) for number, each in enumerate(store.sections)}
            gone = {
                number
                for number, each in enumerate(store.sections)
                if primary_of(cluster, key_slot(each.keys.layout)) is primary
            }
            primary.kill()
            go_on(replica)
            replica.ask("CLUSTER", "FAILOVER", "TAKEOVER")
            primary.start()
            cluster.wait_until_ok()
            await until(lambda: has_all(store))
            for number, section in enumerate(store.sections):
                wanted = had[number] if number in gone else has[number]
                assert await in_archive(archive_in(section)) == wanted
                taken_back = await archive_in(section).objects.names("taken-back/")
                assert bool(taken_back) == (wanted != has[number])
            await fill(store, 100, seed=3, items=80)
            await until(lambda: has_all(store))
        verified = await Verifying(store, BUILT_IN, None).run(unreported)
        assert not verified.verdicts.in_archive
        assert not [one for one in verified.verdicts.whole.differences if one.where == "log"]
    assert 0 < len(gone) < PARTITIONS


@pytest.mark.parametrize("keep", [100, 10**6])
async def test_a_store_is_restored_into_a_cluster(
    cluster: LocalCluster, tmp_path: Path, keep: int
) -> None:
    """From the archive that it had on another; it goes on with that."""
    async with opened(cluster, tmp_path) as store:
        await fill(store, 400, items=80)
        async with at_work(store):
            await until(lambda: has_all(store))
        before = [await in_logs(section) for section in store.sections]
        digest = (await Verifying(store, BUILT_IN, None).run(unreported)).verdicts.whole.digest
    empty(cluster)
    async with opened(cluster, tmp_path, keep_events=keep) as store:
        sources = archives_at(str(tmp_path), PARTITIONS, 1 << 20)
        async for _ in restore_all(store, sources, None, unreported):
            pass
        assert [await in_logs(section) for section in store.sections] == before
        verified = await Verifying(store, BUILT_IN, None).run(unreported)
        assert (verified.verdicts.whole.digest, verified.verdicts.in_archive) == (digest, [])
        async with at_work(store):
            await fill(store, 50, seed=4, items=80)
            await until(lambda: has_all(store))
