"""What becomes of a connection: when a second has passed, and when its client sends no more.

Pure functions of what is seen of the connection. The protocol takes the steps that they name.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

AWAITED, HEAD, BODY, SHED, UPGRADE, REFUSED = range(6)
"""Where a connection is: between requests, within one, or after the last."""

LINGER = 2
"""Ticks that a refused client has to read why, before the connection is closed."""

PROBED = 2
"""Ticks after which a client that ended its half is asked whether it is there: once."""

Step = Literal[
    "go on",
    "count anew",  # something counts as progress
    "refuse as late",  # the request that has not come to its end
    "refuse as cut short",  # the same
    "close",  # after what was written
    "abort",  # at once
    "cut",  # at once, as the client takes nothing
    "look",  # whether the client is still there
    "ask",  # the same, and send something that TCP has to answer
    "answer and close",
]
"""What the protocol does."""


class Seen(NamedTuple):
    """A connection at one moment. Its ticks are of a second each."""

    phase: int
    ticks: int = 0
    """In this phase, without anything that counts as progress."""
    ticks_untaken: int = 0
    """In which the client took nothing of what waits for it."""
    has_untaken: bool = False
    """Whether anything waits for the client to take it."""
    has_ended: bool = False
    """Whether the client has ended its half: it sends no more, and may still read."""
    has_asked: bool = False
    """Whether there was a request for the application."""
    is_answering: bool = False
    """Whether the newest request has not all of its answer."""
    is_running: bool = False
    """Whether the application has a request to answer."""
    is_live: bool = False
    """Whether that answer is a stream without an end."""
    may_say_more: bool = False
    """Whether an interim answer may still go out before that answer."""
    has_refusal: bool = False
    """Whether a refusal waits for the answers that are due before it."""
    is_one_too_many: bool = False
    """Whether more connections than are allowed were open when it came."""
    is_paused: bool = False
    """Whether the server reads nothing from it for now."""


def after_a_tick(seen: Seen, patience: float, keep_alive: float) -> Step:
    """What is due when a second has passed: `patience` and `keep_alive` are in ticks."""
    if seen.has_untaken and seen.ticks_untaken > patience:
        return "cut"
    if seen.has_ended and seen.is_running:
        return _to_find_the_reader(seen)
    if seen.phase == REFUSED or (seen.is_one_too_many and not seen.is_answering):
        return "abort" if not seen.has_refusal and seen.ticks > LINGER else "go on"
    is_our_turn = seen.is_paused if seen.phase else seen.is_answering or seen.has_untaken
    if is_our_turn:
        return "count anew"
    if seen.ticks <= (patience if seen.phase or not seen.has_asked else keep_alive):
        return "go on"
    return "refuse as late" if seen.phase else "close"


def _to_find_the_reader(seen: Seen) -> Step:
    """What tells whether a client that ended its half is still there.

    TCP does, in answer to something: to 100 Continue, which changes nothing (RFC 9110 §15.2),
    where the answer itself takes long.
    """
    if seen.is_live:
        return "close"
    return "ask" if seen.ticks == PROBED and seen.may_say_more else "look"


def after_the_end(seen: Seen) -> Step:
    """What is due when the client has ended its half. It may still read.

    Whether it does can't be told from this. A live stream has no end, so it ends here; all else
    is answered, and the ticks find out whether anybody is there (docs/decisions/0022).
    """
    if seen.phase == REFUSED:
        return "go on" if seen.has_refusal else "close"
    if seen.phase:
        return "refuse as cut short"
    if not seen.is_answering or seen.is_live:
        return "close"
    return "answer and close"
