"""Filter expressions at random, and bodies: of few names and values, so that they often meet."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from itemstore.projections.queries.scanner import LONGEST

LONG = "x" * 998
"""With one more character its sort key is as long as a key may be, so longer ones are ties."""

NUMBERS: list[Any] = [0, 1, 1.0, -1, 1.5, 2**53, 2**53 + 1, float(2**53), 10**400, -(10**400)]
STRINGS = ["", "a", "ab", "abc", "a\n", "b", "é", "\U0001f600", "1", *(LONG + end for end in "ay")]
STRINGS += [LONG + "ya", LONG + "yb"]
SCALARS = [*NUMBERS, *STRINGS, True, False, None]

VALUES: list[Any] = [*SCALARS, [], [1], ["a", 1, True], {}, {"a": 1}, {"b": "ab"}]
BODIES: list[Any] = [{}, {"b": 1}, *({"a": value} for value in VALUES)]
BODIES += [{"a": value, "b": VALUES[-number]} for number, value in enumerate(VALUES)]

PATTERNS = ["", "a", "a.*", "ab?", "a{1,20}b*", "[a-b]+", "a|b", "^a", "^ab|b", "b$", "(a", "a\\."]
PATTERNS += ["x.*", "^", "$", "^?a", "a\\n", "(a)(b)", "a{0}b", "\\p{Ll}b?"]

LITERALS = st.sampled_from([*(json.dumps(each) for each in SCALARS), "1e400", "-1e400", "1e0"])
SINGULAR = st.sampled_from(["@.a", "@.b", "$.a", "@['a']", "@.a.b", "@.a[0]", "@.b[-1]", "@"])
QUERIES = SINGULAR | st.sampled_from(["@.*", "@..a", "@.a[*]", "@.b[0:2]", "@.a[?@ == 1]", "$..*"])
COMPARABLES = (
    LITERALS
    | SINGULAR
    | st.builds("length({})".format, SINGULAR)
    | st.builds("count({})".format, QUERIES)
    | st.builds("value({})".format, QUERIES)
)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
TESTS = (
    st.builds("@.a {} {}".format, OPERATORS, LITERALS)
    | st.builds("{} {} @.a".format, LITERALS, OPERATORS)
    | st.builds("{} {} {}".format, COMPARABLES, OPERATORS, COMPARABLES)
    | st.builds("{}{}".format, st.sampled_from(["", "!"]), QUERIES)
    | st.builds(
        "{}({}, {})".format,
        st.sampled_from(["match", "search", "!match", "!search"]),
        SINGULAR,
        st.sampled_from(PATTERNS).map(json.dumps),
    )
)
FILTERS = st.recursive(
    TESTS,
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!({})".format, inner)
    ),
    max_leaves=5,
).filter(lambda text: len(text) <= LONGEST)
"""Texts of expressions, of what the grammar has."""

PATH_WORDS = [
    "@",
    "$",
    ".",
    "..",
    "[",
    "]",
    "*",
    ",",
    "-",
    "a",
    "'a'",
    '"',
    "\\u",
    "0",
    "1:",
    "?",
    "b'c",
    "é",
]
PATH_TEXTS = st.lists(st.sampled_from(PATH_WORDS) | st.characters(), max_size=12).map("".join)
"""Texts that are paths with commas, or nearly so."""
