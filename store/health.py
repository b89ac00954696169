"""Whether the store would take a write: one look serves all that ask at once, without a write."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from redis.exceptions import ResponseError

from itemstore.archive.standing import Progress
from itemstore.domain.positions import key_of
from itemstore.engine.durability import Acknowledgement, Durability, UnsafeEngine, promised, weakest
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog import readiness
from itemstore.eventlog.readiness import LogEnd, check_replicas
from itemstore.store.archiver import archive_progress
from itemstore.store.store import Store

FRESH_SECONDS = 0.5
"""How long an answer holds: it takes no token to ask, so strangers could ask without end."""

SETTLE_SECONDS = 1.0
"""Seconds between two looks whether what was not durable in time is so by now."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a write can count on now: how durable it will be, and where the log ends.

    `archive` says how far the archive is, None where there is none.
    """

    durability: Durability
    end: LogEnd
    archive: Progress | None


async def check_writable(store: Store) -> LogEnd:
    """Where the log ends, if a write would be taken in each partition of each of the collections.

    It raises as readiness.check_writable does; where it is one of several collections that is
    broken, or closed to the engine's user, the sentence begins with its path.
    """
    ends = await asyncio.gather(*map(_check_section, store.sections))
    return max(ends, key=lambda end: key_of(end.position))


async def _check_section(store: Store) -> LogEnd:
    ends = []
    for each in store.collections.values():
        try:
            ends.append(await readiness.check_writable(each.partition))
        except (LogBroken, UnsafeEngine) as error:
            if len(store.collections) == 1:
                raise
            message = f"{each.path}: {error}"
            raise type(error)(message) from error
        except LogUnavailable as error:
            if len(store.collections) == 1 or not isinstance(error.__cause__, ResponseError):
                raise
            raise LogUnavailable(f"{each.path}: {error}", error.retry_after) from error.__cause__
    return max(ends, key=lambda end: key_of(end.position))


async def promise_of_all(store: Store, wanted: Acknowledgement) -> Durability:
    """What the engine's settings promise; of the nodes that have partitions, the weakest's do.

    Raises UnsafeEngine and LogUnavailable.
    """
    clients = {section.partition.client for section in store.sections}
    return weakest([await promised(client, wanted) for client in clients])


class Health:
    """Whether one store is ready for writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._appender = store.appender
        self._disk = store.disk
        self._wanted = store.settings.acknowledgement
        self._fresh_until = 0.0
        self._asking: asyncio.Future[Readiness | Exception] | None = None

    async def readiness(self) -> Readiness:
        """What a write can count on, as of FRESH_SECONDS ago at most.

        Raises LogUnavailable, LogFull, LogBroken or UnsafeEngine where a write would not be taken,
        and NotYetDurable where the last one was not as durable as wanted, or the next can't be.
        """
        self._disk.check()
        if self._asking is None or time.monotonic() > self._fresh_until:
            self._fresh_until = time.monotonic() + FRESH_SECONDS
            self._asking = asyncio.ensure_future(self._look())
        answer = await asyncio.shield(self._asking)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def keep_settling(self) -> None:
        """Tries, where a write was not as durable as wanted, whether it is so by now."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            with suppress(LogUnavailable, LogFull):
                await self._appender.settle_what_is_not()

    async def _look(self) -> Readiness | Exception:
        try:
            end = await check_writable(self._store)
            promise = await promise_of_all(self._store, self._wanted)
            for section in self._store.sections:
                await check_replicas(section.partition.client, self._wanted)
            archived = await self._archived()
        except Exception as error:  # noqa: BLE001 - for each that waits
            return error
        return self._appender.not_yet_durable or Readiness(promise, end, archived)

    async def _archived(self) -> Progress | None:
        """How far the archive is, None where this process has none, or can't say: no write asks."""
        if self._store.archive is not None:
            with suppress(LogUnavailable, LogBroken):
                return await archive_progress(self._store)
        return None
