"""Trying events again that were set aside, once each time that somebody asks for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from itemstore.domain.events import RecordedEvent
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.projections.own.dead_letters import forget, tries_in
from itemstore.projections.own.delivery import Answer, Outcome
from itemstore.projections.own.events import decoded, now_text
from itemstore.projections.own.state import letter_of


async def tried_again(
    partition: Partition,
    projection: str,
    places: Sequence[str],
    hand: Callable[[RecordedEvent], Awaitable[Answer]],
    seconds: float,
) -> None:
    """Hands events over once more, for so many seconds; those that are taken are forgotten.

    What was handed over and not noted yet is handed over again. Raises LogUnavailable, LogBroken.
    """
    until = time.monotonic() + seconds
    for place in places:
        recorded = await _event_at(partition, place)
        if recorded is not None:
            answer = await hand(recorded)
            if answer.outcome is not Outcome.TAKEN:
                await _note(partition, projection, recorded, answer.reason)
                continue
            with translated():
                key = partition.keys.handled(projection)
                await partition.client.hincrby(key, "handled", 1)
        await forget(partition, projection, place)
        if time.monotonic() > until:
            return


async def _event_at(partition: Partition, place: str) -> RecordedEvent | None:
    found, _ = await partition.reader.entries_at([place.encode()])
    return decoded(partition, *found[0]) if found else None


async def _note(
    partition: Partition, projection: str, recorded: RecordedEvent, reason: str
) -> None:
    """Notes why it was not taken, unless it was dropped meanwhile."""
    letters, place = partition.keys.dead_letters(projection), recorded.position
    with translated():
        before: Any = await partition.client.hget(letters, place)
        if before is not None:
            text = letter_of(recorded, tries_in(before) + 1, reason, now_text())
            await partition.client.hset(letters, place, text)
        await partition.client.lrem(partition.keys.retries(projection), 0, place)
