"""What the home of an idempotency key holds in a store of several partitions, and what that means.

A request's outcome is kept in its item's partition, as it is written in the step that appends.
Where that is not the key's home, the home has a claim: for which request, and for which partition.
The same request always goes to the same partition, so there the append script alone decides, as
ever, which copy of it is carried out. Before another request may have the key, the partition that
the claim was for is closed to it, so that a key is never open in two of them (docs/decisions/0076).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from itemstore.eventlog.idempotency import CLAIM
from itemstore.eventlog.writer import ALLOWANCE_MS, TIME_LIMIT

LONGEST_MS = int(TIME_LIMIT * 1000) + ALLOWANCE_MS
"""Milliseconds after which a request is taken to be over that has no outcome. Where it is not, it
finds the key closed, and is refused."""

FREE = "0"
"""The time of a claim whose request was refused: anybody may have the key."""


@dataclass(frozen=True, slots=True)
class Claim:
    """That a request with this fingerprint is to be carried out in this partition.

    `since` is when it began, in milliseconds since 1970 by the clock of the home's engine; 0 where
    it was refused.
    """

    fingerprint: str
    partition: int
    since: int

    @classmethod
    def of(cls, text: str) -> Claim | None:
        """The claim that a key holds; None where that is an outcome, or nothing."""
        match = _CLAIM.fullmatch(text)
        return match and cls(match[1], int(match[2]), int(match[3]))


_CLAIM = re.compile(CLAIM + "([0-9a-f]+) ([0-9]+) [0-9a-f]+ ([0-9]+)")


def claim_text(fingerprint: str, partition: int, mark: str) -> str:
    """What a key holds, without the time at its end. The `mark` makes it differ from any other."""
    return f"{CLAIM}{fingerprint} {partition} {mark}"


class Step(Enum):
    """What a request with a key is to do about what the key's home holds."""

    take = "put its own claim there, and be carried out"
    answer = "be answered from the outcome that is there"
    join = "put its own claim there, and be carried out where the other copies of it are"
    wait = "be refused for now, as another request may be under way"
    take_over = (
        "close the other's partition, unless that has an outcome, then put its own claim there"
    )


def step_of(held: str, fingerprint: str, now: int) -> Step:
    """What a request is to do whose key's home holds this text, at this time; empty: nothing."""
    if not held:
        return Step.take
    claim = Claim.of(held)
    if claim is None:
        return Step.answer
    if claim.fingerprint == fingerprint:
        return Step.join
    # One from the future is of another clock, before a failover: to close a partition is safe at
    # any time, to wait until that time comes may take long.
    return Step.take_over if abs(now - claim.since) > LONGEST_MS else Step.wait
