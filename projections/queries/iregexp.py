"""Reading regular expressions by the grammar of I-Regexp (RFC 9485 section 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

LONGEST = 10_000
"""Characters that a pattern has when what it repeats is written out."""

DEEPEST = 50
"""Levels of parentheses."""

_ESCAPE = r"\\[(-+\-.?\[-^nrt{-}]"
_CATEGORY = r"\\[pP]\{(?:L[lmotu]?|M[cen]?|N[dlo]?|P[c-fios]?|Z[lps]?|S[ckmo]?|C[cfno]?)\}"
_IN_CLASS = rf"(?:[^\-\[\]\\]|{_ESCAPE})"
_MEMBER = rf"(?:{_IN_CLASS}(?:-{_IN_CLASS})?|{_CATEGORY})"

_CHARACTER = re.compile(rf"[^(-+.?\[-\]{{-}}]|{_ESCAPE}", re.DOTALL)
_CLASS = re.compile(rf"{_CATEGORY}|\[\^?(?:-|{_MEMBER}){_MEMBER}*-?\]", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]+)(,([0-9]*))?\}")
_CONTROLS = {r"\n": "\n", r"\r": "\r", r"\t": "\t"}
_ANCHORS = {"^": r"(?:\A)", "$": r"(?:\Z)"}


class NotARegexp(ValueError):
    """A pattern that is no I-Regexp."""


class TooComplex(ValueError):
    """A pattern that is, and that nobody should look for: too long, written out, or too deep."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern as Python's `regex` has it, and how long it is, written out.

    `literal` is the one character that it stands for, None where it stands for anything else.
    """

    translated: str
    size: int
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a string begins with that matches a pattern; `is_all` where it is the whole string."""

    text: str
    is_all: bool


@dataclass(frozen=True, slots=True)
class Regexp:
    """A pattern as Python's `regex` has it, and its pieces where it has one branch only."""

    translated: str
    pieces: Sequence[Piece] | None

    def prefix(self, *, whole: bool) -> Prefix:
        """What a string begins with that it matches, as a whole or in a part.

        That may be nothing.
        """
        if self.pieces is None:
            return Prefix("", is_all=False)
        begins = [each.translated for each in self.pieces[:1]] == [_ANCHORS["^"]]
        if not (whole or begins):
            return Prefix("", is_all=False)
        literals = [each.literal for each in self.pieces[begins:]]
        text = "".join(takewhile(bool, literals))  # type: ignore[arg-type]
        return Prefix(text, is_all=whole and len(text) == len(literals))


def regexp_of(pattern: str) -> Regexp:
    """The pattern that a text stands for. Raises NotARegexp, TooComplex.

    A dot is any character but those that end a line (section 5.3). `^` and `$` are the text's
    beginning and end, as in the compliance suite of RFC 9535.
    """
    if len(pattern) > LONGEST:
        raise TooComplex(f"it has more than {LONGEST:,} characters")
    try:
        pattern.encode()
    except UnicodeEncodeError:  # a lone surrogate
        raise NotARegexp from None
    reader = _Reader(pattern)
    branches = reader.branches()
    if not reader.is_at_end:
        raise NotARegexp
    pieces = branches[0] if len(branches) == 1 else None
    return Regexp(_written(branches).translated, pieces)


class _Reader:
    """A pattern, read from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._place, self._depth = pattern, 0, 0

    @property
    def is_at_end(self) -> bool:
        return self._place == len(self._pattern)

    def branches(self) -> list[list[Piece]]:
        """Alternatives, each with its pieces."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise TooComplex(f"it has more than {DEEPEST} levels of parentheses")
        branches = [self._branch()]
        while self._takes("|"):
            branches.append(self._branch())
        self._depth -= 1
        return branches

    def _branch(self) -> list[Piece]:
        pieces: list[Piece] = []
        while not self.is_at_end and self._pattern[self._place] not in "|)":
            pieces.append(self._piece())
        return pieces

    def _piece(self) -> Piece:
        atom = self._atom()
        found = self._match(_QUANTIFIER)
        if not found:
            return atom
        return _bounded(Piece(atom.translated + found.group(), atom.size * _times(found)))

    def _atom(self) -> Piece:
        if self._takes("("):
            inner = _written(self.branches())
            if not self._takes(")"):
                raise NotARegexp
            return inner
        if self._takes("."):
            return Piece(r"[^\n\r]", 1)
        if found := self._match(_CLASS):
            text = found.group()
            return Piece(r"\^" if text == "[^]" else text, 1)  # to Python that would not be the end
        found = self._match(_CHARACTER)
        if not found:
            raise NotARegexp
        text = found.group()
        if text in _ANCHORS:
            return Piece(_ANCHORS[text], 1)
        literal = _CONTROLS.get(text, text[-1])
        return Piece(re.escape(literal), 1, literal)

    def _takes(self, character: str) -> bool:
        found = self._pattern.startswith(character, self._place)
        self._place += found
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._pattern, self._place)
        if found:
            self._place = found.end()
        return found


def _times(quantifier: re.Match[str]) -> int:
    """How many times what is repeated is written, if it is: `a+` is `aa*`, and `a{2,}` is `aaa*`.

    So it is compiled, and therefore repetitions in repetitions may take any time and memory.
    """
    least, most = quantifier[1] or ("1" if quantifier.group() == "+" else "0"), quantifier[3]
    counts = [int(each.lstrip("0")[:6] or 0) for each in (least, most or least)]
    if counts[0] == 0 or quantifier.group() == "{1}":
        return max(counts[1], 1)
    return max(counts[0] + 1, counts[1])


def _written(branches: Sequence[Sequence[Piece]]) -> Piece:
    """Alternatives as one piece."""
    text = "|".join("".join(each.translated for each in branch) for branch in branches)
    size = sum(each.size for branch in branches for each in branch)
    return _bounded(Piece(f"(?:{text})", max(size, 1)))


def _bounded(piece: Piece) -> Piece:
    if piece.size > LONGEST:
        raise TooComplex(f"it has more than {LONGEST:,} characters, its repetitions written out")
    return piece
