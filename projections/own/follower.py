"""Handing events to somebody one by one, with a checkpoint in the engine: each at least once.

What is noted after each event is all that lasts: whoever goes on elsewhere begins there, and the
event that was being handled when a process died is handled again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections.own.choice import Choice
from itemstore.projections.own.cut import LOOK, stop_where_cut
from itemstore.projections.own.delivery import Answer, Outcome, Step, next_step, pause_after
from itemstore.projections.own.events import decoded, now_text
from itemstore.projections.own.retrying import tried_again
from itemstore.projections.own.state import (
    Failure,
    Handled,
    State,
    TakenBack,
    TooManySetAside,
    begin,
    commit,
    letter_of,
    note_failure,
    state_of,
)
from itemstore.projections.projection import NotYet, Waits

BUDGET = 5.0
"""Seconds after which others get their turn, though there is more."""

REST = 30.0
"""Seconds that all else may take which is done for some events: what the engine is asked for."""

logger = logging.getLogger(__name__)

Hand = Callable[[RecordedEvent], Awaitable[Answer]]
"""Hands an event over once, and says how that ended. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a projection wants to have handed over, from when on, and how often it is tried."""

    name: str
    choice: Choice
    begins_at_start: bool
    give_up_after: int | None


class HandedFollower:
    """Hands what a log gets over, in its order, and notes after each event that it was."""

    recheck = LOOK

    def __init__(
        self,
        terms: Terms,
        partition: Partition,
        hand: Hand,
        close: Callable[[], Awaitable[None]] | None = None,
        *,
        seconds: float = 0.0,
    ) -> None:
        """With `hand`, which takes so many `seconds` at most for an event."""
        self._terms = terms
        self._partition = partition
        self._hand = hand
        self._close = close
        self.too_long = BUDGET + seconds + REST
        self._state = State()

    async def position(self) -> str:
        """Where it goes on. Raises NotYet while it waits, LogUnavailable, LogBroken."""
        name = self._terms.name
        state = await state_of(self._partition, name)
        if state.position is None:
            await begin(self._partition, name, at_start=self._terms.begins_at_start)
            state = await state_of(self._partition, name)
        if state.again:
            await tried_again(self._partition, name, state.again, self._hand, BUDGET)
        if state.is_stopped or state.position is None:
            raise NotYet(LOOK)
        if (seconds := state.next / 1000 - time.time()) > 0:
            raise NotYet(min(seconds, LOOK))
        self._state = state
        return state.position

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether all of them were handed over, or passed over as not wanted.

        Raises Waits where one is not taken, or those before them are lost, LogUnavailable,
        LogBroken, LogFull.
        """
        if self._state.position != after:
            return False
        await stop_where_cut(self._partition, self._terms.name, self._state)
        until = time.monotonic() + BUDGET
        passed = 0
        for number, (place, fields) in enumerate(entries, 1):
            recorded = decoded(self._partition, place, fields)
            passed += 1
            if recorded is None or not self._terms.choice.takes(recorded):
                continue
            if passed > 1 and not await self._commit(after, entries[number - 2][0], passed - 1):
                return False
            after, passed = entries[number - 2][0].decode() if passed > 1 else after, 1
            if not await self._handed(after, recorded):
                return False
            after, passed = recorded.position, 0
            if time.monotonic() > until and number < len(entries):
                return False
        return not passed or await self._commit(after, entries[-1][0], passed)

    async def close(self) -> None:
        """Ends the connections to whom the events go."""
        if self._close is not None:
            await self._close()

    async def _commit(self, after: str, place: bytes, entries: int) -> bool:
        return await self._noted(after, Handled(place.decode(), entries))

    async def _handed(self, after: str, recorded: RecordedEvent) -> bool:
        """Whether the event was handed over, or set aside, and that noted.

        Raises Waits where it was not.
        """
        is_same = self._state.failing == recorded.position
        tries = self._state.tries + 1 if is_same else 1
        answer = await self._hand(recorded)
        step = next_step(answer, tries, self._terms.give_up_after)
        if step is Step.GO_ON:
            return await self._noted(after, Handled(recorded.position, 1, 1))
        if step is Step.SET_ASIDE:
            try:
                return await self._set_aside(after, recorded, tries, answer.reason)
            except TooManySetAside as error:
                answer = Answer(Outcome.FAILED, f"{answer.reason}; {error}")
        await self._wait(after, recorded, tries, answer)
        return False

    async def _set_aside(
        self, after: str, recorded: RecordedEvent, tries: int, reason: str
    ) -> bool:
        letter = letter_of(recorded, tries, reason, now_text())
        if not await self._noted(after, Handled(recorded.position, 1), letter):
            return False
        logger.warning(
            "An event is set aside",
            extra={"projection": self._terms.name, "event_id": recorded.id, "reason": reason},
        )
        return True

    async def _wait(self, after: str, recorded: RecordedEvent, tries: int, answer: Answer) -> None:
        """Notes why it does not go on, and raises Waits."""
        seconds = pause_after(answer, tries, random.random())  # noqa: S311 - no secret
        stops = answer.outcome is Outcome.GONE
        next_ = 0 if stops else int((time.time() + seconds) * 1000)
        failure = Failure(recorded.position, tries, answer.reason, next_)
        await note_failure(self._partition, self._terms.name, after, failure)
        why = f"{answer.reason}. It has stopped." if stops else answer.reason
        raise Waits(recorded.id, why, min(seconds, LOOK))

    async def _noted(self, after: str, passed: Handled, letter: str = "") -> bool:
        try:
            is_noted = await commit(self._partition, self._terms.name, after, passed, letter)
        except TakenBack:
            return False
        events = self._state.events + passed.entries
        self._state = replace(self._state, position=passed.position, events=events)
        return is_noted
