"""What is done before a store is served, with the partitions that answer; the others come later.

Partition 0 has to answer: what belongs to the whole store is there. See docs/decisions/0097.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from itemstore.engine.durability import Durability, UnsafeEngine
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.reminders import Reminders
from itemstore.eventlog.side_by_side import in_time
from itemstore.store.half_restored import HalfRestored, refuse_half_restored
from itemstore.store.known_collections import remember, unnamed_collections
from itemstore.store.layout import write_down
from itemstore.store.look import LOOK_SECONDS, NOBODY, Away, promise_of_all, promise_of_one
from itemstore.store.nodes import node_of
from itemstore.store.store import Store

PAUSE = 1.0
"""Seconds between two looks whether a partition is back that was away at the start."""

logger = logging.getLogger(__name__)


async def reach(store: Store) -> Away:
    """Waits until what each partition has is as durable as wanted; those that are away, and why.

    Raises LogUnavailable where that is the first, or the only one; UnsafeEngine, LogFull,
    LogBroken, and HalfRestored where the store is not complete.
    """
    if not store.has_partitions:
        await _reach(store)
        return NOBODY
    asked = (in_time(_reach(section), LOOK_SECONDS) for section in store.sections)
    found = dict(enumerate(await asyncio.gather(*asked)))
    away = {number: error for number, error in found.items() if error is not None}
    if 0 in away:
        raise away[0]
    return away


async def _reach(section: Store) -> None:
    await refuse_half_restored(section.partition.client, section.keys)
    await section.appender.settle()


async def promise_of(store: Store, away: Away) -> Durability:
    """What the engine promises, and that it keeps what the settings want.

    Of several nodes, what the weakest does of those that are there. Raises UnsafeEngine and
    LogUnavailable.
    """
    return await promise_of_all(store, store.settings.acknowledgement, away)


async def begin(store: Store) -> None:
    """Writes down how many partitions a new store has, before there is anything in it.

    Raises WrongPartitions where another process was faster, with another number; LogUnavailable or
    LogFull where it is to have several and that can't be written down; LogBroken.
    """
    client = store.partition.client
    is_one_engine = all(each.partition.client is client for each in store.sections)
    try:
        await write_down(client, store.settings, is_one_engine=is_one_engine)
    except (LogUnavailable, LogFull):
        if store.has_partitions:
            raise


@asynccontextmanager
async def begun(store: Store, away: Away) -> AsyncIterator[None]:
    """A block in which a store is served; partitions that are `away` begin as soon as they answer.

    Each has the store's collections written down; which it had and does not serve is logged. Where
    the engine takes no writes now, the next start writes it down. Raises LogBroken, and what
    `begin` does.
    """
    await begin(store)
    with suppress(LogUnavailable, LogFull):
        await remember(store, store.collections)
    with suppress(LogUnavailable, LogFull):
        for name, count in (await unnamed_collections(store)).items():
            told = {"collection": name, "events": count}
            logger.warning("A collection has events and is not served", extra=told)
    late = [asyncio.create_task(_begin_late(store, number)) for number in away]
    try:
        yield
    finally:
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _begin_late(store: Store, number: int) -> None:
    """Does for a partition, once it is back, what is done for the others at the start."""
    section, reminders = store.sections[number], Reminders()
    while True:
        await asyncio.sleep(PAUSE)
        try:
            await _reach(section)
            await promise_of_one(section, store.settings.acknowledgement, node_of(store, number))
            await remember(section, section.collections)
        except LogUnavailable:  # that it is away was said, and /readyz goes on saying it
            continue
        except (HalfRestored, LogBroken, LogFull, UnsafeEngine) as error:
            if reminders.is_due(str(error)):
                told = {"partition": number, "reason": str(error)}
                logger.warning("A partition that was away is not as it should be", extra=told)
        else:
            logger.info(
                "A partition that was away at the start is there", extra={"partition": number}
            )
            return


def events_of(count: int) -> str:
    """A number of events in words."""
    return "1 event" if count == 1 else f"{count:,} events"
