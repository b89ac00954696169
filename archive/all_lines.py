"""All events of archives as lines, those of several partitions merged in the order of positions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from itertools import takewhile

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.lines import line_of, partition_in_id
from itemstore.archive.manifest import Manifest
from itemstore.archive.whole import partition_of_archive
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.reader import Part

Line = tuple[tuple[int, int], bytes]
"""What it is ordered by, and the line without its end."""


async def all_lines(
    archives: Sequence[tuple[Archive, Manifest]],
) -> AsyncGenerator[list[bytes], None]:
    """The lines of all events that manifests name, about a mebibyte of each archive at a time.

    In the order of their positions; at the same one in that of the archives. Raises PastUnavailable
    and PastDamaged.
    """
    async with AsyncExitStack() as stack:
        sources = [
            _Source(await stack.enter_async_context(aclosing(_parts_of(archive, manifest))))
            for archive, manifest in archives
        ]
        while True:
            await asyncio.gather(*(each.fill() for each in sources))
            going_on = [each.lines[-1][0] for each in sources if not each.is_at_end]
            up_to = min(going_on, default=None)
            some = [line for each in sources for line in each.taken(up_to)]
            if len(sources) > 1:
                some.sort(key=_key)
            if some:
                yield [line for _, line in some]
            elif up_to is None:
                return


@dataclass(slots=True)
class _Source:
    """What was read of an archive and is not given yet."""

    parts: AsyncGenerator[list[Line], None]
    lines: list[Line] = field(default_factory=list)
    is_at_end: bool = False

    async def fill(self) -> None:
        """Has at least one line, unless it is at its end."""
        while not (self.lines or self.is_at_end):
            found = await anext(self.parts, None)
            self.lines, self.is_at_end = found or [], found is None

    def taken(self, up_to: tuple[int, int] | None) -> Iterator[Line]:
        """The lines up to a key, all without one: they are gone from here."""
        some = self.lines
        if up_to is not None:
            some = [*takewhile(lambda line: line[0] <= up_to, self.lines)]
        self.lines = self.lines[len(some) :]
        yield from some


def _key(line: Line) -> tuple[int, int]:
    return line[0]


async def _parts_of(archive: Archive, manifest: Manifest) -> AsyncGenerator[list[Line], None]:
    names = sorted({name for segment in manifest.segments for name in segment.counts})
    partition = partition_in_id(partition_of_archive(manifest.archive))
    async with aclosing(ArchivedPast(archive).slices(names, START, manifest.last)) as parts:
        async for part in parts:
            yield await asyncio.to_thread(_lines_of, part, partition)


def _lines_of(part: Part, partition: bytes) -> list[Line]:
    return [
        (key_of(position.decode()), line_of(position, fields, collection, partition))
        for (position, fields), collection in zip(part.entries, part.collections, strict=True)
    ]
