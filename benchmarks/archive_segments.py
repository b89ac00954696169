"""How many reads of the archive an old version costs, by the number of its segments."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence
from statistics import mean
from typing import Any

from benchmarks.archive_history import History
from benchmarks.measure import say
from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.index_merging import merged_index, runs_to_merge
from itemstore.archive.indexes import IndexBuilder, runs_of
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import IndexInfo, SegmentInfo
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.places import objects_at
from itemstore.archive.segments import segment_of

SEGMENTS = (10, 1_000)

EVENTS_EACH = 100

READS = 100


class CountingStore(ObjectStore):
    """Objects in memory, and how many parts of them were read."""

    def __init__(self) -> None:
        super().__init__(objects_at(f"memory://{secrets.token_hex(8)}"))
        self.reads = 0

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of an object."""
        self.reads += 1
        return await super().get_range(name, offset, length)


def measure(numbers: Sequence[int] = SEGMENTS) -> list[dict[str, Any]]:
    """Reads that a version costs: with nothing in memory, and after others."""
    return [asyncio.run(_measured(number)) for number in numbers]


async def _measured(segments: int) -> dict[str, Any]:
    history = History(items=200, events=segments * EVENTS_EACH)
    objects = CountingStore()
    indexes = await _fill(objects, history, segments)
    chance = random.Random(2026)
    numbers = [chance.randrange(history.events) for _ in range(READS)]
    cold = [await _reads(objects, history, [each]) for each in numbers]
    warm = await _reads(objects, history, numbers)
    found = {
        "segments": segments,
        "indexes": indexes,
        "first": mean(cold),
        "first_at_most": max(cold),
        "of_many": warm / READS,
    }
    say(f"{found}")
    return found


async def _reads(objects: CountingStore, history: History, numbers: Sequence[int]) -> int:
    """Reads of the versions that these events made, by a process that has just started."""
    archive = Archive(objects, 64 << 20)
    past = ArchivedPast(archive)
    await archive.refreshed()
    before = objects.reads
    for number in numbers:
        position, _, item, version, _ = history.event(number)
        positions = await past.positions("items", item, version - 1, 1)
        [entry] = await past.entries_at("items", positions)
        if entry != _placed(history, number)[1]:
            message = f"the archive has another event at {position}"
            raise RuntimeError(message)
    return objects.reads - before


async def _fill(objects: ObjectStore, history: History, segments: int) -> int:
    """Makes so many segments, and merges their indexes as a store does; how many of these."""
    archive = Archive(objects, 64 << 20)
    first = await archive.begin("benchmark")
    made: list[SegmentInfo] = []
    indexes: list[IndexInfo] = []
    for number in range(segments):
        numbers = range(number * EVENTS_EACH, (number + 1) * EVENTS_EACH)
        placed = [_placed(history, each) for each in numbers]
        builder = IndexBuilder()
        builder.add(placed)
        segment, index = segment_of(placed), builder.finish()
        await objects.put_new(segment.info.name, segment.data)
        made.append(segment.info)
        if index:
            await objects.put_new(index.info.name, index.data)
            indexes.append(index.info)
        while runs := runs_to_merge(runs_of(indexes)):
            start, count = indexes.index(runs[0][0]), sum(map(len, runs))
            merged = [file async for file in merged_index(archive, runs)]
            for file in merged:
                await objects.put_new(file.info.name, file.data)
            indexes[start : start + count] = [file.info for file in merged]
    await archive.publish(first.followed_by(made, indexes))
    return len(indexes)


def _placed(history: History, number: int) -> Placed:
    position, kind, item, version, body = history.event(number)
    fields = (b"type", kind.encode(), b"item", item.encode(), b"version", b"%d" % version)
    return "items", (position.encode(), [*fields, b"data", body, b"meta", b"{}"])
