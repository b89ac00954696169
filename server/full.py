"""Limits that were reached: logged once when it begins, and once, with the number, when it ends."""

from __future__ import annotations

import logging

from itemstore.logs.spells import Spell

QUIET = 10.0
"""Seconds without a refusal after which it is over."""

logger = logging.getLogger(__name__)


class Full(dict[str, Spell]):
    """What one process has refused for lack of room, by the name of the limit."""

    def __missing__(self, limit: str) -> Spell:
        def begins() -> None:
            logger.warning("A limit is reached, and requests are refused", extra={"limit": limit})

        def ends(count: int, seconds: float) -> None:
            told = {"limit": limit, "refused": count, "seconds": seconds}
            logger.warning("A limit is no longer reached", extra=told)

        spell = self[limit] = Spell(begins, ends, quiet=QUIET)
        return spell

    def note(self, limit: str) -> None:
        """Something was refused because of this limit."""
        self[limit].note()
