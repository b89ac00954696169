"""How far a projection that handles events is, as the engine has it beside the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from itemstore.domain.cursors import event_id
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import replies_of
from itemstore.projections.handling import Handling

MOST_SET_ASIDE = 10_000
"""Events that a projection sets aside in a partition of a collection; then it waits."""

WAITING = ("failing", "tries", "reason", "next", "stopped")
"""The fields of a projection that does not get past an event."""

_COMMIT = Script(lua("itemstore.eventlog", "positions") + lua(__package__, "commit_handled"))
_NOTE = Script(lua(__package__, "note_failure"))


class TooManySetAside(Exception):
    """No more events can be set aside before somebody has looked at those that are."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_SET_ASIDE} events are set aside, and no more can be: retry or drop them"
        )


@dataclass(frozen=True, slots=True)
class State:
    """Up to which `position` it has handled the log, `events` entries of it; None: not begun.

    `failing` is the position of the event that it does not get past, and `tries` how often that was
    tried; the next time is `next`, milliseconds since 1970. `again` are those set aside that are to
    be tried again. `cut` is where the log went on that had been cut by hand, when it was noted.
    """

    position: str | None = None
    events: int = 0
    handled: int = 0
    failures: int = 0
    failing: str | None = None
    tries: int = 0
    reason: str | None = None
    next: int = 0
    is_stopped: bool = False
    dead_letters: int = 0
    again: Sequence[str] = ()
    cut: str | None = None

    def handling(self, partition: Partition) -> Handling:
        """The same as it is shown."""
        number = partition.keys.partition
        return Handling(
            self.handled,
            self.failures,
            self.dead_letters,
            event_id(self.failing, number) if self.failing else None,
            self.reason,
            self.tries,
            self.next,
            self.is_stopped,
        )


async def state_of(partition: Partition, projection: str) -> State:
    """That in a partition of a collection. Raises LogUnavailable, LogBroken."""
    [found] = await states_of([partition], projection)
    if isinstance(found, Exception):
        raise found
    return found


async def states_of(partitions: Sequence[Partition], projection: str) -> list[State | Exception]:
    """That of each log; LogBroken or LogUnavailable where it can't be read.

    Raises LogUnavailable where the only engine can't be reached.
    """
    commands = [
        (each, command)
        for each in partitions
        for command in (
            ("HGETALL", each.keys.handled(projection)),
            ("HLEN", each.keys.dead_letters(projection)),
            ("LRANGE", each.keys.retries(projection), 0, 99),
        )
    ]
    found = await replies_of(commands)
    parts = zip(found[::3], found[1::3], found[2::3], strict=True)
    return [_state(*each, projection) for each in parts]


@dataclass(frozen=True, slots=True)
class Handled:
    """What lies between two positions: so many entries, `handled` of which were handled."""

    position: str
    entries: int
    handled: int = 0


class TakenBack(Exception):
    """What was handled is not in the log any more."""


async def commit(
    partition: Partition, projection: str, after: str, passed: Handled, letter: str = ""
) -> bool:
    """Whether it is noted that the projection has passed that; it must be at `after`.

    `letter` is what is noted of the last event where it is set aside. Raises TooManySetAside,
    TakenBack where the log does not have the last event any more, and what the engine does.
    """
    keys = partition.keys
    touched = [
        *(keys.handled(projection), keys.events, keys.store.archive),
        keys.dead_letters(projection),
    ]
    arguments = [after, passed.position, passed.entries, passed.handled, letter, MOST_SET_ASIDE]
    outcome = await partition.run(_COMMIT, keys=touched, args=arguments)
    if outcome == -2:  # noqa: PLR2004 - as the script says
        raise TooManySetAside
    if outcome < 0:
        raise TakenBack
    return bool(outcome)


async def begin(partition: Partition, projection: str, *, at_start: bool) -> None:
    """Notes where a projection begins that is new: with the first event, or with the next one.

    Raises what the engine does.
    """
    begun = Handled(START, 0)
    if not at_start:
        log = await partition.reader.extent()
        begun = Handled(log.last, log.events)
    with suppress(TakenBack):  # then it begins with the next look
        await commit(partition, projection, "", begun)


@dataclass(frozen=True, slots=True)
class Failure:
    """The event at a position was tried so often in vain, and why; `next` as in State.

    With `is_after_a_cut` the log goes on there, which was cut by hand.
    """

    failing: str
    tries: int
    reason: str
    next: int
    is_after_a_cut: bool = False


async def note_failure(partition: Partition, projection: str, at: str, failure: Failure) -> None:
    """Notes why the projection, which must be at a position, does not get past an event.

    With 0 for its next try it has stopped. Raises what the engine does.
    """
    arguments = [at, failure.failing, failure.tries, failure.reason, failure.next or ""]
    arguments.append(failure.failing if failure.is_after_a_cut else "")
    await partition.run(_NOTE, keys=[partition.keys.handled(projection)], args=arguments)


async def note_position(partition: Partition, projection: str, at: Handled) -> None:
    """Notes how far a projection is that has its checkpoint elsewhere. Raises what the engine does.

    `at` counts from the beginning of the log.
    """
    key = partition.keys.handled(projection)
    with translated():
        async with partition.client.pipeline(transaction=True) as pipeline:
            pipeline.hdel(key, *WAITING)
            pipeline.hset(
                key,
                mapping={"position": at.position, "events": at.entries, "handled": at.handled},
            )
            await pipeline.execute()


def letter_of(recorded: RecordedEvent, tries: int, reason: str, time: str) -> str:
    """What is noted of an event that is set aside: why, and when."""
    return json.dumps(
        {
            "id": recorded.id,
            "type": recorded.type,
            "item": recorded.item,
            "version": recorded.version,
            "tries": tries,
            "reason": reason,
            "time": time,
        },
        ensure_ascii=False,
    )


def _state(fields: Any, letters: Any, again: Any, projection: str) -> State | Exception:
    for each in (fields, letters, again):
        if isinstance(each, Exception):
            return each
    texts = {name.decode(): text.decode(errors="replace") for name, text in fields.items()}
    try:
        key_of(texts.get("position", START))
        return State(
            position=texts.get("position"),
            events=int(texts.get("events", 0)),
            handled=int(texts.get("handled", 0)),
            failures=int(texts.get("failures", 0)),
            failing=texts.get("failing"),
            tries=int(texts.get("tries", 0)),
            reason=texts.get("reason"),
            next=int(texts.get("next", 0)),
            is_stopped="stopped" in texts,
            dead_letters=letters,
            again=[each.decode() for each in again],
            cut=texts.get("cut"),
        )
    except ValueError:
        return LogBroken(
            f"It can't be read how far {projection} is; itemstore rebuild {projection} --from says."
        )
