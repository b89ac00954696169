"""Whether a store lets anybody in, with tokens or without: what their absence means."""

from __future__ import annotations

from enum import Enum

from itemstore.store.tokens import Tokens


class StoreClosed(Exception):
    """Nobody is let in, and no token could be. The sentence says what the operator does."""


class Standing(Enum):
    """Whom a process lets in, with the sentence for those it does not."""

    WANTED = ""
    OPEN = "The store has no tokens, on purpose or from the start: every client is let in."
    VANISHED = (
        "The store's tokens have vanished from its engine, so nobody is let in. The operator makes "
        "new ones with `itemstore token create`."
    )
    EXPOSED = (
        "The store has no token and can be reached from other machines, so nobody is let in. The "
        "operator makes one with `itemstore token create`."
    )

    @property
    def is_closed(self) -> bool:
        """Whether there is no token that could open the store."""
        return self in (Standing.VANISHED, Standing.EXPOSED)


def standing_of(tokens: Tokens, *, had_any: bool, may_be_open: bool) -> Standing:
    """What the tokens mean to a process that has seen some before, or has not.

    Without any, a store is open only where that may be, and where it is no accident: an engine
    that was emptied, restarted without its data or replaced by another has none either.
    """
    if tokens:
        return Standing.WANTED
    if had_any and not tokens.are_given_up:
        return Standing.VANISHED
    return Standing.OPEN if may_be_open else Standing.EXPOSED
