"""Sealing: what is new in the logs is copied into the archive, in segments that never change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic

from redis.asyncio import Redis

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.frames import RAW_BYTES
from itemstore.archive.giving_way import give_way
from itemstore.archive.indexes import IndexBuilder, IndexFile
from itemstore.archive.lines import Placed
from itemstore.archive.log_slices import slices
from itemstore.archive.manifest import Manifest
from itemstore.archive.publishing import Publishing
from itemstore.archive.segments import FRAME_EVENTS, SegmentFile, SegmentWriter
from itemstore.archive.standing import have_events, standing
from itemstore.domain.positions import key_of
from itemstore.eventlog.keys import Keys

MOST_EVENTS = 50_000
"""Events in a new segment, about: more than that are sealed in several."""

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of events in a new segment, about."""

AT_ONCE = 250
"""Events that a thread adds to a segment before it lets others go on."""

REST, NO_REST = 1.0, 0.0
"""After each slice that was read nothing is read for so many times as long as it took: what is
archived again and again costs writes little so. One that is behind doesn't rest."""


class TakenBack(Exception):
    """The logs lack what was read from them a moment ago: another engine has taken over."""

    def __init__(self) -> None:
        super().__init__(
            "The log has lost events that were being archived: another engine has taken over. "
            "They are read again."
        )


@dataclass(frozen=True, slots=True)
class Copied:
    """A segment and its index that were made, and the last of the entries."""

    segment: SegmentFile
    index: IndexFile | None
    last: Placed


async def copied(
    client: Redis, logs: Sequence[Keys], after: str, up_to: str, *, rest: float = REST
) -> Copied | None:
    """The next events of the logs as a segment, None where there are none up to a position.

    Raises TakenBack, LogUnavailable and LogBroken.
    """
    writer, index = SegmentWriter(logs[0].partition), IndexBuilder()

    def add(entries: Sequence[Placed]) -> None:
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            writer.add(some)
            index.add(some)
            give_way()

    ends: list[Placed] = []
    waiting: list[Placed] = []
    last: Placed | None = None
    size = waiting_bytes = 0
    began = monotonic()
    async with aclosing(slices(client, logs, after, up_to)) as found:
        async for some in found:
            waiting += some.entries
            waiting_bytes += some.bytes
            ends += some.ends
            last = waiting[-1]
            size += some.bytes
            if len(waiting) >= FRAME_EVENTS or waiting_bytes >= RAW_BYTES:
                await asyncio.to_thread(add, waiting)
                waiting, waiting_bytes = [], 0
            if writer.events + len(waiting) >= MOST_EVENTS or size >= MOST_BYTES:
                break
            await asyncio.sleep(rest * (monotonic() - began))
            began = monotonic()
    await asyncio.to_thread(add, waiting)
    if last is None:
        return None
    keys = {log.collection: log for log in logs}
    if not all(await have_events(client, [(keys[name], entry) for name, entry in ends])):
        raise TakenBack
    noted = await standing(client, logs[0])
    if key_of(noted.claimed) < key_of(up_to):
        raise TakenBack  # one that knows of no claim may have put something before what was read
    segment = await asyncio.to_thread(writer.finish)
    return Copied(segment, await asyncio.to_thread(index.finish), last)


async def sealed(
    publishing: Publishing, archive: Archive, manifest: Manifest, new: Copied
) -> Manifest:
    """The manifest that has a new segment after those of another. Raises Outrun and more."""

    def added(newest: Manifest) -> Manifest:
        if newest.last != manifest.last:
            raise Outrun("Another process has sealed the same events.")
        indexes = [] if new.index is None else [new.index.info]
        return newest.followed_by([*newest.segments, new.segment.info], [*newest.indexes, *indexes])

    for file in (new.segment, new.index):
        if file is not None:
            await archive.objects.put_new(file.info.name, file.data)
    return await publishing.publish(added)
