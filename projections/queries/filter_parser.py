"""Reading filter expressions, by the grammar of RFC 9535 (section 2.3.5 and appendix A)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from itemstore.projections.queries.expressions import (
    And,
    Comparison,
    Count,
    Exists,
    Filter,
    Index,
    Length,
    Literal,
    Matches,
    Name,
    Not,
    Or,
    Segment,
    Selection,
    Selector,
    Slice,
    Test,
    Value,
    ValueOf,
    Wildcard,
)
from itemstore.projections.queries.iregexp import NotARegexp, TooComplex, regexp_of
from itemstore.projections.queries.scanner import NAME, Scanner

DEEPEST = 50
"""Levels of parentheses, functions and filters within filters."""

MOST_SEGMENTS = 100
"""Segments of a query."""

_COMPARISONS = ("==", "!=", "<=", "<", ">=", ">")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_FUNCTIONS = ("length", "count", "match", "search", "value")


class FilterParser:
    """Reads an expression, or a part of one, from a text.

    What can't be read raises InvalidQuery with the place.
    """

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0

    def whole(self) -> Test:
        """The expression that the whole text is."""
        self._scanner.skip_blanks()
        test = self._any()
        self._scanner.skip_blanks()
        if not self._scanner.is_at_end:
            self._scanner.unexpected("&&, || or the end")
        return test

    def selection(self) -> Selection:
        """A query, which begins with @ or $."""
        of_root = self._scanner.need("@", "$") == "$"
        segments: list[Segment] = []
        while segment := self._segment():
            segments.append(segment)
            if len(segments) > MOST_SEGMENTS:
                self._scanner.fail(f"a query has at most {MOST_SEGMENTS} segments")
        return Selection(of_root, tuple(segments))

    def _any(self) -> Test:
        tests = self._joined("||", self._all)
        return tests[0] if len(tests) == 1 else Or(tests)

    def _all(self) -> Test:
        tests = self._joined("&&", self._basic)
        return tests[0] if len(tests) == 1 else And(tests)

    def _joined(self, operator: str, part: Callable[[], Test]) -> tuple[Test, ...]:
        tests = [part()]
        while True:
            place = self._scanner.place
            self._scanner.skip_blanks()
            if not self._scanner.takes(operator):
                self._scanner.place = place
                return tuple(tests)
            self._scanner.skip_blanks()
            tests.append(part())

    def _basic(self) -> Test:
        """One test: in parentheses, of a comparison, of a query or of a function."""
        scanner = self._scanner
        negated = bool(scanner.takes("!"))
        if negated:
            scanner.skip_blanks()
        if scanner.takes("("):
            test = self._in_parentheses()
        else:
            test = self._unparenthesized(negated=negated)
        return Not(test) if negated else test

    def _in_parentheses(self) -> Test:
        with self._deeper():
            self._scanner.skip_blanks()
            test = self._any()
            self._scanner.skip_blanks()
            if not self._scanner.takes(")"):
                self._scanner.unexpected("&&, || or )")
        return test

    def _unparenthesized(self, *, negated: bool) -> Test:
        scanner = self._scanner
        start = scanner.place
        left = self._operand()
        end = scanner.place
        scanner.skip_blanks()
        place = scanner.place
        operator = scanner.takes(*_COMPARISONS)
        if not operator:
            scanner.place = end
            return self._test(left, start)
        if negated:
            scanner.fail("! before a comparison needs parentheses around that", place)
        scanner.skip_blanks()
        second = scanner.place
        right = self._operand()
        return Comparison(self._value(left, start), operator, self._value(right, second))

    def _operand(self) -> Value | Matches:
        """What a comparison or a test begins with."""
        scanner = self._scanner
        if scanner.next in ("@", "$"):
            return self.selection()
        if scanner.next in ("'", '"'):
            return Literal(scanner.string())
        if scanner.next and scanner.next in "-0123456789":
            return Literal(scanner.number())
        place = scanner.place
        name = scanner.match(NAME)
        if not name:
            scanner.unexpected("a query (@ or $), a value, a function or (")
        word = name.group()
        if scanner.next == "(":
            return self._function(word, place)
        if word not in _WORDS:
            said = f"{word:.40} means nothing: a member is @.{word:.40}, a string stands in quotes"
            scanner.fail(said, place)
        return Literal(_WORDS[word])

    def _test(self, operand: Value | Matches, place: int) -> Test:
        if isinstance(operand, Matches):
            return operand
        if not isinstance(operand, Selection):
            self._scanner.fail("a value alone is no condition: it has to be compared", place)
        return Exists(operand)

    def _value(self, operand: Value | Matches, place: int) -> Value:
        if isinstance(operand, Matches):
            self._scanner.fail("this function is true or false, which can't be compared", place)
        if isinstance(operand, Selection) and operand.steps is None:
            self._scanner.fail(
                "this query may select several values, so it can't be compared", place
            )
        return operand

    def _function(self, name: str, place: int) -> Value | Matches:
        if name not in _FUNCTIONS:
            known = ", ".join(_FUNCTIONS)
            self._scanner.fail(f"there is no function {name:.40}; there are {known}", place)
        with self._deeper():
            arguments = self._arguments()
        wanted = 2 if name in ("match", "search") else 1
        if len(arguments) != wanted:
            many = "1 argument" if wanted == 1 else "2 arguments"
            self._scanner.fail(f"{name} takes {many}, not {len(arguments)}", place)
        if name in ("count", "value"):
            selection, begins = arguments[0]
            if not isinstance(selection, Selection):
                self._scanner.fail(f"{name} takes a query", begins)
            return Count(selection) if name == "count" else ValueOf(selection)
        values = [self._value(*argument) for argument in arguments]
        if isinstance(values[-1], Literal):
            self._check_pattern(values[-1], arguments[-1][1])
        if name == "length":
            return Length(values[0])
        return Matches(values[0], values[1], whole=name == "match")

    def _check_pattern(self, literal: Literal, place: int) -> None:
        """One that is no I-Regexp is allowed, and in nothing (section 2.4.6)."""
        try:
            with suppress(NotARegexp):
                regexp_of(str(literal.value))
        except TooComplex as error:
            self._scanner.fail(f"the regular expression can't be looked for: {error}", place)

    def _arguments(self) -> list[tuple[Value | Matches, int]]:
        """The arguments of a function, each with its place."""
        scanner = self._scanner
        scanner.need("(")
        scanner.skip_blanks()
        arguments: list[tuple[Value | Matches, int]] = []
        if scanner.takes(")"):
            return arguments
        while True:
            place = scanner.place
            arguments.append((self._operand(), place))
            scanner.skip_blanks()
            if scanner.need(",", ")") == ")":
                return arguments
            scanner.skip_blanks()

    def _segment(self) -> Segment | None:
        """The segment that comes next, if one does."""
        scanner = self._scanner
        place = scanner.place
        scanner.skip_blanks()
        dots = scanner.takes("..", ".")
        if dots != "." and scanner.takes("["):
            return Segment(self._selectors(), descends=dots == "..")
        if not dots:
            scanner.place = place
            return None
        if scanner.takes("*"):
            return Segment((Wildcard(),), descends=dots == "..")
        name = scanner.match(NAME)
        if not name:
            scanner.unexpected("a name, * or [" if dots == ".." else "a name or *")
        return Segment((Name(name.group()),), descends=dots == "..")

    def _selectors(self) -> tuple[Selector, ...]:
        scanner = self._scanner
        selectors: list[Selector] = []
        while True:
            scanner.skip_blanks()
            selectors.append(self._selector())
            scanner.skip_blanks()
            if scanner.need(",", "]") == "]":
                return tuple(selectors)

    def _selector(self) -> Selector:
        scanner = self._scanner
        if scanner.next in ("'", '"'):
            return Name(scanner.string())
        if scanner.takes("*"):
            return Wildcard()
        if scanner.takes("?"):
            with self._deeper():
                scanner.skip_blanks()
                return Filter(self._any())
        if scanner.next == ":":
            return self._slice(None)
        start = scanner.integer("a name in quotes, a number, *, : or ?")
        place = scanner.place
        scanner.skip_blanks()
        if scanner.next == ":":
            return self._slice(start)
        scanner.place = place
        return Index(start)

    def _slice(self, start: int | None) -> Slice:
        parts: list[int | None] = []
        while len(parts) < 2 and self._scanner.takes(":"):  # noqa: PLR2004
            self._scanner.skip_blanks()
            parts.append(self._optional_integer())
            self._scanner.skip_blanks()
        end, step = (*parts, None)[:2]
        return Slice(start, end, step)

    def _optional_integer(self) -> int | None:
        if self._scanner.next and self._scanner.next in "-0123456789":
            return self._scanner.integer("a number")
        return None

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            self._scanner.fail(f"it is nested in more than {DEEPEST} levels")
        yield
        self._depth -= 1
