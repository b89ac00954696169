"""The events that a projection has set aside: shown, marked to be tried again, dropped."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from itemstore.domain.cursors import event_id, position_in
from itemstore.domain.positions import key_of
from itemstore.engine.one_trip import sound
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import replies_of


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was set aside: its `id`, why, when (UTC), and how often it was tried before.

    `again` says whether it is to be tried again.
    """

    collection: str
    id: str
    type: str
    item: str
    version: int
    tries: int
    reason: str
    time: str
    again: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


async def dead_letters(partitions: Sequence[Partition], projection: str) -> list[DeadLetter]:
    """Those of all of these logs, the oldest events of each first.

    Raises LogUnavailable, LogBroken.
    """
    commands = [
        (each, command)
        for each in partitions
        for command in (
            ("HGETALL", each.keys.dead_letters(projection)),
            ("LRANGE", each.keys.retries(projection), 0, -1),
        )
    ]
    found = sound(await replies_of(commands))
    letters: list[DeadLetter] = []
    for partition, texts, again in zip(partitions, found[::2], found[1::2], strict=True):
        letters += _letters(partition.keys.collection, texts, {*again})
    return letters


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Some of them, how many there are in all, and the id after which there are more, if any."""

    letters: Sequence[DeadLetter]
    total: int
    next: str | None


async def page_of(
    partitions: Sequence[Partition], projection: str, after: str | None, limit: int
) -> LetterPage:
    """At most so many of those of all of these logs, after an event, the oldest events first.

    Raises LogUnavailable, LogBroken.
    """
    keys = [(each, ("HKEYS", each.keys.dead_letters(projection))) for each in partitions]
    there = sorted(
        (_order(_id(partition, place)), number, place)
        for number, (partition, places) in enumerate(
            zip(partitions, sound(await replies_of(keys)), strict=True)
        )
        for place in places
        if position_in(place.decode(errors="replace")) is not None
    )
    later = [each for each in there if after is None or each[0] > _order(after)]
    page = later[:limit]
    chosen: dict[int, list[bytes]] = {}
    for _, number, place in page:
        chosen.setdefault(number, []).append(place)
    letters = []
    for number, places in chosen.items():
        letters += await _letters_at(partitions[number], projection, places)
    letters.sort(key=lambda each: _order(each.id))
    more = _id(partitions[page[-1][1]], page[-1][2]) if len(later) > len(page) else None
    return LetterPage(letters, len(there), more)


async def _letters_at(
    partition: Partition, projection: str, places: Sequence[bytes]
) -> list[DeadLetter]:
    """Those at these positions that have not been forgotten meanwhile."""
    of = partition.keys
    texts, again = sound(
        await replies_of(
            [
                (partition, ("HMGET", of.dead_letters(projection), *places)),
                (partition, ("LRANGE", of.retries(projection), 0, -1)),
            ]
        )
    )
    there = {place: text for place, text in zip(places, texts, strict=True) if text is not None}
    return _letters(of.collection, there, {*again})


def _order(event: str) -> tuple[tuple[int, int], int]:
    """Where an event stands among those of all partitions: by position, then by partition."""
    position, _, number = event.partition("@")
    return key_of(position), int(number or 0)


async def retry(
    partitions: Sequence[Partition], projection: str, ids: Collection[str] | None
) -> list[str]:
    """Has those with these ids tried again by whoever follows the log; which these are.

    All of them where `ids` is None. Raises LogUnavailable, LogBroken.
    """
    marked = []
    for partition, places in await _places(partitions, projection, ids):
        key = partition.keys.retries(projection)
        with translated():
            known: Any = await partition.client.lrange(key, 0, -1)
            if new := [place for place in places if place not in known]:
                await partition.client.rpush(key, *new)
        marked += [_id(partition, place) for place in places]
    return marked


async def drop(
    partitions: Sequence[Partition], projection: str, ids: Collection[str] | None
) -> list[str]:
    """Forgets those with these ids, or all of them; which these were.

    The events stay in the log. Raises LogUnavailable, LogBroken.
    """
    dropped = []
    for partition, places in await _places(partitions, projection, ids):
        for place in places:
            await forget(partition, projection, place.decode())
        dropped += [_id(partition, place) for place in places]
    return dropped


def tries_in(letter: bytes) -> int:
    """How often the event was tried of which this is noted; 0 where that can't be read."""
    with suppress(ValueError, TypeError, KeyError):  # somebody put something else there
        return int(json.loads(letter)["tries"])
    return 0


async def forget(partition: Partition, projection: str, place: str) -> None:
    """Forgets the one at a position."""
    with translated():
        await partition.client.hdel(partition.keys.dead_letters(projection), place)
        await partition.client.lrem(partition.keys.retries(projection), 0, place)


async def resume(partitions: Iterable[Partition], projection: str) -> bool:
    """Has it tried again at once, where it has stopped or waits; whether it did in any of them."""
    has_waited = False
    for partition in partitions:
        key = partition.keys.handled(projection)
        with translated():
            has_waited |= bool(await partition.client.hdel(key, "stopped", "next"))
    return has_waited


async def _places(
    partitions: Sequence[Partition], projection: str, ids: Collection[str] | None
) -> list[tuple[Partition, list[bytes]]]:
    """The positions of those with these ids, in each partition that has some."""
    found = []
    for partition in partitions:
        with translated():
            there: Any = await partition.client.hkeys(partition.keys.dead_letters(projection))
        places = [each for each in there if ids is None or _id(partition, each) in ids]
        if places:
            found.append((partition, sorted(places, key=lambda each: key_of(each.decode()))))
    return found


def _id(partition: Partition, place: bytes) -> str:
    return event_id(place.decode(), partition.keys.partition)


def _letters(collection: str, texts: dict[bytes, bytes], again: set[bytes]) -> list[DeadLetter]:
    letters = []
    for place in sorted(texts, key=lambda each: key_of(each.decode())):
        with suppress(ValueError, TypeError):  # somebody put something else there
            noted = json.loads(texts[place])
            letters.append(DeadLetter(collection, **noted, again=place in again))
    return letters
