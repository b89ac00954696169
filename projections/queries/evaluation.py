"""What a filter expression says of a value (RFC 9535 sections 2.3.5.2 and 2.4), made a function.

Nodes are their values: no function of an expression asks where one is. They are taken one at a
time, so nothing is held that is only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import ge, gt, le, lt
from typing import Any

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
from itemstore.projections.queries.paths import MISSING, Path, value_at
from itemstore.projections.queries.patterns import pattern_of

Evaluator = Callable[[Any, Any], bool]
"""Whether it is true of a current node, given the root."""

Getter = Callable[[Any, Any], Any]
"""A value, or MISSING, given the current node and the root."""

Nodes = Callable[[Any, Any], Iterable[Any]]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def evaluator(test: Test) -> Evaluator:
    """The function that says whether the test is true."""
    match test:
        case Comparison():
            return _comparison(test)
        case Exists(selection):
            return _existence(selection)
        case Matches():
            return _matching(test)
        case Not(inner):
            negated = evaluator(inner)
            return lambda current, root: not negated(current, root)
        case And(tests):
            every = [evaluator(each) for each in tests]
            return lambda current, root: all(each(current, root) for each in every)
        case Or(tests):
            some = [evaluator(each) for each in tests]
            return lambda current, root: any(each(current, root) for each in some)


def _existence(selection: Selection) -> Evaluator:
    if selection.steps is not None:
        get = _getter(selection)
        return lambda current, root: get(current, root) is not MISSING
    nodes = _nodes(selection)
    return lambda current, root: any(True for _ in nodes(current, root))


def _comparison(test: Comparison) -> Evaluator:
    left, right = _getter(test.left), _getter(test.right)
    match test.operator:
        case "==":
            return lambda current, root: equal(left(current, root), right(current, root))
        case "!=":
            return lambda current, root: not equal(left(current, root), right(current, root))
    compare = _ORDERS[test.operator]
    or_equal = test.operator in {"<=", ">="}

    def ordered(current: Any, root: Any) -> bool:
        one, other = left(current, root), right(current, root)
        kind = _kind(one)
        if kind is not None and kind is _kind(other):
            return compare(one, other)
        return or_equal and equal(one, other)

    return ordered


def _kind(value: Any) -> type | None:
    """What values are ordered among: numbers or strings. None for others."""
    match value:
        case str():
            return str
        case bool():
            return None
        case int() | float():
            return float
    return None


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same (section 2.3.5.2.2); MISSING is so to itself only.

    Not as Python has it: there true is 1, and what is nested deep can't be compared.
    """
    pairs = [(one, other)]
    for mine, theirs in pairs:  # it grows while it is gone through
        if isinstance(mine, dict) and isinstance(theirs, dict):
            if mine.keys() != theirs.keys():
                return False
            pairs += [(value, theirs[name]) for name, value in mine.items()]
        elif isinstance(mine, list) and isinstance(theirs, list):
            if len(mine) != len(theirs):
                return False
            pairs += zip(mine, theirs, strict=True)
        elif mine != theirs or isinstance(mine, bool) is not isinstance(theirs, bool):
            return False
    return True


def _matching(test: Matches) -> Evaluator:
    text, pattern, whole = _getter(test.text), _getter(test.pattern), test.whole

    def matches(current: Any, root: Any) -> bool:
        given, looked_for = text(current, root), pattern(current, root)
        if not isinstance(given, str) or not isinstance(looked_for, str):
            return False
        return pattern_of(looked_for).is_in(given, whole=whole)

    return matches


def _getter(value: Value) -> Getter:
    match value:
        case Literal(constant):
            return lambda _current, _root: constant
        case Length(of):
            return _length(_getter(of))
        case Count(of):
            counted = _nodes(of)
            return lambda current, root: sum(1 for _ in counted(current, root))
        case ValueOf(of):
            return _only(_nodes(of))
        case Selection():
            return _single(value)


def _length(get: Getter) -> Getter:
    def length(current: Any, root: Any) -> Any:
        value = get(current, root)
        return len(value) if isinstance(value, str | list | dict) else MISSING

    return length


def _only(nodes: Nodes) -> Getter:
    def only(current: Any, root: Any) -> Any:
        found = list(islice(nodes(current, root), 2))
        return found[0] if len(found) == 1 else MISSING

    return only


def _single(selection: Selection) -> Getter:
    assert selection.steps is not None
    path = Path(selection.steps)
    if selection.of_root:
        return lambda _current, root: value_at(path, root)
    return lambda current, _root: value_at(path, current)


def _nodes(selection: Selection) -> Nodes:
    selects = [_segment(segment) for segment in selection.segments]
    of_root = selection.of_root

    def nodes(current: Any, root: Any) -> Iterable[Any]:
        found: Iterable[Any] = (root if of_root else current,)
        for select in selects:
            found = select(found, root)
        return found

    return nodes


def _segment(segment: Segment) -> Callable[[Iterable[Any], Any], Iterator[Any]]:
    selects = [_selector(selector) for selector in segment.selectors]

    def selected(nodes: Iterable[Any], root: Any) -> Iterator[Any]:
        for node in nodes:
            for each in _with_descendants(node) if segment.descends else (node,):
                for select in selects:
                    yield from select(each, root)

    return selected


def _with_descendants(node: Any) -> Iterator[Any]:
    """The node and all below it that have something in them, each before what is in it."""
    waiting = [iter((node,))]
    while waiting:
        for value in waiting[-1]:
            if isinstance(value, dict | list):
                yield value
                waiting.append(iter(value.values() if isinstance(value, dict) else value))
                break
        else:
            waiting.pop()


def _selector(selector: Selector) -> Callable[[Any, Any], Iterable[Any]]:
    match selector:
        case Name(step) | Index(step):
            path = Path((step,))
            return lambda node, _root: (
                () if (value := value_at(path, node)) is MISSING else (value,)
            )
        case Slice(start, end, step):
            part = slice(start, end, step)
            return lambda node, _root: (
                node[part] if isinstance(node, list) and part.step != 0 else ()
            )
        case Wildcard():
            return lambda node, _root: _children(node)
        case Filter(test):
            accepts = evaluator(test)
            return lambda node, root: (each for each in _children(node) if accepts(each, root))


def _children(node: Any) -> Iterable[Any]:
    match node:
        case dict():
            return node.values()
        case list():
            return node
    return ()
