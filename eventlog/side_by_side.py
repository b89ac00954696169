"""Several partitions asked the same: those of one engine together, several engines side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis

from itemstore.engine.errors import LogUnavailable
from itemstore.engine.one_trip import replies
from itemstore.eventlog.partition import Partition

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

SECONDS = 0.8
"""After so long one of several engines is taken to be away: those that are there are told of."""

AT_ONCE = 8
"""Partitions of one engine that are asked at once, each over a connection."""

Command = Sequence[Any]


async def of_sections(
    partitions: Sequence[Partition], ask: Callable[[Sequence[Partition]], Awaitable[Sequence[T]]]
) -> list[T | LogUnavailable]:
    """What is asked of each partition, all collections of one number together.

    Where some of several numbers can't be reached, LogUnavailable stands in their places. Where
    there is only one, it is raised.
    """
    groups = grouped(partitions, section_of)
    if len(groups) <= 1:
        return [*await ask(partitions)] if partitions else []
    turns: dict[int, asyncio.Semaphore] = {}

    async def asked(places: Sequence[int]) -> Sequence[T]:
        section = [partitions[place] for place in places]
        async with turns.setdefault(id(section[0].client), asyncio.Semaphore(AT_ONCE)):
            return await ask(section)

    return await _together(groups, asked)


async def replies_of(asked: Sequence[tuple[Partition, Command]]) -> list[Any]:
    """The replies to commands, each asked of its partition: those of one engine at one moment.

    Where one fails, what that means is in its place, and where some of several engines can't be
    reached, LogUnavailable. Where there is only one, it is raised.
    """
    clients = [partition.client for partition, _ in asked]
    groups = grouped(clients, id)

    async def answered(places: Sequence[int]) -> Sequence[Any]:
        return await replies(clients[places[0]], [asked[place][1] for place in places])

    if len(groups) <= 1:
        return [*await answered(range(len(asked)))] if asked else []
    return await _together(groups, answered)


def section_of(partition: Partition) -> tuple[int, str, int | None]:
    """What partitions have in common that a script may look at together."""
    keys = partition.keys
    return id(partition.client), keys.namespace, keys.partition


def clients_in(partitions: Iterable[Partition]) -> list[Redis]:
    """The clients by which partitions are reached, each once."""
    return [*{id(each.client): each.client for each in partitions}.values()]


def grouped(all_of_them: Sequence[T], key: Callable[[T], K]) -> list[list[int]]:
    """The places of those that have the same key, by key, in their order."""
    places: dict[K, list[int]] = {}
    for place, each in enumerate(all_of_them):
        places.setdefault(key(each), []).append(place)
    return [*places.values()]


async def _together(
    groups: Sequence[Sequence[int]], ask: Callable[[Sequence[int]], Awaitable[Sequence[T]]]
) -> list[T | LogUnavailable]:
    """What came of each group, put back to its places."""

    async def asked(places: Sequence[int]) -> Sequence[T] | LogUnavailable:
        return await in_time(ask(places))  # a task that ends before it begins has asked nothing

    found = await asyncio.gather(*map(asked, groups))
    answers: dict[int, T | LogUnavailable] = {}
    for places, answer in zip(groups, found, strict=True):
        for number, place in enumerate(places):
            answers[place] = answer if isinstance(answer, LogUnavailable) else answer[number]
    return [answers[place] for place in sorted(answers)]


async def in_time(asking: Awaitable[T], seconds: float = SECONDS) -> T | LogUnavailable:
    """What comes of asking one of several; why it is away, where it does not answer in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except LogUnavailable as error:
        return error
    except TimeoutError:
        return LogUnavailable(f"A node gives no answer within {seconds:g} s.")
