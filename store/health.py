"""Whether the store would take a write: one look serves all that ask at once, without a write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from redis.exceptions import ResponseError

from itemstore.archive.standing import Progress
from itemstore.domain.positions import key_of
from itemstore.engine.durability import Acknowledgement, Durability, UnsafeEngine, promised, weakest
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog import readiness
from itemstore.eventlog.readiness import LogEnd, check_replicas
from itemstore.store.archive_progress import archive_progress
from itemstore.store.nodes import not_writable, partitions_by_node
from itemstore.store.store import Store

FRESH_SECONDS = 0.5
"""How long an answer holds: it takes no token to ask, so strangers could ask without end."""

LOOK_SECONDS = 3.0
"""How long each partition may take to say whether it takes a write: all are asked side by side."""

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
    broken, or closed to the engine's user, the sentence begins with its path. Raises NotWritable
    where some of several partitions take none, and UnsafeEngine where that is for a right that is
    lacking.
    """
    looked = await _each_section(store)
    errors = {number: each for number, each in enumerate(looked) if isinstance(each, Exception)}
    for error in errors.values():
        if isinstance(error, UnsafeEngine) or len(looked) == 1:
            raise error
    return _end(store, looked, errors)


async def _each_section(store: Store) -> list[LogEnd | Exception]:
    """Where each of them ends, or why it takes no write: all are looked at side by side."""
    return await asyncio.gather(*map(_looked_at, store.sections))


def _end(
    store: Store, looked: Sequence[LogEnd | Exception], errors: Mapping[int, Exception]
) -> LogEnd:
    if errors:
        raise not_writable(store, errors)
    ends = [each for each in looked if isinstance(each, LogEnd)]
    return max(ends, key=lambda end: key_of(end.position))


async def _looked_at(section: Store) -> LogEnd | Exception:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await _check_section(section)
    except TimeoutError:
        return LogUnavailable("The engine does not answer; try again.")
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return error


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

    Raises UnsafeEngine, which names the node of several, and LogUnavailable.
    """
    by_node = partitions_by_node(store)
    return weakest(
        await asyncio.gather(
            *(
                _promised(store.sections[numbers[0]], wanted, None if len(by_node) == 1 else node)
                for node, numbers in by_node.items()
            )
        )
    )


async def _promised(section: Store, wanted: Acknowledgement, node: str | None) -> Durability:
    try:
        return await promised(section.partition.client, wanted)
    except UnsafeEngine as error:
        if node is None:
            raise
        message = f"The node {node}: {error}"
        raise UnsafeEngine(message) from error


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
        is_over = self._asking is None or self._asking.done()
        if self._asking is None or (is_over and time.monotonic() > self._fresh_until):
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
            if len(self._store.sections) > 1:
                end, promise = await self._look_at_several()
            else:
                end = await check_writable(self._store)
                promise = await promise_of_all(self._store, self._wanted)
                await check_replicas(self._store.partition.client, self._wanted)
            archived = await self._archived()
        except Exception as error:  # noqa: BLE001 - for each that waits
            return error
        return self._appender.not_yet_durable or Readiness(promise, end, archived)

    async def _look_at_several(self) -> tuple[LogEnd, Durability]:
        """The same of several partitions: each of them is asked, and once each of their nodes."""
        store = self._store
        looked = await _each_section(store)
        errors = {n: each for n, each in enumerate(looked) if isinstance(each, Exception)}
        by_node = partitions_by_node(store)
        asked = [
            self._look_at_node(store.sections[numbers[0]])
            for numbers in by_node.values()
            if not errors.keys() & {*numbers}
        ]
        sound = [each for each in by_node.values() if not errors.keys() & {*each}]
        promises = []
        for numbers, found in zip(sound, await asyncio.gather(*asked), strict=True):
            if isinstance(found, Durability):
                promises.append(found)
            else:
                errors |= dict.fromkeys(numbers, found)
        for number, section in enumerate(store.sections):
            if (undurable := section.appender.not_yet_durable) is not None:
                errors.setdefault(number, undurable)
        return _end(store, looked, errors), weakest(promises)

    async def _look_at_node(self, section: Store) -> Durability | Exception:
        """What the node of a partition promises, or why a write to it would not keep that."""
        client = section.partition.client
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await check_replicas(client, self._wanted)
                return await promised(client, self._wanted)
        except TimeoutError:
            return LogUnavailable("The engine does not answer; try again.")
        except Exception as error:  # noqa: BLE001 - it is the outcome
            return error

    async def _archived(self) -> Progress | None:
        """How far the archive is, None where this process has none, or can't say: no write asks."""
        if self._store.is_archived:
            with suppress(LogUnavailable, LogBroken):
                return await archive_progress(self._store)
        return None
