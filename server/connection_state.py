"""What a connection does next, as h11 has it: without a connection, and without I/O.

A ConnectionState is told what happens, and its methods say what is due. `Connection` and `Protocol`
tell it, and do that. What may not happen now raises IllegalStep, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from itemstore.server.admission import Admission
from itemstore.server.phases import (
    AFTER_BEGIN,
    AFTER_COMPLETE,
    AFTER_REFUSE,
    AFTER_SHED,
    AFTER_TAKE,
    AFTER_UPGRADE,
    AWAITED,
    BODY,
    REFUSED,
    IllegalStep,
    Phase,
    Step,
)
from itemstore.server.refusals import Overloaded

MOST_PIPELINED = 100
"""Requests of one connection that wait for the answer to the one before."""

LINGER = 2
"""Ticks that a refused client has to read why, before the connection is closed."""

PROBED = 2
"""Ticks after which a client that ended its half is asked whether it is there: once."""


class ConnectionState:
    """One connection: what its client sends, the answers that are due, and the time it takes.

    `ticks` are seconds in this phase without anything that counts as progress, `ticks_untaken`
    those in which the client took nothing of what waits for it. The application `is_running` for
    one request at a time, and others are `waiting`; the one that is running `is_receiving` where
    it waits for the rest of its body. The client `is_blocking` while it is behind on taking its
    answers, `has_asked` once it had a request for the application, and `has_ended` when it sends no
    more: it may still read. `has_refusal` is for one that waits for the answers before it.
    """

    __slots__ = (
        "_admission", "_has_content", "_keep_alive", "has_asked", "has_ended", "has_refusal",
        "is_blocking", "is_one_too_many", "is_receiving", "is_running", "phase", "ticks",
        "ticks_untaken", "waiting",
    )  # fmt: skip

    def __init__(
        self, admission: Admission, keep_alive: float, *, is_one_too_many: bool = False
    ) -> None:
        self._admission = admission
        self._keep_alive = keep_alive
        self._has_content = False
        self.phase: Phase = AWAITED
        self.ticks = 0
        self.ticks_untaken = 0
        self.waiting = 0
        self.is_running = False
        self.is_receiving = False
        self.is_blocking = False
        self.is_one_too_many = is_one_too_many
        self.has_asked = False
        self.has_ended = False
        self.has_refusal = False

    @property
    def is_answering(self) -> bool:
        """Whether an answer of the application is due."""
        return self.is_running or self.waiting > 0

    def begin(self) -> None:
        """A request begins."""
        self.phase = AFTER_BEGIN[self.phase]
        self.ticks = 0

    def upgrade(self) -> None:
        """The head is there, and asks for another protocol."""
        self.phase = AFTER_UPGRADE[self.phase]
        self.ticks = 0

    def admits(self, is_urgent: Callable[[], bool]) -> bool:
        """Whether the application gets the request whose head is there; else it is shed.

        Raises Overloaded where the connection is one too many, or has too many requests waiting.
        """
        shed = AFTER_SHED[self.phase]
        if self.is_one_too_many and not is_urgent():
            raise Overloaded("Too many connections are open.", "connections")
        self.ticks = 0
        if self._admission.is_full and not self.is_answering and not is_urgent():
            self.phase = shed
            return False
        if self.waiting >= MOST_PIPELINED:
            sentence = f"More than {MOST_PIPELINED} requests wait on one connection."
            raise Overloaded(sentence, "pipelined")
        return True

    def take(self, *, has_content: bool) -> bool:
        """The application gets the request: now, or (False) when it is its turn.

        `has_content` where it can do nothing before the body is there.
        """
        self.phase = AFTER_TAKE[self.phase]
        self.has_asked = True
        self._has_content = has_content
        if self.is_running or self.waiting or self.is_blocking:
            self.waiting += 1
            return False
        self.is_running = True
        if has_content:
            self.is_receiving = True
            self._admission.receiving += 1
        return True

    def take_whole(self) -> bool:
        """The application gets a request that came all at once; where it can't yet, it does not.

        Then the request is read as every other, and nothing has changed.
        """
        if (
            self.phase
            or self.is_running
            or self.waiting
            or self.is_blocking
            or self.is_one_too_many
            or self._admission.is_full
        ):
            return False
        self.ticks = 0
        self.has_asked = self.is_running = True
        return True

    def complete(self) -> Phase:
        """The request has come to its end. The phase that this was."""
        ended = self.phase
        self.phase = AFTER_COMPLETE[ended]
        if self.is_receiving:
            self.is_receiving = False
            self._admission.receiving -= 1
        return ended

    def answered(self) -> None:
        """The application has given all of the answer that was due."""
        if not self.is_running:
            message = "No answer was due."
            raise IllegalStep(message)
        self.is_running = False
        self.ticks = 0
        if self.is_receiving:
            self._receive_no_more()

    def block(self) -> None:
        """The client is behind on taking its answers."""
        self.is_blocking = True

    def unblock(self) -> None:
        """The client has caught up."""
        self.is_blocking = False

    def advance(self) -> Step:
        """What is due when an answer was given, or when the client has taken what it had.

        A request that waits to be answered because of its client must not count as one that the
        application has yet to answer.
        """
        if self.is_blocking or self.is_running:
            return "nothing"
        if self.waiting:
            self.waiting -= 1
            self.is_running = True
            if self._has_content and self.phase == BODY and not self.waiting:
                self.is_receiving = True
                self._admission.receiving += 1
            return "start"
        return "tell" if self.has_refusal else "read on"

    def refuse(self, *, is_begun: bool) -> Step:
        """The newest request, or what should be one, is refused, after the answers before it.

        `is_begun` where a part of its answer has gone out.
        """
        phase = self.phase
        self.phase = AFTER_REFUSE[phase]
        self.ticks = 0
        if phase == BODY:
            if is_begun:
                return "close"
            self._receive_no_more()
            if self.waiting:
                self.waiting -= 1
            else:
                self.is_running = False
        self.has_refusal = True
        return "nothing" if self.is_answering else "tell"

    def told(self) -> Step:
        """The refusal has gone out. Closed at once, TCP would take it back from a sender."""
        if not self.has_refusal or self.is_answering:
            message = "There is nothing to tell yet."
            raise IllegalStep(message)
        self.has_refusal = False
        self.ticks = 0
        return "close" if self.has_ended else "linger"

    def end(self, *, is_live: bool) -> Step:
        """The client has ended its half. It may still read, and this can't be told from leaving.

        A live stream has no end, so it ends here; all else is answered, and the ticks find out
        whether anybody is there (docs/decisions/0022).
        """
        self.has_ended = True
        self.ticks = 0
        if self.phase == REFUSED:
            return "nothing" if self.has_refusal else "close"
        if self.phase:
            return "refuse as cut short"
        return "close" if self.is_running and is_live else self.stop()

    def stop(self) -> Step:
        """No more requests are wanted."""
        return "answer and close" if self.is_answering else "close"

    def lose(self) -> None:
        """The connection is gone."""
        self.phase = AWAITED
        self.waiting = 0
        self.is_running = False
        self._receive_no_more()

    def tick(
        self,
        *,
        has_untaken: bool = False,
        has_taken: bool = False,
        is_paused: bool = False,
        is_live: bool = False,
        may_say_more: bool = False,
    ) -> Step:
        """What is due when a second has passed.

        Something may wait for the client, which `has_taken` some of it or not since the last tick.
        `is_paused` where nothing is read from it for now. The running answer `is_live` where it is
        a stream without an end, and an interim one may go out before it, or not.
        """
        patience = self._admission.patience
        self.ticks += 1
        self.ticks_untaken = self.ticks_untaken + 1 if has_untaken and not has_taken else 0
        if self.ticks_untaken > patience:
            return "cut"
        if self.has_ended and self.is_running:
            return self._find_reader(is_live=is_live, may_say_more=may_say_more)
        if self.phase == REFUSED or (self.is_one_too_many and not self.is_answering):
            return "abort" if not self.has_refusal and self.ticks > LINGER else "nothing"
        is_our_turn = is_paused if self.phase else self.is_answering or has_untaken
        if is_our_turn:
            self.ticks = 0
        elif self.ticks > (patience if self.phase or not self.has_asked else self._keep_alive):
            return "refuse as late" if self.phase else "close"
        return "nothing"

    def _find_reader(self, *, is_live: bool, may_say_more: bool) -> Step:
        """What tells whether a client that ended its half is still there.

        TCP does, in answer to something: to 100 Continue, which changes nothing (RFC 9110 §15.2),
        where the answer itself takes long.
        """
        if is_live:
            return "close"
        return "ask" if self.ticks == PROBED and may_say_more else "look"

    def _receive_no_more(self) -> None:
        if self.is_receiving:
            self.is_receiving = False
            self._admission.receiving -= 1
