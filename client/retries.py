"""Which failures are tried again, how often, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from itemstore.client.exchange import Answer, Request, Send, Sleep
from itemstore.client.failures import ConnectionFailed, StoreError, failure_of

PASSING = {408, 429, 502, 503, 504}
"""Statuses that may be others a moment later."""

STILL_RUNS = "idempotency-key-in-use"
"""The problem of a write whose first attempt has not come to its end."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How a request that failed in passing is tried again.

    It is sent at most `attempts` times, and not again `seconds` after the first time: keep these
    well below the lifetime of an Idempotency-Key, which is a day where the operator says nothing.
    Between two attempts are `first_wait` seconds, then twice as many, `longest_wait` at most, each
    shortened by up to a half at random; more where the store says when to come again.
    """

    attempts: int = 6
    seconds: float = 30.0
    first_wait: float = 0.1
    longest_wait: float = 5.0

    def wait(self, failed: int, told: float | None = None) -> float:
        """Seconds to wait after so many failures in a row, where the store said `told`."""
        longest = min(self.longest_wait, self.first_wait * 2.0 ** min(failed - 1, 30))
        return (told or 0.0) + random.uniform(longest / 2, longest)  # noqa: S311  # to spread


def passing(outcome: Answer | ConnectionFailed) -> StoreError | None:
    """The failure, where the same request may succeed a moment later; None where it may not."""
    if isinstance(outcome, ConnectionFailed):
        return outcome
    if outcome.status in PASSING:
        return failure_of(outcome)
    if outcome.status == 409:  # noqa: PLR2004  # Conflict
        failure = failure_of(outcome)
        return failure if failure.type == STILL_RUNS else None
    return None


def told_wait(failure: StoreError) -> float | None:
    """The seconds that the store said, if it did."""
    return getattr(failure, "retry_after", None)


def sent(request: Request, retries: Retries) -> Generator[Send | Sleep, Any, Answer]:
    """Sends a request until it has an answer that is not passing.

    Each is the same request, to the letter: reads change nothing, and writes carry a key under
    which the store carries them out once. Raises StoreError for what failed to the end.
    """
    begun = time.monotonic()
    failed = 0
    while True:
        outcome: Answer | ConnectionFailed = yield Send(request)
        failure = passing(outcome)
        if failure is None:
            assert isinstance(outcome, Answer)
            return outcome
        failed += 1
        wait = retries.wait(failed, told_wait(failure))
        late = time.monotonic() + wait > begun + retries.seconds
        if failed >= retries.attempts or late:
            failure.idempotency_key = request.idempotency_key
            raise failure
        yield Sleep(wait)
