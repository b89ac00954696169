"""Where a connection is, where it can go from there, and what may be due."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal


class Phase(IntEnum):
    """Where the client is: between requests, within one, or after the last.

    BODY is one that the application gets, SHED one that it does not, UPGRADE one that asks for
    another protocol. Nothing is read after what was REFUSED.
    """

    AWAITED = 0
    HEAD = 1
    BODY = 2
    SHED = 3
    UPGRADE = 4
    REFUSED = 5


AWAITED, HEAD, BODY, SHED, UPGRADE, REFUSED = Phase

Step = Literal[
    "nothing",
    "read on",
    "start",  # the request that has waited for the longest time
    "tell",  # the client that it is refused
    "linger",  # end the answers, and read what still comes until the client has closed
    "refuse as late",  # the request that has not come to its end
    "refuse as cut short",  # the same
    "close",  # after what was written
    "answer and close",  # after the answer to the newest request
    "abort",  # at once
    "cut",  # at once, as the client takes nothing
    "look",  # whether the client is still there
    "ask",  # the same, and send something that TCP has to answer
]
"""What is due."""


class IllegalStep(RuntimeError):
    """Something happened that can't happen where the connection is."""


class Moves(dict[Phase, Phase]):
    """From each phase in which something may happen to the one after it."""

    def __missing__(self, phase: Phase) -> Phase:
        possible = ", ".join(each.name for each in self)
        message = f"This does not happen in phase {phase.name}, only in {possible}."
        raise IllegalStep(message)


AFTER_BEGIN = Moves({AWAITED: HEAD})
AFTER_UPGRADE = Moves({HEAD: UPGRADE})
AFTER_SHED = Moves({HEAD: SHED})
AFTER_TAKE = Moves({HEAD: BODY})
AFTER_COMPLETE = Moves({BODY: AWAITED, SHED: AWAITED, UPGRADE: AWAITED})
AFTER_REFUSE = Moves(dict.fromkeys((AWAITED, HEAD, BODY, SHED, UPGRADE), REFUSED))
