"""What becomes of a connection, without one."""

from __future__ import annotations

import pytest

from itemstore.server.connection_state import (
    AWAITED,
    BODY,
    HEAD,
    LINGER,
    PROBED,
    REFUSED,
    SHED,
    UPGRADE,
    Seen,
    Step,
    after_a_tick,
    after_the_end,
)

PATIENCE, KEEP_ALIVE = 10, 5

WITHIN = [HEAD, BODY, SHED, UPGRADE]
"""Where a connection is within a request."""


def due(seen: Seen) -> Step:
    """What is due after a tick, with limits that differ."""
    return after_a_tick(seen, PATIENCE, KEEP_ALIVE)


@pytest.mark.parametrize(
    ("seen", "limit", "step"),
    [
        (Seen(AWAITED), PATIENCE, "close"),
        (Seen(AWAITED, has_ended=True), PATIENCE, "close"),
        (Seen(AWAITED, has_asked=True), KEEP_ALIVE, "close"),
        *[(Seen(phase), PATIENCE, "refuse as late") for phase in WITHIN],
        (
            Seen(BODY, has_asked=True, is_answering=True, is_running=True),
            PATIENCE,
            "refuse as late",
        ),
        (Seen(REFUSED), LINGER, "abort"),
        (Seen(REFUSED, is_answering=True), LINGER, "abort"),
        (Seen(AWAITED, is_one_too_many=True), LINGER, "abort"),
        (Seen(HEAD, is_one_too_many=True), LINGER, "abort"),
    ],
)
def test_a_client_has_so_many_ticks(seen: Seen, limit: int, step: Step) -> None:
    """Up to the limit nothing happens, and past it this."""
    assert due(seen._replace(ticks=limit)) == "go on"
    assert due(seen._replace(ticks=limit + 1)) == step


@pytest.mark.parametrize(
    "seen",
    [
        Seen(AWAITED, has_asked=True, is_answering=True, is_running=True),
        Seen(AWAITED, has_asked=True, is_answering=True),
        Seen(AWAITED, has_asked=True, has_untaken=True),
        Seen(AWAITED, has_asked=True, is_answering=True, is_one_too_many=True),
        *[Seen(phase, is_paused=True) for phase in WITHIN],
    ],
)
def test_time_does_not_count_while_the_server_is_who_has_to_act(seen: Seen) -> None:
    """It counts from nought when that is over."""
    assert due(seen._replace(ticks=100)) == "count anew"


@pytest.mark.parametrize("phase", [AWAITED, *WITHIN, REFUSED])
def test_a_client_that_takes_nothing_is_cut_off_wherever_it_is(phase: int) -> None:
    """Once its patience is over, and not where all is taken."""
    seen = Seen(phase, has_untaken=True, has_asked=True, is_answering=True)
    assert due(seen._replace(ticks_untaken=PATIENCE)) != "cut"
    assert due(seen._replace(ticks_untaken=PATIENCE + 1)) == "cut"
    assert due(seen._replace(ticks_untaken=PATIENCE + 1, has_untaken=False)) != "cut"


@pytest.mark.parametrize("phase", [REFUSED, AWAITED])
def test_a_refusal_that_waits_for_other_answers_keeps_the_connection(phase: int) -> None:
    """However long these take."""
    seen = Seen(phase, ticks=100, has_refusal=True, is_one_too_many=True)
    assert due(seen) == "go on"


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (Seen(AWAITED, PROBED - 1, may_say_more=True), "look"),
        (Seen(AWAITED, PROBED, may_say_more=True), "ask"),
        (Seen(AWAITED, PROBED), "look"),
        (Seen(AWAITED, PROBED + 1, may_say_more=True), "look"),
        (Seen(REFUSED, PROBED, may_say_more=True), "ask"),
        (Seen(AWAITED, PROBED, is_live=True), "close"),
    ],
)
def test_a_client_that_ended_its_half_is_asked_once_whether_it_is_there(
    seen: Seen, step: Step
) -> None:
    """While it waits for its answer; a stream without an end is not for it."""
    assert due(seen._replace(has_ended=True, has_asked=True, is_running=True)) == step


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (Seen(AWAITED), "close"),
        (Seen(AWAITED, has_asked=True), "close"),
        (Seen(AWAITED, has_asked=True, is_answering=True), "answer and close"),
        (Seen(AWAITED, is_answering=True, is_running=True), "answer and close"),
        (Seen(AWAITED, is_answering=True, is_running=True, is_live=True), "close"),
        *[(Seen(phase), "refuse as cut short") for phase in WITHIN],
        (Seen(BODY, is_answering=True, is_running=True), "refuse as cut short"),
        (Seen(REFUSED), "close"),
        (Seen(REFUSED, has_refusal=True), "go on"),
    ],
)
def test_what_the_end_of_a_half_means(seen: Seen, step: Step) -> None:
    """It depends on what the client has asked for, and on what it has got."""
    assert after_the_end(seen) == step
