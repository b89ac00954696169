"""Reading on where a log's older part is in the archive, and its newer one in the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.past import BeforeBorder, Past, PastUnavailable
from itemstore.eventlog.reader import Part, Within
from itemstore.tracing import spans

Step = Callable[[str, Within], Awaitable[Part]]
"""A step of the engine: the next entries after a position. Raises BeforeBorder."""

NO_ARCHIVE = (
    "What came up to {} is in the archive, and this process knows of none: set ITEMSTORE_ARCHIVE "
    "to where it is."
)


def known_past(past: Past | None, up_to: str) -> Past:
    """The past, where there is one. Raises PastUnavailable."""
    if past is None:
        raise PastUnavailable(NO_ARCHIVE.format(up_to), retry_after=60)
    return past


@spans.traced("read events")
async def part_after(
    step: Step, past: Past | None, collections: Sequence[str], after: str, within: Within
) -> Part:
    """The next entries after a position, wherever they are: both, where they come to the border."""
    try:
        return await step(after, within)
    except BeforeBorder as error:
        up_to = error.border
    past = known_past(past, up_to)
    async with past.asking():
        older = await past.part_after(collections, after, up_to, within)
    if not older.is_end:
        return older
    left = replace(
        within,
        entries=within.entries - len(older.entries),
        looked=within.looked - older.looked,
        bytes=within.bytes - older.bytes,
    )
    if left.entries <= 0:
        return replace(older, position=older.entries[-1][0].decode(), is_end=False)
    if left.looked <= 0 or left.bytes <= 0:
        return replace(older, is_end=False)
    try:
        newer = await step(up_to, left)
    except BeforeBorder:  # it has moved on
        return replace(older, position=up_to, is_end=False)
    return Part(
        older.entries + newer.entries,
        newer.position,
        older.looked + newer.looked,
        newer.is_end,
        [*older.collections, *newer.collections],
        newer.partition,
    )


async def parts_after(
    step: Callable[[str], AsyncGenerator[Part, None]],
    past: Past | None,
    collections: Sequence[str],
    after: str,
) -> AsyncGenerator[Part, None]:
    """All entries after a position, wherever they are, to the end of the log.

    `step` gives those that the engine has, until that raises BeforeBorder.
    """
    while True:
        try:
            async with aclosing(step(after)) as newer:
                async for part in newer:
                    after = part.position
                    yield part
        except BeforeBorder as error:
            up_to = error.border
        else:
            return
        async with aclosing(known_past(past, up_to).slices(collections, after, up_to)) as older:
            async for part in older:
                after = part.position
                yield part
        after = up_to


async def before_last(
    newest: Sequence[str], up_to: str, past: Past | None, collections: Sequence[str], count: int
) -> str:
    """The position after which the last `count` events are, START where there are no more.

    `newest` are those of the last events in the streams, the newest first, one more than `count`
    of them where there are that many; `up_to` is the border as of after that.
    """
    newer = [each for each in newest if key_of(each) > key_of(up_to)]
    if len(newer) > count:
        return newer[count]
    if up_to == START:
        return START
    past = known_past(past, up_to)
    async with past.asking():
        return await past.before_last(collections, count - len(newer), up_to)
