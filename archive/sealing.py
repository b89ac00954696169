"""Sealing: what is new in the logs is copied into the archive, in segments that never change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.indexes import IndexBuilder, IndexFile
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest
from itemstore.archive.publishing import Publishing
from itemstore.archive.segments import SegmentFile, SegmentWriter
from itemstore.archive.standing import have_events
from itemstore.domain.positions import key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_steps import part_of_logs
from itemstore.eventlog.reader import Part, Within

MOST_EVENTS = 50_000
"""Events in a new segment, about: more than that are sealed in several."""

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of events in a new segment, about."""

REST = 1
"""After each slice that was read nothing is read for so many times as long as it took."""


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


async def copied(client: Redis, logs: Sequence[Keys], after: str, up_to: str) -> Copied | None:
    """The next events of the logs as a segment, None where there are none up to a position.

    Raises TakenBack, LogUnavailable and LogBroken.
    """
    writer, index = SegmentWriter(), IndexBuilder()

    def add(entries: list[Placed]) -> None:
        writer.add(entries)
        index.add(entries)

    ends: list[Placed] = []
    size = 0
    while writer.events < MOST_EVENTS and size < MOST_BYTES:
        heed_cancellation()
        began = asyncio.get_running_loop().time()
        part = await part_of_logs(client, logs, after, Within())
        some = _not_after(part, up_to)
        if not some:
            break
        await asyncio.to_thread(add, some)
        ends.append(some[-1])
        size += part.bytes
        after = some[-1][1][0].decode()
        if part.is_end or len(some) < len(part.entries):
            break
        await asyncio.sleep(REST * (asyncio.get_running_loop().time() - began))
    if not ends:
        return None
    keys = {log.collection: log for log in logs}
    if not all(await have_events(client, [(keys[name], entry) for name, entry in ends])):
        raise TakenBack
    segment = await asyncio.to_thread(writer.finish)
    return Copied(segment, await asyncio.to_thread(index.finish), ends[-1])


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


def _not_after(part: Part, up_to: str) -> list[Placed]:
    placed = list(zip(part.collections, part.entries, strict=True))
    last = key_of(up_to)
    while placed and key_of(placed[-1][1][0].decode()) > last:
        placed.pop()
    return placed
