"""Looking for regular expressions in texts, for no longer than a bound."""

from __future__ import annotations

from functools import lru_cache

import regex

from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.iregexp import NotARegexp, TooComplex, regexp_of

PATIENCE = 0.2
"""Seconds that a text may take: some patterns take time without end. It is looked at now and then,
so it may be seconds."""


class Pattern:
    """An I-Regexp. One that is none is in nothing (RFC 9535 section 2.4.6).

    Raises QueryTooExpensive for one that is too complex.
    """

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        self._compiled: regex.Pattern[str] | None = None
        try:
            self._compiled = regex.compile(regexp_of(text).translated, regex.VERSION0)
        except (
            NotARegexp,
            regex.error,
        ):  # the latter for a range or a repetition from more to less
            return
        except TooComplex as error:
            raise QueryTooExpensive(f"A regular expression can't be looked for: {error}") from None

    def is_in(self, text: str, *, whole: bool) -> bool:
        """Whether it matches the whole text or, otherwise, any part of it.

        Raises QueryTooExpensive where that takes too long.
        """
        if self._compiled is None:
            return False
        look = self._compiled.fullmatch if whole else self._compiled.search
        try:
            return look(text, timeout=PATIENCE) is not None
        except TimeoutError:
            raise QueryTooExpensive(
                "A regular expression takes too long on an item: write it so that it matches in "
                "one way only"
            ) from None


@lru_cache(maxsize=128)
def pattern_of(text: str) -> Pattern:
    """The pattern that a text stands for. Raises QueryTooExpensive."""
    return Pattern(text)
