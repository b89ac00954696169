"""Regular expressions of `match` and `search`: I-Regexp (RFC 9485)."""

from __future__ import annotations

from functools import lru_cache

import regex
from iregexp_check import check

from itemstore.projections.queries.errors import QueryTooExpensive

PATIENCE = 0.2
"""Seconds that one text may take: some patterns take time without end."""


class Pattern:
    """An I-Regexp. One that is none is in nothing (RFC 9535 section 2.4.6)."""

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        self._compiled: regex.Pattern[str] | None = None
        if check(text):
            self._compiled = regex.compile(_translated(text), regex.VERSION0)

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
                "A regular expression takes too long on an item. Write it so that it can match in "
                "one way only, without a repetition inside a repetition"
            ) from None


@lru_cache(maxsize=128)
def pattern_of(text: str) -> Pattern:
    """The pattern that a text stands for."""
    return Pattern(text)


def _translated(pattern: str) -> str:
    """The pattern as the library takes it: a dot is any character but those that end a line."""
    parts: list[str] = []
    escaped = in_class = False
    for character in pattern:
        plain, escaped = not escaped, not escaped and character == "\\"
        if plain and character in "[]":
            in_class = character == "["
        is_dot = plain and character == "." and not in_class
        parts.append(r"[^\n\r]" if is_dot else character)
    return "".join(parts)
