"""A store is restored from a bucket, also where that fails one request in three."""

from __future__ import annotations

import secrets

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.projections.progress import unreported
from itemstore.store.restore import restore
from tests.archive.faulty_s3 import FaultyS3
from tests.archive.s3_server import S3Server, environment_for
from tests.archive.whole_stores import PREPARED, archived, entries_of, store_on, with_history


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
