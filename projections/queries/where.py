r"""Whether an item is one of those that are asked for: a filter expression of RFC 9535.

    @.price_cents < 1000 && match(@.title, "As.*")
    @.tags[?@ == "new"] || !@.discontinued
    count(@.lines[?@.quantity > 10]) >= 2

- `@` is the item's body, and so is `$`; inside of a filter in the expression `@` is what that one
  looks at, and `$` the body still.
- `@.a`, `@['a b']`, `@.tags[0]`, `@.tags[-1]` lead to one value; `@.*`, `@.tags[*]`, `@.tags[1:3]`,
  `@..a`, `@['a','b']` and `@.lines[?@.sku == "x"]` to any number of them.
- Alone, a query is true where it leads to anything, be it null or false; `!` is the opposite.
- `==`, `!=`, `<`, `<=`, `>`, `>=` compare what leads to one value, functions and literals: numbers,
  strings in either quotes, true, false, null. Numbers are compared with numbers and strings, by
  code point, with strings; of other kinds nothing is smaller. What is missing equals what is
  missing, so `@.a != 1` is true of items without `a`.
- `&&` before `||`, and parentheses.
- `length(value)` of a string, array or object; `count(query)` of what a query leads to;
  `value(query)` if that is one value; `match(value, pattern)` of the whole string and
  `search(value, pattern)` of any part, with an I-Regexp (RFC 9485): no `\d`, but `[0-9]` and
  `\p{L}`.
- Bounds: 4,000 characters, 50 levels of parentheses and filters, 100 segments of a query, and
  10,000 characters of a pattern with its repetitions written out (docs/decisions/0057).
"""

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

    __slots__ = ("_evaluate", "test")

    def __init__(self, test: Test) -> None:
        self.test = test
        self._evaluate: Callable[[Any, Any], bool] = evaluator(test)

    @classmethod
    def of(cls, text: str) -> Where:
        """The expression that the whole text is. Raises InvalidQuery with the place."""
        return cls(FilterParser(Scanner(text, "where")).whole())

    def matches(self, body: Any) -> bool:
        """Whether it is true of a body, as json.loads gives it.

        Raises QueryTooExpensive where a regular expression takes too long.
        """
        return self._evaluate(body, body)
