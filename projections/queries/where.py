"""Whether an item is one of those that are asked for: a filter expression of RFC 9535."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from itemstore.projections.queries.evaluation import evaluator
from itemstore.projections.queries.expressions import Test
from itemstore.projections.queries.filter_parser import FilterParser
from itemstore.projections.queries.scanner import Scanner


class Where:
    """A filter expression (RFC 9535 section 2.3.5), without the `$[?` and `]` around it.

    `@` is the item's body. So is `$`, the root: what a query looks at is each item by itself, and
    no expression sees another one. Inside of a filter in the expression `@` is what that one looks
    at, and `$` the body still: `@.lines[?@.price > $.limit]`.
    """

    __slots__ = ("_evaluate", "test", "text")

    def __init__(self, text: str, test: Test) -> None:
        self.text, self.test = text, test
        self._evaluate: Callable[[Any, Any], bool] = evaluator(test)

    @classmethod
    def of(cls, text: str, parameter: str = "where") -> Where:
        """The expression that the whole text is. Raises InvalidQuery with the place."""
        return cls(text, FilterParser(Scanner(text, parameter)).whole())

    def matches(self, body: Any) -> bool:
        """Whether it is true of a body, as json.loads gives it.

        Raises QueryTooExpensive where a regular expression takes too long.
        """
        return self._evaluate(body, body)
