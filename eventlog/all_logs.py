"""All logs of a store at once: what changed in any of them is seen with one small command."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from itemstore.domain.positions import START
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.log_steps import extents
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import ABOUT_BYTES, Extent

_HAVE_MORE = Script(lua(__package__, "entries", "have_more"))


async def last_position(partition: Partition) -> str:
    """The last position given in the store, START where none was. Raises LogUnavailable, LogBroken.

    It moves with every event, in whichever log.
    """
    with translated():
        position: Any = await partition.client.get(partition.keys.store.position)
    return START if position is None else position.decode(errors="replace")


async def have_more(places: Sequence[tuple[Partition, str]]) -> list[bool]:
    """For each log and position, whether the log has something after it, or can't be read.

    Logs without anything cost next to nothing. Raises LogUnavailable.
    """
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


async def extents_or_reasons(partitions: Sequence[Partition]) -> list[Extent | LogBroken]:
    """Where each log begins and ends, or why that can't be said. Raises LogUnavailable."""
    if not partitions:
        return []
    try:
        return [*await extents(partitions[0].client, [each.keys for each in partitions])]
    except LogBroken:  # one of them: the others are asked each by itself
        return await asyncio.gather(*map(_extent, partitions))


async def _extent(partition: Partition) -> Extent | LogBroken:
    try:
        return await partition.reader.extent()
    except LogBroken as error:
        return error
