"""Which words a text has: the one reading of it, whatever database keeps them.

A word is letters, digits and underscores without anything between. Capitals and small letters are
one (Unicode's full case folding), and so are forms that look different and mean the same
(compatibility decomposition, Unicode Standard Annex 15). Accents don't count: `cafe` is `café`,
nor do Hebrew points and Arabic vowel signs. In scripts that put no blanks between words, such as
Chinese, Japanese and Thai, each character is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from unicodedata import category, normalize

from itemstore.projections.queries.paths import Path, value_at

LONGEST = 64
"""Characters of a word that count."""

MOST_BYTES = 262_144
"""UTF-8 bytes of an item's words that are kept, each counted once, in the order of the text."""

_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]+"
)

_ALONE = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0ede\u1000-\u1049\u1050-\u109d"
    "\u1780-\u17d3\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
)
"""Thai, Lao, Burmese, Khmer, the two Japanese syllabaries, and Han."""

_ODD = re.compile(rf"[^\w\x00-\x7f{_ALONE}]")
_ASCII_WORDS = re.compile(r"\w+")


def words_in(text: str) -> list[str]:
    """The words of a text, in its order."""
    if text.isascii():
        words: list[str] = _ASCII_WORDS.findall(text.lower())
    else:
        plain = _ACCENTS.sub("", normalize("NFKD", text).casefold())
        plain = normalize("NFKC", plain)
        odd = {each for each in _ODD.findall(plain) if category(each).startswith("M")}
        words = _pattern("".join(sorted(odd))).findall(plain)
    return [word[:LONGEST] for word in words]


def words_of(value: Any, paths: Iterable[Path]) -> tuple[str, ...]:
    """The words of all strings at the paths of an item's body, and below: each one once."""
    words: dict[str, None] = {}
    left = MOST_BYTES
    for text in texts_of(value, paths):
        for word in words_in(text):
            if word not in words:
                left -= len(word.encode())
                if left < 0:
                    return tuple(words)
                words[word] = None
    return tuple(words)


def texts_of(value: Any, paths: Iterable[Path]) -> Iterator[str]:
    """The strings at the paths, and in the arrays and objects there, however deep."""
    for path in paths:
        waiting = [value_at(path, value)]
        while waiting:
            found = waiting.pop()
            if isinstance(found, str):
                yield found
            elif isinstance(found, list):
                waiting += reversed(found)
            elif isinstance(found, dict):
                waiting += reversed(found.values())


@lru_cache(maxsize=64)
def _pattern(marks: str) -> re.Pattern[str]:
    r"""What finds words with these marks in them, as Hindi has them, which are not \w."""
    return re.compile(
        rf"[{_ALONE}]|(?:[^\W{_ALONE}]|[{marks}])+" if marks else rf"[{_ALONE}]|[^\W{_ALONE}]+"
    )
