"""How many events are applied together, and how often is looked for more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """What those that follow the logs do at once, and how long they rest in between.

    `at_once` events are read at once: the size of a slice is guessed from the one before it, so
    these may all be as large as a body may be. At `enough` of them, or `enough_bytes`, they are
    applied.

    `pause` is the seconds between two looks at the logs: how old projections are. After `many`
    events it is the `long_pause`: the process has other work then, and fewer, larger steps cost
    less. Where nothing comes it grows up to the `longest_pause`, if that is longer, unless whoever
    looks is woken; `patience` is the least time between two tries to be the one who does. After
    `recheck` seconds one that has nothing new is looked at all the same: somebody may have changed
    by hand what it keeps.
    """

    at_once: int = 128
    enough: int = 500
    enough_bytes: int = 1024 * 1024
    pause: float = 0.1
    long_pause: float = 0.5
    many: int = 500
    recheck: float = 60.0
    longest_pause: float = 0.0
    patience: float = 0.0


USUAL = Pace()
"""That of a process which has other work too."""
