"""All logs of a store at once: what changed in any of them is seen with one small command.

Of a store with several partitions each has an order, and a last position, of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from itemstore.domain.positions import START
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.log_steps import extents
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import ABOUT_BYTES, Extent
from itemstore.eventlog.side_by_side import grouped, of_sections, replies_of, section_of

_HAVE_MORE = Script(lua(__package__, "entries", "have_more"))


async def last_position(partition: Partition) -> str:
    """The last position given in the store, START where none was. Raises LogUnavailable, LogBroken.

    It moves with every event, in whichever log.
    """
    with translated():
        position: Any = await partition.client.get(partition.keys.store.position)
    return _position(position)


async def last_positions(partitions: Sequence[Partition]) -> list[str | Exception]:
    """The same of each partition, or why it can't be said, with one command each.

    Raises LogUnavailable where all are on one engine, which is away.
    """
    commands = [(each, ("GET", each.keys.store.position)) for each in partitions]
    found = await replies_of(commands)
    return [each if isinstance(each, Exception) else _position(each) for each in found]


async def have_more(places: Sequence[tuple[Partition, str]]) -> list[bool]:
    """For each log and position, whether the log has something after it, or can't be read.

    Logs without anything cost next to nothing. Raises LogUnavailable.
    """
    sections = grouped([partition for partition, _ in places], section_of)
    if len(sections) <= 1:
        return await _have_more(places)
    answers: dict[int, bool] = {}
    for section in sections:
        found = await _have_more([places[place] for place in section])
        answers |= zip(section, found, strict=True)
    return [answers[place] for place in range(len(places))]


async def _have_more(places: Sequence[tuple[Partition, str]]) -> list[bool]:
    answers: list[bool] = []
    while len(answers) < len(places):
        left = places[len(answers) :]
        looked, *found = await left[0][0].run(
            _HAVE_MORE,
            keys=[partition.keys.events for partition, _ in left],
            args=[ABOUT_BYTES, *(position for _, position in left)],
        )
        answers += [number in found for number in range(1, looked + 1)]
    return answers


async def extents_or_reasons(
    partitions: Sequence[Partition],
) -> list[Extent | LogBroken | LogUnavailable]:
    """Where each log begins and ends, or why that can't be said.

    Raises LogUnavailable where all are in one partition, whose engine is away.
    """
    return await of_sections(partitions, _extents)


async def _extents(partitions: Sequence[Partition]) -> Sequence[Extent | LogBroken]:
    """Those of logs in one partition."""
    try:
        return await extents(partitions[0].client, [each.keys for each in partitions])
    except LogBroken:  # one of them: the others are asked each by itself
        return await asyncio.gather(*map(_extent, partitions))


async def _extent(partition: Partition) -> Extent | LogBroken:
    try:
        return await partition.reader.extent()
    except LogBroken as error:
        return error


def _position(found: Any) -> str:
    position: str = START if found is None else found.decode(errors="replace")
    return position
