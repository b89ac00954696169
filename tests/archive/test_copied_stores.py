"""A store that was copied with its engine's data, and is served with the archive of the other."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from itemstore.archive import segments
from itemstore.archive.archive import Archive
from itemstore.archive.belonging import NotItsArchive
from itemstore.archive.trimming import Keep
from itemstore.domain.positions import START
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.past import PastUnavailable, border
from itemstore.eventlog.reader import Within
from itemstore.store.own_past import OwnPast
from tests.archive.stores import ITEMS, again, archiving_of, fail_over, in_archive, put, snapshot


async def test_events_of_a_copy_are_not_taken_for_those_of_the_store(
    redis: Redis, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy has put its own in the place of those that the store has trimmed."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 5)
    appender = Appender(redis, ITEMS.store)
    await put(appender, ITEMS, *("a" for _ in range(10)), body=b"1")
    await archiving_of(redis, archive).seal()
    copy = await snapshot(redis)
    await put(appender, ITEMS, *("a" for _ in range(20)), body=b"2")
    work = archiving_of(redis, archive)
    await work.seal()
    assert await work.trim(Keep(2, 10**9)) > 0
    past = OwnPast(again(archive), redis, ITEMS.store)
    up_to = await border(redis, ITEMS.store)
    own = await past.part_after(["items"], START, up_to, Within(100))
    store = await snapshot(redis)

    await fail_over(redis, copy)
    await put(Appender(redis, ITEMS.store), ITEMS, *("a" for _ in range(20)), body=b"3")
    await archiving_of(redis, again(archive)).seal()
    of_copy = await in_archive(archive)

    await fail_over(redis, store)
    assert await past.part_after(["items"], START, up_to, Within(100)) == own
    with pytest.raises(PastUnavailable, match="another store"):
        await OwnPast(again(archive), redis, ITEMS.store).count("items", up_to)
    with pytest.raises(NotItsArchive, match="another store"):
        await archiving_of(redis, again(archive)).seal()
    assert await in_archive(again(archive)) == of_copy
