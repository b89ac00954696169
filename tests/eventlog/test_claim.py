"""What a request does about what the home of its idempotency key holds: the table, row by row."""

from __future__ import annotations

import pytest

from itemstore.eventlog.claim import LONGEST_MS, Claim, Step, claim_text, step_of

OWN, OTHER = "0f" * 32, "ff" * 32
NOW = 1_795_425_451_602

JUST_NOW, LONG_AGO, NEVER = NOW - LONGEST_MS, NOW - LONGEST_MS - 1, 0
"""When a claim was made that is young, one that is old, and one whose request was refused."""


def claim(fingerprint: str, since: int) -> str:
    """What a home holds that has a claim."""
    return f"{claim_text(fingerprint, 5, '0a1b')} {since}"


@pytest.mark.parametrize(
    ("held", "step"),
    [
        ("", Step.take),
        (f"{OWN} ItemCreated 1 {NOW}-0", Step.answer),
        (f"{OTHER} ItemCreated 1 {NOW}-0", Step.answer),
        (f"{OTHER}\nchecked -0 foo", Step.answer),
        (claim(OWN, JUST_NOW), Step.join),
        (claim(OWN, LONG_AGO), Step.join),
        (claim(OWN, NEVER), Step.join),
        (claim(OTHER, NOW + 50), Step.wait),
        (claim(OTHER, NOW + 3_600_000), Step.take_over),
        (claim(OTHER, JUST_NOW), Step.wait),
        (claim(OTHER, LONG_AGO), Step.take_over),
        (claim(OTHER, NEVER), Step.take_over),
    ],
)
def test_what_the_home_holds_decides_what_a_request_does(held: str, step: Step) -> None:
    """The same request goes on with its claim, another one waits until that is old or free."""
    assert step_of(held, OWN, NOW) is step


def test_a_claim_is_read_as_it_was_written() -> None:
    """The request, the partition, and since when."""
    assert Claim.of(claim(OWN, 17)) == Claim(OWN, 5, 17)


@pytest.mark.parametrize(
    "text",
    ["", f"{OWN} ItemCreated 1 5-0", "closed 0a1b", f"claim {OWN} 5 0a1b", f"claim {OWN} 5 0a1b x"],
)
def test_what_is_no_claim_is_not_taken_for_one(text: str) -> None:
    """Nothing, an outcome, a key that is closed, and half a claim."""
    assert Claim.of(text) is None
