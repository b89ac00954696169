"""What `search` asks for: words that an item has, phrases, and beginnings of words.

Words are those of words.py, and so is whatever else is typed: no character means anything to a
database. What is written together is a phrase: `"blue jeans"`, and `t-shirt`, whose two words have
to stand together as well. `fight*` is every word that begins so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.paths import Path
from itemstore.projections.queries.words import texts_of, words_in, words_of

MOST_CHARACTERS, MOST_WORDS = 1_000, 32

_PIECE = re.compile(r'"([^"]*)"|([^\s"]+)|"')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand together. Of the last one, where `is_open`, only the beginning is said."""

    words: tuple[str, ...]
    is_open: bool

    def is_in(self, words: list[str]) -> bool:
        """Whether a text with these words has it."""
        *before, last = self.words
        return any(
            (words[end] == last or (self.is_open and words[end].startswith(last)))
            and words[end - len(before) : end] == before
            for end in range(len(before), len(words))
        )


@dataclass(frozen=True, slots=True)
class Search:
    """All of these phrases, most of which are one word."""

    phrases: tuple[Phrase, ...]

    @classmethod
    def of(cls, text: str) -> Search:
        """What is typed. Raises InvalidQuery where that is no word, or too much."""
        if len(text) > MOST_CHARACTERS:
            raise InvalidQuery(
                "search", f"It has more than {MOST_CHARACTERS:,} characters", MOST_CHARACTERS
            )
        found: dict[Phrase, None] = {}
        count = 0
        for piece in _PIECE.finditer(text):
            quoted, plain = piece.groups()
            words = words_in(quoted or plain or "")
            count += len(words)
            if count > MOST_WORDS:
                raise InvalidQuery("search", f"It has more than {MOST_WORDS} words", piece.start())
            if words:
                found[Phrase(tuple(words), plain is not None and _is_open(plain))] = None
        if not found:
            raise InvalidQuery("search", "It has no word: a word is of letters and digits")
        return cls(tuple(found))

    @property
    def words(self) -> tuple[str, ...]:
        """The whole words of which each has to be there."""
        wholes = (each.words[:-1] if each.is_open else each.words for each in self.phrases)
        return tuple(dict.fromkeys(word for words in wholes for word in words))

    @property
    def beginnings(self) -> tuple[str, ...]:
        """The beginnings of words, likewise."""
        return tuple(dict.fromkeys(each.words[-1] for each in self.phrases if each.is_open))

    @property
    def has_phrases(self) -> bool:
        """Whether having all words and beginnings is less than what is asked for."""
        return any(len(each.words) > 1 for each in self.phrases)

    def matches(self, value: Any, paths: Iterable[Path]) -> bool:
        """Whether an item with this body has them all, in the texts at the paths."""
        paths = (*paths,)
        kept = words_of(value, paths)
        if not set(kept).issuperset(self.words):
            return False
        if not all(any(word.startswith(each) for word in kept) for each in self.beginnings):
            return False
        phrases = [each for each in self.phrases if len(each.words) > 1]
        texts = [words_in(text) for text in texts_of(value, paths)] if phrases else []
        return all(any(phrase.is_in(words) for words in texts) for phrase in phrases)


def _is_open(written: str) -> bool:
    """Whether a star stands right behind its last word, so that the word might go on there."""
    return written.endswith("*") and words_in(written.rstrip("*") + "x")[-1] != "x"
