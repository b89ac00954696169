"""What becomes of an event that was handed to somebody: a table, and what follows from it.

Pure: nothing here asks a clock, a socket or an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 600.0
"""Seconds between the first two tries, and at most between later ones: each pause is about twice
as long as the one before it."""

LONGEST_ASKED = 3600.0
"""Seconds that a receiver may ask for with Retry-After."""


class Outcome(Enum):
    """How one try ended."""

    TAKEN = "taken"
    FAILED = "failed"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one try; why, in words without a secret; and the seconds that it asks for."""

    outcome: Outcome
    reason: str = ""
    retry_after: float = 0.0


TAKEN = Answer(Outcome.TAKEN)

_OUTCOMES = {
    400: Outcome.REFUSED,
    410: Outcome.GONE,
    413: Outcome.REFUSED,
    415: Outcome.REFUSED,
    422: Outcome.REFUSED,
}
"""Statuses that say something of the event itself, or that nobody is there for good. All others
outside of 200 to 299 say something of the receiver or of the way to it, and are tried again."""


def outcome_of(status: int) -> Outcome:
    """What an answer with this HTTP status means."""
    if 200 <= status <= 299:  # noqa: PLR2004 - as HTTP has it
        return Outcome.TAKEN
    return _OUTCOMES.get(status, Outcome.FAILED)


class Step(Enum):
    """What is done next."""

    GO_ON = "go on"
    TRY_AGAIN = "try again"
    SET_ASIDE = "set aside"
    STOP = "stop"


def next_step(answer: Answer, tries: int, give_up_after: int | None) -> Step:
    """What follows an answer to the try with this number, from 1.

    With `give_up_after` None the event is tried for as long as it takes.
    """
    match answer.outcome:
        case Outcome.TAKEN:
            return Step.GO_ON
        case Outcome.GONE:
            return Step.STOP
        case Outcome.REFUSED if give_up_after is not None:
            return Step.SET_ASIDE
        case _:
            is_enough = give_up_after is not None and tries >= give_up_after
            return Step.SET_ASIDE if is_enough else Step.TRY_AGAIN


def pause_after(answer: Answer, tries: int, luck: float) -> float:
    """Seconds until the next try, after so many; `luck` is a random number from 0 to 1.

    Half of the pause is fixed and half is chance, so that many who were cut off at once don't come
    back at once. What the receiver asks for is not cut short.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, 30))
    return max(longest * (0.5 + luck / 2), min(answer.retry_after, LONGEST_ASKED))
