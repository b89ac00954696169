"""Tokens that were refused, in the log: the first, and then how many in each minute."""

from __future__ import annotations

import logging

from itemstore.logs.spells import Spell

SECONDS = 60.0

logger = logging.getLogger(__name__)


class RefusedTokens:
    """Those that one process has refused. What was presented is in no line: it may open another."""

    def __init__(self) -> None:
        self._first: dict[str, str | None] = {}
        self._spell = Spell(self._begins, goes_on=_goes_on, quiet=SECONDS)

    def note(self, error: Exception, client: str | None) -> None:
        """One was refused, for this reason; `client` is the address that it came from."""
        self._first = {"reason": str(error), "client": client}
        self._spell.note()

    def _begins(self) -> None:
        logger.warning("A token was refused", extra=self._first)


def _goes_on(count: int, seconds: float) -> None:
    logger.warning("More tokens were refused", extra={"count": count, "seconds": seconds})
