"""One look at a store: where each of its partitions ends, and whether it takes a write."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import ResponseError

from itemstore.domain.positions import key_of
from itemstore.engine.acknowledgement import Acknowledgement
from itemstore.engine.durability import Durability, UnsafeEngine, promised, weakest
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog import readiness
from itemstore.eventlog.readiness import LogEnd, check_replicas
from itemstore.store.nodes import not_writable, partitions_by_node
from itemstore.store.store import Store

LOOK_SECONDS = 3.0
"""How long each partition may take to say whether it takes a write: all are asked side by side."""

Away = Mapping[int, LogUnavailable]
"""Why partitions with these numbers are not reached."""

NOBODY: Away = {}


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a store: where partitions end, by number, and why others take no write."""

    store: Store
    ends: Mapping[int, LogEnd]
    errors: Mapping[int, Exception]
    promises: Sequence[Durability] = ()

    @property
    def end(self) -> LogEnd:
        """The end that is last, if a write would be taken in each partition.

        Raises the error of an only one, and NotWritable where some of several take none.
        """
        if self.errors and not self.store.has_partitions:
            raise self.errors[0]
        if self.errors:
            raise not_writable(self.store, self.errors)
        return max(self.ends.values(), key=lambda end: key_of(end.position))

    @property
    def durability(self) -> Durability:
        """What the weakest of the nodes promises."""
        return weakest(self.promises) if self.promises else Durability("unknown")


async def look_at(store: Store, wanted: Acknowledgement) -> Look:
    """Asks each of the partitions whether it takes a write, and once each node what it promises."""
    looked = await _each_section(store)
    ends, errors = looked.ends, dict(looked.errors)
    nodes = [each for each in partitions_by_node(store).values() if not errors.keys() & {*each}]
    asked = (_look_at_node(store.sections[numbers[0]], wanted) for numbers in nodes)
    promises = []
    for numbers, found in zip(nodes, await asyncio.gather(*asked), strict=True):
        if isinstance(found, Durability):
            promises.append(found)
        else:
            errors |= dict.fromkeys(numbers, found)
    for number, section in enumerate(store.sections):
        if (undurable := section.appender.not_yet_durable) is not None:
            errors.setdefault(number, undurable)
    return Look(store, ends, errors, promises)


async def check_writable(store: Store, away: Away = NOBODY) -> LogEnd:
    """Where the log ends, if a write would be taken in each partition of each of the collections.

    Those that are known to be `away` are not asked. It raises as readiness.check_writable does;
    where it is one of several collections that is broken, or closed to the engine's user, the
    sentence begins with its path. Raises NotWritable where some of several partitions take none,
    and UnsafeEngine where that is for a right that is lacking.
    """
    looked = await _each_section(store, away)
    for error in looked.errors.values():
        if isinstance(error, UnsafeEngine):
            raise error
    return looked.end


async def _each_section(store: Store, away: Away = NOBODY) -> Look:
    asked = {number: each for number, each in enumerate(store.sections) if number not in away}
    looked = await asyncio.gather(*map(_looked_at, asked.values()))
    ends, errors = {}, dict[int, Exception](away)
    for number, found in zip(asked, looked, strict=True):
        if isinstance(found, LogEnd):
            ends[number] = found
        else:
            errors[number] = found
    return Look(store, ends, errors)


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


async def promise_of_all(store: Store, wanted: Acknowledgement, away: Away = NOBODY) -> Durability:
    """What the engine's settings promise; of the nodes that have partitions, the weakest's do.

    The node of a partition that is `away` is not asked. Raises UnsafeEngine, which names the node
    of several, and LogUnavailable.
    """
    by_node = partitions_by_node(store)
    asked = []
    for node, numbers in by_node.items():
        if there := [number for number in numbers if number not in away]:
            section = store.sections[there[0]]
            asked.append(promise_of_one(section, wanted, None if len(by_node) == 1 else node))
    return weakest(await asyncio.gather(*asked))


async def promise_of_one(section: Store, wanted: Acknowledgement, node: str | None) -> Durability:
    """What the settings of a partition's node promise. Raises as promise_of_all does."""
    try:
        return await promised(section.partition.client, wanted)
    except UnsafeEngine as error:
        if node is None:
            raise
        message = f"The node {node}: {error}"
        raise UnsafeEngine(message) from error


async def _look_at_node(section: Store, wanted: Acknowledgement) -> Durability | Exception:
    """What the node of a partition promises, or why a write to it would not keep that."""
    client = section.partition.client
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            promise = await promised(client, wanted)
            await check_replicas(client, wanted)
    except TimeoutError:
        return LogUnavailable("The engine does not answer; try again.")
    except Exception as error:  # noqa: BLE001 - it is the outcome
        return error
    return promise
