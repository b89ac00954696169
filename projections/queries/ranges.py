"""Which sort keys of an indexed path a filter expression leaves possible.

They leave nothing out that could match. So a part of an expression that says nothing of the path,
or nothing that keys can say, leaves all of them; and where a key that is cut off could be on either
side of a border, it is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from itemstore.projections.queries.evaluation import evaluator
from itemstore.projections.queries.expressions import (
    And,
    Comparison,
    Exists,
    Literal,
    Matches,
    Not,
    Or,
    Selection,
    Test,
)
from itemstore.projections.queries.iregexp import NotARegexp, Prefix, regexp_of
from itemstore.projections.queries.paths import Path
from itemstore.projections.queries.sort_keys import (
    END,
    FALSE,
    KEY_BYTES,
    sort_key,
)
from itemstore.projections.queries.where import Where

MOST_RANGES = 100
"""Ranges that are told apart; of more, what is from the first to the last."""

Range = tuple[bytes, bytes]
"""Keys from the first one on, and before the second."""

_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Ranges:
    """Keys that are in one of some ranges, which are in order and apart.

    `with_missing` says whether items that have no value at the path, and so no key, are among
    them. Where it `is_exact`, the expression is true of every item that is in them.
    """

    ranges: tuple[Range, ...]
    with_missing: bool
    is_exact: bool

    def includes(self, key: bytes | None) -> bool:
        """Whether a key is in them; None is that of an item without a value."""
        if key is None:
            return self.with_missing
        return any(low <= key < high for low, high in self.ranges)


_ALL: tuple[Range, ...] = ((b"", END),)
_EVERYTHING = Ranges(_ALL, with_missing=True, is_exact=False)
"""What is left where nothing is known."""

_NOTHING = Ranges((), with_missing=False, is_exact=True)
"""What is left where nothing is possible."""


def ranges_of(where: Where, path: Path) -> Ranges | None:
    """The keys at the path that items have of which the expression is true, and maybe others.

    None where that is all of them.
    """
    found = _Narrowing(path).of(where.test)
    if found.ranges == _ALL and found.with_missing:
        return None
    if len(found.ranges) > MOST_RANGES:
        whole = (found.ranges[0][0], found.ranges[-1][1])
        return Ranges((whole,), found.with_missing, is_exact=False)
    return found


class _Narrowing:
    """What tests leave possible of the keys at a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, test: Test, *, negated: bool = False) -> Ranges:
        """The keys where the test is true or, negated, where it is not."""
        match test:
            case Not(inner):
                return self.of(inner, negated=not negated)
            case And(tests) | Or(tests):
                parts = [self.of(each, negated=negated) for each in tests]
                join = _either if isinstance(test, Or) is not negated else _both
                found = parts[0]
                for each in parts[1:]:
                    found = join(found, each)
                return found
            case Comparison():
                found = self._comparison(test)
            case Exists(selection):
                found = self._existence(selection)
            case Matches():
                found = self._matching(test)
        return _opposite(found) if negated else found

    def _is_here(self, operand: object) -> bool:
        return isinstance(operand, Selection) and operand.steps == self._path.steps

    def _existence(self, selection: Selection) -> Ranges:
        if not self._is_here(selection):
            return _EVERYTHING
        return Ranges(_ALL, with_missing=False, is_exact=True)

    def _comparison(self, test: Comparison) -> Ranges:
        left, right = test.left, test.right
        if isinstance(left, Literal) and isinstance(right, Literal):
            is_true = evaluator(test)(None, None)
            return Ranges(_ALL if is_true else (), with_missing=is_true, is_exact=True)
        if self._is_here(left) and isinstance(right, Literal):
            return _compared(test.operator, right)
        if self._is_here(right) and isinstance(left, Literal):
            return _compared(_MIRRORED[test.operator], left)
        return _EVERYTHING

    def _matching(self, test: Matches) -> Ranges:
        if not self._is_here(test.text) or not isinstance(test.pattern, Literal):
            return _EVERYTHING
        pattern = test.pattern.value
        if not isinstance(pattern, str):
            return _NOTHING
        try:
            return _beginning(regexp_of(pattern).prefix(whole=test.whole))
        except NotARegexp:
            return _NOTHING


def _compared(operator: str, literal: Literal) -> Ranges:
    """The keys of values that compare so with the literal."""
    key = sort_key(literal.value)
    after = key + b"\0"
    is_exact = len(key) < KEY_BYTES
    low, high = _kind(key)
    if operator == "!=":
        return _opposite(_compared("==", literal))
    found: dict[str, Range] = {
        "==": (key, after),
        "<": (low, key if is_exact else after),
        "<=": (low, after),
        ">": (after if is_exact else key, high),
        ">=": (key, high),
    }
    if low >= FALSE and operator in {"<", ">"}:  # only numbers and strings have an order
        return _NOTHING
    chosen = found[operator if low < FALSE else "=="]
    return Ranges((chosen,) if chosen[0] < chosen[1] else (), with_missing=False, is_exact=is_exact)


def _kind(key: bytes) -> Range:
    """All keys of the values that are of the same kind."""
    return key[:1], _after_prefix(key[:1])


def _beginning(prefix: Prefix) -> Ranges:
    """The keys of strings that begin so."""
    key = sort_key(prefix.text)
    if prefix.is_all:
        return _compared("==", Literal(prefix.text))
    if len(key) == KEY_BYTES:
        return Ranges(((key, key + b"\0"),), with_missing=False, is_exact=False)
    return Ranges(((key, _after_prefix(key)),), with_missing=False, is_exact=False)


def _after_prefix(key: bytes) -> bytes:
    """The first key that is after all those that begin so. No UTF-8 has a byte FF."""
    return key[:-1] + bytes((key[-1] + 1,))


def _both(one: Ranges, other: Ranges) -> Ranges:
    ranges: list[Range] = []
    mine, theirs = list(one.ranges), list(other.ranges)
    while mine and theirs:
        low, high = max(mine[0][0], theirs[0][0]), min(mine[0][1], theirs[0][1])
        if low < high:
            ranges.append((low, high))
        (mine if mine[0][1] == high else theirs).pop(0)
    return _joined(ranges, one, other, with_missing=one.with_missing and other.with_missing)


def _either(one: Ranges, other: Ranges) -> Ranges:
    ranges: list[Range] = []
    for low, high in sorted((*one.ranges, *other.ranges)):
        if ranges and low <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], high))
        else:
            ranges.append((low, high))
    return _joined(ranges, one, other, with_missing=one.with_missing or other.with_missing)


def _joined(ranges: Sequence[Range], one: Ranges, other: Ranges, *, with_missing: bool) -> Ranges:
    return Ranges(tuple(ranges), with_missing, is_exact=one.is_exact and other.is_exact)


def _opposite(found: Ranges) -> Ranges:
    if not found.is_exact:
        return _EVERYTHING
    ends = [b"", *(border for each in found.ranges for border in each), END]
    ranges = [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low < high]
    return Ranges(tuple(ranges), with_missing=not found.with_missing, is_exact=True)
