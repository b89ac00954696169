"""What the tests of the archive share: places for one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.object_store import ObjectStore, object_store_of
from itemstore.eventlog.appender import Appender
from tests.archive.s3_server import S3Server, running_s3
from tests.archive.stores import ITEMS, archiving_of


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server for all."""
    with running_s3() as server:
        yield server


@pytest.fixture(params=["memory", "directory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Objects in each kind of place in turn, none yet."""
    if request.param == "memory":
        return object_store_of(f"memory://{secrets.token_hex(8)}")
    return object_store_of(tmp_path / "archive")


@pytest.fixture
def archive(objects: ObjectStore) -> Archive:
    """An archive in each kind of place in turn, with nothing in it."""
    return Archive(objects, cache_bytes=1 << 20)


@pytest.fixture
def appender(redis: Redis) -> Appender:
    """The way into a store on each engine in turn."""
    return Appender(redis, ITEMS.store)


@pytest.fixture
def work(redis: Redis, archive: Archive) -> Archiving:
    """What archives that store."""
    return archiving_of(redis, archive)
