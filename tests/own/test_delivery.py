"""What becomes of an event that was handed over, and when it is tried again: without a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from itemstore.projections.own.delivery import (
    LONGEST_ASKED,
    LONGEST_PAUSE,
    TAKEN,
    Answer,
    Outcome,
    Step,
    next_step,
    outcome_of,
    pause_after,
)
from itemstore.projections.own.retry_after import seconds_asked_for

FAILED, REFUSED, GONE = map(Answer, (Outcome.FAILED, Outcome.REFUSED, Outcome.GONE))


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204, 299), Outcome.TAKEN),
        ((400, 413, 415, 422), Outcome.REFUSED),
        ((410,), Outcome.GONE),
        ((301, 302, 304, 308), Outcome.FAILED),
        ((401, 403, 404, 405, 408, 409, 425, 429), Outcome.FAILED),
        ((500, 502, 503, 504, 599, 999), Outcome.FAILED),
    ],
)
def test_a_status_says_something_of_the_event_or_of_the_receiver(
    statuses: tuple[int, ...], outcome: Outcome
) -> None:
    """An event that was refused is refused again; a wrong address or secret is put right."""
    assert {outcome_of(each) for each in statuses} == {outcome}


@pytest.mark.parametrize(
    ("answer", "tries", "give_up_after", "step"),
    [
        (TAKEN, 1, 3, Step.GO_ON),
        (TAKEN, 3, 3, Step.GO_ON),
        (FAILED, 1, 3, Step.TRY_AGAIN),
        (FAILED, 2, 3, Step.TRY_AGAIN),
        (FAILED, 3, 3, Step.SET_ASIDE),
        (FAILED, 1, 1, Step.SET_ASIDE),
        (FAILED, 1_000_000, None, Step.TRY_AGAIN),
        (REFUSED, 1, 3, Step.SET_ASIDE),
        (REFUSED, 1, None, Step.TRY_AGAIN),
        (GONE, 1, 3, Step.STOP),
        (GONE, 9, None, Step.STOP),
    ],
)
def test_what_is_done_next(
    answer: Answer, tries: int, give_up_after: int | None, step: Step
) -> None:
    """One that may wait for ever is never set aside; one whose receiver is gone stops at once."""
    assert next_step(answer, tries, give_up_after) is step


def test_pauses_double_up_to_a_bound_and_half_of_each_is_chance() -> None:
    """From half a second, to ten minutes."""
    longest = [pause_after(FAILED, tries, 1.0) for tries in range(1, 13)]
    assert longest == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_PAUSE, LONGEST_PAUSE]
    assert [pause_after(FAILED, tries, 0.0) for tries in (1, 2, 3)] == [0.5, 1, 2]
    assert pause_after(FAILED, 10**6, 1.0) == LONGEST_PAUSE


def test_a_receiver_that_asks_for_a_longer_pause_gets_it_within_an_hour() -> None:
    """One that asks for a shorter one has to wait for the usual one."""
    assert pause_after(Answer(Outcome.FAILED, retry_after=30), 1, 1.0) == 30
    assert pause_after(Answer(Outcome.FAILED, retry_after=1), 5, 1.0) == 16
    assert pause_after(Answer(Outcome.FAILED, retry_after=10**9), 1, 1.0) == LONGEST_ASKED


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, 0),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("٣", 0),
        ("9" * 5000, 999_999_999),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("Sat, 28 Nov 2026 12:00:10", 10),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(field: str | None, seconds: float) -> None:
    """What can't be read asks for nothing."""
    assert seconds_asked_for(field, NOW) == seconds
