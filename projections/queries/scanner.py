"""A text that is read from left to right: the words of RFC 9535, and where it goes wrong."""

from __future__ import annotations

import re
from typing import NoReturn

from itemstore.projections.queries.errors import InvalidQuery

LONGEST = 4000
"""Characters of one parameter. What one integer has stays below what Python takes (4,300)."""

FARTHEST = 2**53 - 1
"""The largest index of an array (RFC 9535 section 2.1)."""

NAME = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-/:-@\[-^`{-\x7f]*")
"""A name that needs no quotes: member-name-shorthand (section 2.5.1.1)."""

DASHED_NAME = re.compile(r"[^\x00-@\[-^`{-\x7f][^\x00-,./:-@\[-^`{-\x7f]*")
"""A name that stands alone, so a dash in it can be nothing else."""

_BLANKS = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(?:-?[1-9][0-9]*|-?0)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[1-9][0-9]*|0")
_PLAIN = {quote: re.compile(rf"[^{quote}\\\x00-\x1f]*") for quote in ("'", '"')}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_HIGH, _LOW, _AFTER = 0xD800, 0xDC00, 0xE000  # surrogates of both kinds, and what is after them
_HEX = re.compile(r"[0-9A-Fa-f]{4}")


class Scanner:
    """A text, and how many of its characters have been read.

    What can't be read raises InvalidQuery with the place.
    """

    def __init__(self, text: str, parameter: str, *, longest: int = LONGEST) -> None:
        self.text, self.parameter, self.place = text, parameter, 0
        if len(text) > longest:
            self.fail(f"it has more than {longest:,} characters", longest)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self.fail("a lone surrogate is not a character", error.start)

    def fail(self, reason: str, place: int | None = None) -> NoReturn:
        """Raises InvalidQuery at the place, where nothing else is said the next character's."""
        raise InvalidQuery(self.parameter, reason, self.place if place is None else place)

    @property
    def is_at_end(self) -> bool:
        """Whether all has been read."""
        return self.place == len(self.text)

    @property
    def next(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.place : self.place + 1]

    def skip_blanks(self) -> None:
        """Reads the blank characters that come next."""
        self.match(_BLANKS)

    def takes(self, *words: str) -> str:
        """The first of the words that comes next, which is read then; "" if none does."""
        for word in words:
            if self.text.startswith(word, self.place):
                self.place += len(word)
                return word
        return ""

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern takes of the text that comes next, which is read then."""
        found = pattern.match(self.text, self.place)
        if found:
            self.place = found.end()
        return found

    def need(self, *words: str) -> str:
        """Reads one of the words."""
        word = self.takes(*words)
        if not word:
            self.unexpected(" or ".join(words))
        return word

    def unexpected(self, wanted: str) -> NoReturn:
        """What comes next is not what is wanted."""
        found = repr(self.next) if self.next else "the end"
        self.fail(f"expected {wanted}, found {found}")

    def integer(self, wanted: str) -> int:
        """Reads an integer that may stand for a place in an array."""
        place = self.place
        found = self.match(_INTEGER)
        if not found:
            self.unexpected(wanted)
        if self.next.isdecimal():
            self.fail("a number does not begin with a zero", place)
        number = int(found.group())
        if abs(number) > FARTHEST:
            self.fail("the index is beyond 2^53 - 1", place)
        return number

    def number(self) -> int | float:
        """Reads a number, as it would be read in a body: exact if an integer, else 64-bit."""
        place = self.place
        found = self.match(_NUMBER)
        if not found or NAME.match(self.next) or self.next in tuple(".0123456789"):
            self.fail("this is not a number as JSON writes one", place)
        return float(found.group()) if found[1] or found[2] else int(found.group())

    def string(self) -> str:
        """Reads a string in quotes of either kind."""
        place, quote = self.place, self.need("'", '"')
        parts: list[str] = []
        while True:
            parts.append(self.match(_PLAIN[quote]).group())  # type: ignore[union-attr]
            if self.takes(quote):
                return "".join(parts)
            if self.is_at_end:
                self.fail("the quote is not closed", place)
            if not self.takes("\\"):
                self.fail(f"the character U+{ord(self.next):04X} has to be escaped in a string")
            parts.append(self._escaped(quote))

    def _escaped(self, quote: str) -> str:
        """Reads what follows a backslash."""
        place = self.place - 1
        if self.takes("u"):
            return self._code_point(place)
        found = self.takes(quote, *_ESCAPES)
        if not found:
            self.fail("there is no such escape", place)
        return _ESCAPES.get(found, found)

    def _code_point(self, place: int) -> str:
        code = self._hex(place)
        if _HIGH <= code < _LOW and self.takes("\\u"):
            low = self._hex(place)
            if _LOW <= low < _AFTER:
                return chr(0x10000 + ((code & 0x3FF) << 10 | low & 0x3FF))
        if _HIGH <= code < _AFTER:
            self.fail("a lone surrogate is not a character", place)
        return chr(code)

    def _hex(self, place: int) -> int:
        found = self.match(_HEX)
        if not found:
            self.fail("\\u needs four hexadecimal digits", place)
        return int(found.group(), 16)
