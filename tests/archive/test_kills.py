"""kill -9 at every step of seal, merge, trim and removal: the next one goes on, and all is there.

A process is killed before each thing that it asks the engine or the archive, which is after the one
before has happened.
"""

from __future__ import annotations

import secrets
from collections import defaultdict

import pytest
from redis.asyncio import Redis

from itemstore.archive import index_merging, merging, removal, segments, trimming
from itemstore.archive.archive import Archive
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import INDEXES, SEGMENTS
from itemstore.archive.object_store import object_store_of
from itemstore.archive.standing import standing
from itemstore.archive.trimming import Keep
from itemstore.domain.positions import key_of
from itemstore.eventlog.appender import Appender
from tests.archive.killed import Killed, Life, Process
from tests.archive.stores import ITEMS, LOGS, ORDERS, in_archive, in_logs, put
from tests.conftest import ServerOf, emptied
from tests.thorough import EACH

KEEP = Keep(12, 10**9)
ROUNDS = 4


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is small, so that much happens in few rounds."""
    monkeypatch.setattr(segments, "FRAME_EVENTS", 4)
    monkeypatch.setattr(merging, "TOGETHER", 3)
    monkeypatch.setattr(index_merging, "FANOUT", 2)
    monkeypatch.setattr(trimming, "STEP", 3)
    monkeypatch.setattr(removal, "KEPT", 3)
    monkeypatch.setattr(removal, "UNNAMED_SECONDS", 0.0)


class Story:
    """A store in which something happens in each round, and what happened."""

    def __init__(self, redis: Redis, appender: Appender) -> None:
        self.redis = redis
        self.archive = Archive(object_store_of(f"memory://{secrets.token_hex(8)}"), 0)
        self.record: list[Placed] = []
        self._appender = appender

    async def tell(self) -> None:
        """Ten events of both collections."""
        last = self.record[-1][1][0].decode() if self.record else "0-0"
        await put(self._appender, ITEMS, "a", "b", "c", "a", "b")
        await put(self._appender, ORDERS, "a", "b")
        await put(self._appender, ITEMS, "a", "d", "a")
        self.record += await in_logs(self.redis, last)

    def process(self, life: Life) -> Process:
        """One that archives it."""
        return Process(self.redis, self.archive.objects._objects, life)

    async def check(self) -> None:
        """All that happened is there, in the archive, in the engine, or in both."""
        noted = await standing(self.redis, ITEMS)
        assert await in_archive(self.archive) == self.record
        newer = [each for each in self.record if key_of(each[1][0].decode()) > key_of(noted.border)]
        held = await in_logs(self.redis)
        assert held[-len(newer) :] == newer
        for log in LOGS:
            mine = [entry for name, entry in self.record if name == log.collection]
            here = [entry for name, entry in held if name == log.collection]
            assert mine[len(mine) - len(here) :] == here
            assert int(await self.redis.get(log.trimmed) or 0) == len(mine) - len(here)
            histories: defaultdict[bytes, list[bytes]] = defaultdict(list)
            for position, fields in here:
                histories[fields[3]].append(position)
            names = {fields[3] for _, fields in mine}
            for item in names:
                found = await self.redis.lrange(log.history(item.decode()), 0, -1)
                assert found == histories[item]
        await self._check_files()

    async def _check_files(self) -> None:
        manifest = await self.archive.refreshed()
        assert manifest is not None
        assert sum(each.events for each in manifest.indexes) == manifest.events
        named = {file.name for file in manifest.files}
        there = {
            name
            for prefix in (SEGMENTS, INDEXES)
            for name in await self.archive.objects.names(prefix)
        }
        assert named <= there


async def told(redis: Redis, appender: Appender, life: Life) -> Story:
    """A story that a process archives to its end, or until it is killed: then one more round."""
    await redis.flushall()
    story = Story(redis, appender)
    process = story.process(life)
    for _ in range(ROUNDS):
        await story.tell()
        try:
            await process.round(KEEP)
        except Killed:
            process = story.process(Life())
            await process.round(KEEP)
            await story.tell()
            await process.round(KEEP)
            break
    return story


@pytest.mark.parametrize(("engine", "first"), [("valkey", 0), ("redis", 1)])
async def test_a_process_may_be_killed_at_every_step(
    server_of: ServerOf, engine: str, first: int
) -> None:
    """Of some hundred: at every other one on one engine, at those between on the other.

    Of those a third, unless it is to be thorough.
    """
    async with emptied(server_of(engine)) as redis:
        appender, whole = Appender(redis, ITEMS.store), Life()
        story = await told(redis, appender, whole)
        await story.check()
        manifest = await story.archive.refreshed()
        assert manifest is not None
        assert len(manifest.segments) < ROUNDS
        assert len(await in_logs(redis)) < len(story.record) / 2
        assert whole.asked > 100
        for most in range(first, whole.asked, 2 * EACH):
            story = await told(redis, appender, Life(most))
            await story.check()
