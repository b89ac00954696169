"""How it stands with a projection that handles events: what it has done, and whether it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FOLLOWING, FAILING, STOPPED = "following", "failing", "stopped"


@dataclass(frozen=True, slots=True)
class Handling:
    """What it has handled, how often it failed at that, and how many events are set aside.

    Where it does not get past an event, `failing` is the id of that, `reason` why, and `tries` how
    often it was tried. It is tried again at `next`, milliseconds since 1970; at 0 it is not.
    """

    handled: int = 0
    failures: int = 0
    dead_letters: int = 0
    failing: str | None = None
    reason: str | None = None
    tries: int = 0
    next: int = 0
    is_stopped: bool = False

    @property
    def state(self) -> str:
        """One word for it."""
        if self.is_stopped:
            return STOPPED
        return FOLLOWING if self.reason is None else FAILING


def sum_of(each: Sequence[Handling | None]) -> Handling | None:
    """What several partitions make together, with the worst of what they say; None of none."""
    known = [one for one in each if one is not None]
    if not known:
        return None
    worst = max(known, key=lambda one: (one.is_stopped, one.reason is not None, one.tries))
    return Handling(
        sum(one.handled for one in known),
        sum(one.failures for one in known),
        sum(one.dead_letters for one in known),
        worst.failing,
        worst.reason,
        worst.tries,
        worst.next,
        worst.is_stopped,
    )
