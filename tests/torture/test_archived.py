"""What is read of archive and streams, without the store's code, and what is found wrong in it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.archive.archive import Archive
from itemstore.archive.lines import Placed
from itemstore.archive.object_store import object_store_of
from tests.archive.archives import fill, in_parts
from tests.archive.entries import history
from tests.torture import archived
from tests.torture.archived import Place, whole_log

EVENTS, BORDER = 40, 25


@pytest.fixture
def redis() -> FakeAsyncRedis:
    """An engine."""
    return FakeAsyncRedis(server=FakeServer())


@pytest.fixture
async def place(redis: FakeAsyncRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An archive of all, and an engine that has the last of it."""
    monkeypatch.setattr(archived, "PATIENCE", 0.1)
    placed = history(EVENTS, items=1)
    await fill(Archive(object_store_of(tmp_path), 0), in_parts(placed, 10))
    for each in placed[BORDER:]:
        await _append(redis, each)
    await redis.set("items:trimmed", BORDER)
    standing: dict[Any, Any] = {
        name: placed[at - 1][1][0] for name, at in (("border", BORDER), ("sealed", EVENTS))
    }
    await redis.hset("itemstore:archive", mapping=standing)
    return Place.in_directory(tmp_path)


async def test_a_whole_log_is_put_together(redis: FakeAsyncRedis, place: Place) -> None:
    """What is up to the border is from the archive, the rest from the stream."""
    whole = await whole_log(redis, place, ["items"])
    assert whole.complaints == []
    assert [entry.version for entry in whole.log] == [*range(1, EVENTS + 1)]
    assert {entry.item for entry in whole.log} == {"items/item 0"}


async def test_a_segment_that_was_altered_is_found(redis: FakeAsyncRedis, place: Place) -> None:
    """By its digest."""
    file = random.choice(_segments(place))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    whole = await whole_log(redis, place, ["items"])
    assert any("the digest of" in complaint for complaint in whole.complaints)


async def test_an_event_that_the_stream_lost_is_found(redis: FakeAsyncRedis, place: Place) -> None:
    """Against the archive."""
    entries: Any = await redis.xrange("items:events")
    await redis.xdel("items:events", entries[1][0])
    complaints = (await whole_log(redis, place, ["items"])).complaints
    assert any(each.startswith("the archive differs from the log") for each in complaints)


async def test_an_archive_that_is_behind_is_found(redis: FakeAsyncRedis, place: Place) -> None:
    """It does not reach the last event."""
    await _append(redis, history(1, items=1, first=EVENTS)[0])
    complaints = (await whole_log(redis, place, ["items"])).complaints
    assert any("the archive is at 1039-0, and the log at (1040, 0)" in each for each in complaints)


async def test_what_was_trimmed_is_counted(redis: FakeAsyncRedis, place: Place) -> None:
    """As the key says."""
    await redis.incr("items:trimmed")
    complaints = (await whole_log(redis, place, ["items"])).complaints
    assert complaints == [f"items: {BORDER + 1} trimmed and 15 in the stream, {EVENTS} in all"]


async def _append(redis: FakeAsyncRedis, placed: Placed) -> None:
    _, (position, fields) = placed
    pairs: dict[Any, Any] = dict(zip(fields[::2], fields[1::2], strict=True))
    await redis.xadd("items:events", pairs, id=position)


def _segments(place: Place) -> list[Path]:
    return [*(Path(place.environment["ITEMSTORE_ARCHIVE"]) / "segments").iterdir()]
