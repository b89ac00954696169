"""What the server refuses by itself: what is no request, comes too late, or is too much.

It does not say how a client is told so: the application does (server/served_app.py).
"""

from __future__ import annotations

from enum import IntEnum


class Refusal(IntEnum):
    """Why a request is not taken; each is the status that it is answered with (RFC 9110 §15)."""

    MALFORMED_REQUEST = 400
    REQUEST_TIMEOUT = 408
    URL_TOO_LONG = 414
    MISDIRECTED = 421
    HEAD_TOO_LARGE = 431
    NOT_IMPLEMENTED = 501
    OVERLOADED = 503
    VERSION_NOT_SUPPORTED = 505


class Refused(Exception):
    """A request is not taken; the sentence tells its client what to do about it."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = refusal


class Overloaded(Refused):
    """There is too much to do for one request more (503); `limit` names what was reached."""

    retry_after = 1
    """Whole seconds after which the client may come again."""

    def __init__(self, sentence: str, limit: str) -> None:
        super().__init__(Refusal.OVERLOADED, f"{sentence} Slow down and try again.")
        self.limit = limit


def too_many_waiting() -> Overloaded:
    """More requests wait than may. A new one each time: an exception keeps all it is raised in."""
    return Overloaded("Too many requests are waiting.", "waiting")


TOO_MANY_WAITING = too_many_waiting()
"""The most frequent one where there is too much to do, made once for those that raise nothing."""


def cut_short() -> Refused:
    """The client has ended its half within a request."""
    return Refused(Refusal.MALFORMED_REQUEST, "The connection ended before the request did.")


def too_late(seconds: float) -> Refused:
    """The request was not there in time."""
    sentence = f"The request did not come within {seconds} seconds."
    return Refused(Refusal.REQUEST_TIMEOUT, sentence)
