"""A store is restored from a bucket, also where that fails one request in three."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.projections.progress import unreported
from itemstore.store.archive_place import archives_at
from itemstore.store.restore import restore, restore_all
from tests.archive.divided import at_work, divided, fill, has_all, in_logs
from tests.archive.faulty_s3 import FaultyS3
from tests.archive.s3_server import S3Server, environment_for
from tests.archive.whole_stores import PREPARED, archived, entries_of, store_on, with_history
from tests.conftest import PATIENCE


async def test_a_store_is_restored_from_a_bucket_that_fails_one_request_in_three(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it goes on with the archive that is there."""
    url = f"{s3_server.bucket(f'bucket-{secrets.token_hex(8)}')}/shop"
    async with FaultyS3(s3_server.url) as proxy:
        for name, value in environment_for(proxy.url).items():
            monkeypatch.setenv(name, value)
        place = object_store_of(url)
        source = await with_history(120)
        entries = await archived(source, Archive(place, 1 << 20))
        proxy.faults.failing = proxy.faults.lost = 1 / 6
        settings = PREPARED.model_copy(update={"keep_events": 20})
        redis = FakeAsyncRedis(server=FakeServer())
        store = store_on(redis, Archive(place, 1 << 20), settings)
        async for _ in restore(store, Archive(place, 1 << 20), None, unreported):
            pass
        assert await entries_of(store) == entries


async def test_a_store_of_several_partitions_is_archived_in_a_bucket_and_restored_from_it(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In folders of one path, of which nobody reads another's."""
    url = f"{s3_server.bucket(f'bucket-{secrets.token_hex(8)}')}/shop"
    for name, value in environment_for(s3_server.url).items():
        monkeypatch.setenv(name, value)
    source = divided(FakeAsyncRedis(server=FakeServer()), url, 12)
    await fill(source, 60)
    async with at_work(source):
        async with asyncio.timeout(PATIENCE):
            while not await has_all(source):
                await asyncio.sleep(0.1)
    names = {name.split("/")[1] for name in await object_store_of(url.rpartition("/")[0]).names("")}
    assert names == {"partitions.json", *map(str, range(12))}
    store = divided(FakeAsyncRedis(server=FakeServer()), url, 12, keep_events=24)
    async for _ in restore_all(store, archives_at(url, 12, 1 << 20), None, unreported):
        pass
    for section, was in zip(store.sections, source.sections, strict=True):
        assert await in_logs(section) == await in_logs(was)
