"""What becomes of a connection, without one."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.server.admission import Admission, Limits
from itemstore.server.connection_state import LINGER, MOST_PIPELINED, PROBED, ConnectionState
from itemstore.server.counters import Counters
from itemstore.server.phases import (
    AWAITED,
    BODY,
    HEAD,
    REFUSED,
    SHED,
    UPGRADE,
    IllegalStep,
    Phase,
    Step,
)
from itemstore.server.refusals import Overloaded

PATIENCE, KEEP_ALIVE = 10, 5

WITHIN = [HEAD, BODY, SHED, UPGRADE]
"""Where a connection is within a request."""


def admission(*, waiting: int = 10) -> Admission:
    """What one process takes on."""
    limits = Limits(
        connections=10,
        waiting=waiting,
        streams=10,
        unsent_bytes=1,
        read_bytes=1,
        client_seconds=PATIENCE,
    )
    return Admission(limits, Counters())


def state_with(**there: Any) -> ConnectionState:
    """A connection of which this is so."""
    state = ConnectionState(admission(), KEEP_ALIVE)
    for name, value in there.items():
        setattr(state, name, value)
    return state


def contents(state: ConnectionState) -> dict[str, Any]:
    """All that it knows."""
    return {name: getattr(state, name) for name in ConnectionState.__slots__}


def requested(state: ConnectionState, *, has_content: bool = False) -> bool:
    """A whole request comes; whether the application gets it now."""
    state.begin()
    assert state.admits(lambda: False)
    starts = state.take(has_content=has_content)
    assert state.complete() == BODY
    return starts


def test_an_ordinary_request_is_started_and_answered() -> None:
    """And the next one after it."""
    state = state_with()
    for _ in range(2):
        state.begin()
        assert state.phase == HEAD
        assert state.admits(lambda: False)
        assert state.take(has_content=True)
        assert (state.phase, state.is_receiving) == (BODY, True)
        assert state.complete() == BODY
        assert (state.phase, state.is_receiving, state.is_running) == (AWAITED, False, True)
        state.answered()
        assert state.advance() == "read on"
        assert not state.is_answering


def test_requests_are_answered_in_turn() -> None:
    """One after the other, in the order in which they came, and no more than so many wait."""
    state = state_with()
    assert requested(state)
    for _ in range(MOST_PIPELINED):
        assert not requested(state)
    state.begin()
    with pytest.raises(Overloaded, match="wait on one connection"):
        state.admits(lambda: True)
    assert state.advance() == "nothing"
    state.answered()
    assert state.advance() == "start"
    assert (state.is_running, state.waiting) == (True, MOST_PIPELINED - 1)


def test_a_client_that_takes_nothing_gets_no_more_answers() -> None:
    """Its request waits, and not for the application."""
    state = state_with()
    state.block()
    assert not requested(state, has_content=True)
    assert state.advance() == "nothing"
    state.unblock()
    assert state.advance() == "start"
    assert not state.is_receiving


def test_a_body_that_still_comes_is_waited_for_once_it_is_its_turn() -> None:
    """So that it does not count as a request that the application has yet to answer."""
    state = state_with()
    counted = state._admission
    requested(state)
    state.begin()
    state.admits(lambda: False)
    state.take(has_content=True)
    assert counted.receiving == 0
    state.answered()
    assert state.advance() == "start"
    assert counted.receiving == 1
    state.complete()
    assert counted.receiving == 0


def test_too_much_is_shed_unless_it_is_urgent() -> None:
    """The connection goes on, and one whose answers are due keeps its place."""
    state = ConnectionState(admission(waiting=0), KEEP_ALIVE)
    state.begin()
    assert not state.admits(lambda: False)
    assert state.phase == SHED
    assert state.complete() == SHED
    assert requested_urgently(state)
    state.begin()
    assert state.admits(lambda: False)


def requested_urgently(state: ConnectionState) -> bool:
    """A whole request for what is served when there is too much to do."""
    state.begin()
    assert state.admits(lambda: True)
    starts = state.take(has_content=False)
    state.complete()
    return starts


def test_one_connection_too_many_is_refused_unless_it_is_urgent() -> None:
    """With its first request, which may be one that is served all the same."""
    state = state_with(is_one_too_many=True)
    assert requested_urgently(state)
    state.answered()
    state.begin()
    with pytest.raises(Overloaded, match="connections"):
        state.admits(lambda: False)


@pytest.mark.parametrize("phase", [AWAITED, *WITHIN])
def test_a_refusal_is_told_at_once_where_no_answer_is_due(phase: Phase) -> None:
    """Then the client may read it, and send what it wants, until it closes."""
    state = state_with(phase=phase, is_running=phase == BODY)
    assert state.refuse(is_begun=False) == "tell"
    assert (state.phase, state.has_refusal, state.is_running) == (REFUSED, True, False)
    assert state.told() == "linger"
    assert not state.has_refusal


@pytest.mark.parametrize("phase", [AWAITED, *WITHIN])
def test_a_refusal_waits_for_the_answers_before_it(phase: Phase) -> None:
    """The refused request itself is no longer in the line."""
    state = state_with()
    requested(state)
    requested(state)
    if phase == BODY:
        state.waiting += 1
    state.phase = phase
    assert state.refuse(is_begun=False) == "nothing"
    state.answered()
    assert (state.advance(), state.waiting) == ("start", 0)
    state.answered()
    assert state.advance() == "tell"


def test_a_refusal_comes_too_late_once_the_answer_has_begun() -> None:
    """A part of it has gone out."""
    state = state_with(phase=BODY, is_running=True)
    assert state.refuse(is_begun=True) == "close"
    assert not state.has_refusal


def test_a_client_that_has_ended_its_half_is_told_and_not_waited_for() -> None:
    """Nothing more can come from it."""
    state = state_with(phase=HEAD)
    assert state.end(is_live=False) == "refuse as cut short"
    assert state.refuse(is_begun=False) == "tell"
    assert state.told() == "close"


ILLEGAL: list[tuple[Callable[[ConnectionState], object], list[Phase]]] = [
    (ConnectionState.begin, [*WITHIN, REFUSED]),
    (ConnectionState.upgrade, [AWAITED, BODY, SHED, UPGRADE, REFUSED]),
    (lambda state: state.admits(lambda: False), [AWAITED, BODY, SHED, UPGRADE, REFUSED]),
    (lambda state: state.take(has_content=True), [AWAITED, BODY, SHED, UPGRADE, REFUSED]),
    (ConnectionState.complete, [AWAITED, HEAD, REFUSED]),
    (lambda state: state.refuse(is_begun=False), [REFUSED]),
    (ConnectionState.answered, [*Phase]),
    (ConnectionState.told, [*Phase]),
]


@pytest.mark.parametrize(
    ("happens", "phase"), [(happens, phase) for happens, phases in ILLEGAL for phase in phases]
)
def test_what_cannot_happen_raises_and_changes_nothing(
    happens: Callable[[ConnectionState], object], phase: Phase
) -> None:
    """Whatever happened before."""
    state = state_with(phase=phase, ticks=3, ticks_untaken=2, waiting=1, has_asked=True)
    before = contents(state)
    with pytest.raises(IllegalStep):
        happens(state)
    assert contents(state) == before


def due(state: ConnectionState, ticks: int, **seen: bool) -> Step:
    """What is due at this tick."""
    state.ticks = ticks - 1
    return state.tick(**seen)


@pytest.mark.parametrize(
    ("there", "limit", "step"),
    [
        ({}, PATIENCE, "close"),
        ({"has_ended": True}, PATIENCE, "close"),
        ({"has_asked": True}, KEEP_ALIVE, "close"),
        *[({"phase": phase}, PATIENCE, "refuse as late") for phase in WITHIN],
        ({"phase": BODY, "has_asked": True, "is_running": True}, PATIENCE, "refuse as late"),
        ({"phase": REFUSED}, LINGER, "abort"),
        ({"phase": REFUSED, "is_running": True}, LINGER, "abort"),
        ({"is_one_too_many": True}, LINGER, "abort"),
        ({"phase": HEAD, "is_one_too_many": True}, LINGER, "abort"),
    ],
)
def test_a_client_has_so_many_ticks(there: dict[str, Any], limit: int, step: Step) -> None:
    """Up to the limit nothing happens, and past it this."""
    assert due(state_with(**there), limit) == "nothing"
    assert due(state_with(**there), limit + 1) == step


@pytest.mark.parametrize(
    ("there", "seen"),
    [
        ({"has_asked": True, "is_running": True}, {}),
        ({"has_asked": True, "waiting": 1}, {}),
        ({"has_asked": True}, {"has_untaken": True}),
        ({"has_asked": True, "is_running": True, "is_one_too_many": True}, {}),
        *[({"phase": phase}, {"is_paused": True}) for phase in WITHIN],
    ],
)
def test_time_does_not_count_while_it_is_the_server_that_has_to_act(
    there: dict[str, Any], seen: dict[str, bool]
) -> None:
    """It counts from nought when that is over."""
    state = state_with(**there)
    assert due(state, 100, **seen) == "nothing"
    assert state.ticks == 0


@pytest.mark.parametrize("phase", [*Phase])
def test_a_client_that_takes_nothing_is_cut_off_wherever_it_is(phase: Phase) -> None:
    """Once its patience is over, and not where all is taken, or a part of it."""
    for seen, step in [
        ({"has_untaken": True}, "cut"),
        ({"has_untaken": True, "has_taken": True}, "nothing"),
        ({}, "nothing"),
    ]:
        state = state_with(phase=phase, has_asked=True, is_running=True, has_refusal=True)
        for _ in range(PATIENCE):
            assert due(state, 1, has_untaken=True) != "cut"
        assert due(state, 1, **seen) == step


@pytest.mark.parametrize("phase", [REFUSED, AWAITED])
def test_a_refusal_that_waits_for_other_answers_keeps_the_connection(phase: Phase) -> None:
    """However long these take."""
    state = state_with(phase=phase, has_refusal=True, is_one_too_many=True)
    assert due(state, 100) == "nothing"


@pytest.mark.parametrize(
    ("phase", "ticks", "seen", "step"),
    [
        (AWAITED, PROBED - 1, {"may_say_more": True}, "look"),
        (AWAITED, PROBED, {"may_say_more": True}, "ask"),
        (AWAITED, PROBED, {}, "look"),
        (AWAITED, PROBED + 1, {"may_say_more": True}, "look"),
        (REFUSED, PROBED, {"may_say_more": True}, "ask"),
        (AWAITED, PROBED, {"is_live": True}, "close"),
    ],
)
def test_a_client_that_ended_its_half_is_asked_once_whether_it_is_there(
    phase: Phase, ticks: int, seen: dict[str, bool], step: Step
) -> None:
    """While it waits for its answer; a stream without an end is not for it."""
    state = state_with(phase=phase, has_ended=True, has_asked=True, is_running=True)
    assert due(state, ticks, **seen) == step


@pytest.mark.parametrize(
    ("there", "is_live", "step"),
    [
        ({}, False, "close"),
        ({"has_asked": True}, False, "close"),
        ({"has_asked": True, "waiting": 1}, False, "answer and close"),
        ({"is_running": True}, False, "answer and close"),
        ({"is_running": True}, True, "close"),
        *[({"phase": phase}, False, "refuse as cut short") for phase in WITHIN],
        ({"phase": BODY, "is_running": True}, False, "refuse as cut short"),
        ({"phase": REFUSED}, False, "close"),
        ({"phase": REFUSED, "has_refusal": True}, False, "nothing"),
    ],
)
def test_what_the_end_of_a_half_means(there: dict[str, Any], *, is_live: bool, step: Step) -> None:
    """It depends on what the client has asked for, and on what it has got."""
    state = state_with(**there, ticks=3)
    assert state.end(is_live=is_live) == step
    assert (state.has_ended, state.ticks) == (True, 0)


EVENTS: dict[str, Callable[[ConnectionState], object]] = {
    "begin": ConnectionState.begin,
    "upgrade": ConnectionState.upgrade,
    "admits": lambda state: state.admits(lambda: False),
    "take": lambda state: state.take(has_content=True),
    "take without content": lambda state: state.take(has_content=False),
    "complete": ConnectionState.complete,
    "answered": ConnectionState.answered,
    "block": ConnectionState.block,
    "unblock": ConnectionState.unblock,
    "advance": ConnectionState.advance,
    "refuse": lambda state: state.refuse(is_begun=False),
    "told": ConnectionState.told,
    "end": lambda state: state.end(is_live=False),
    "tick": ConnectionState.tick,
}


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=60))
def test_whatever_happens_nothing_stays_counted(events: list[str]) -> None:
    """In any order: what can't happen changes nothing, and what is lost gives its place back."""
    state = state_with()
    for event in events:
        before = copy(state)
        try:
            EVENTS[event](state)
        except (IllegalStep, Overloaded) as error:
            if isinstance(error, IllegalStep):
                assert contents(state) == contents(before)
        assert state._admission.receiving == int(state.is_receiving)
        assert not state.is_receiving or (state.is_running and state.phase == BODY)
    state.lose()
    assert state._admission.receiving == 0
    assert not state.is_answering
