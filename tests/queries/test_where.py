"""Filter expressions: what they mean, where they go wrong, and that nothing else comes of them."""

from __future__ import annotations

import json
from typing import Any

import jsonpath_rfc9535 as jsonpath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive
from itemstore.projections.queries.filter_parser import DEEPEST, MOST_SEGMENTS
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.ranges import ranges_of
from itemstore.projections.queries.scanner import LONGEST
from itemstore.projections.queries.where import Where
from tests.queries.expressions import BODIES, FILTERS

BODY: dict[str, Any] = {
    "title": "As You Like It",
    "price": 1000,
    "big": 9007199254740993,
    "huge": 10**400,
    "价格": 1,
    "it's": '"',
    "zero": 0,
    "no": False,
    "null": None,
    "one": [1],
    "yes": [True],
    "empty": "",
    "tags": ["play", "comedy"],
    "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 20}],
    "limit": 10,
    "address": {"city": "Oslo"},
}


@pytest.mark.parametrize(
    "text",
    [
        "@.price == 1000",
        "@.price == 1000.0 && @.price == 1e3 && 10.0E+2 == @.price",
        "@['price']>=1000",
        " \t\n@.price\r< 1001 ",
        '@.title == "As You Like It"',
        "@.title > 'As'",
        "@.title < '\\ud83d\\ude00'",
        "@[\"it's\"] == '\"' && @['it\\'s'] == \"\\\"\"",
        "@.价格 == 1 && @['\\u4ef7\\u683c'] == 1",
        "@.big == 9007199254740993 && @.big != 9007199254740992",
        "@.huge < 1e400 && @.huge > 1.7976931348623157e308",
        f"@.huge == 1{'0' * 400}",
        "@.zero == -0 && @.zero == -0.0 && @.zero == 0e99999999",
        "@.no == false && @.no != 0 && !(@.no == @.zero)",
        "@.null == null && @.null && @.missing != null && !@.missing",
        "@.missing == @.gone && @.missing <= @.gone && !(@.missing < @.gone)",
        "@.missing != 1 && !(@.missing < 1) && !(@.missing >= 1)",
        "!(@.title < 1) && !(@.title >= 1) && !(@.price < 'a')",
        "@.one != @.yes && @.one == @.one && @.one[0] == @.lines[0].n",
        "!(true < false) && true <= true && null >= null",
        "@.price == 1 || @.price == 2 || @.price == 1000 && @.title",
        "(@.price == 1 || @.price == 1000) && (@.zero == 0)",
        "! @.missing && !(@.price < 5) && ! ( @.missing )",
        "length(@.title) == 14 && length(@.tags)==2 && length( @.address ) == 1",
        "length(@.price) == @.missing && length('\\ud83d\\ude00') == 1 && length(@.empty) == 0",
        "count(@.*) == 16 && count(@.lines[*].sku) == 2 && count(@..n) == 2",
        "count(@.missing) == 0 && count(@.tags['a', 0, 0]) == 2",
        "count(@) == 1 && count(@.zero) == 1",
        "value(@..city) == 'Oslo' && value(@.tags[*]) == @.missing && value(@.zero) == 0",
        "match(@.title, 'As.*') && !match(@.title, 'As')",
        "search(@.title, 'Like') && !search(@.title, 'like') && !search(@.price, '1')",
        "match(@.title, '[A-Z]s[^a-z]{1,10}You.*') && match(@['it\\'s'], '.')",
        "!match(@.title, '(') && !search(@.title, @.price) && search(@.title, @.empty)",
        "match(@.tags[0], value(@.tags[0:1]))",
        "@.tags[?@ == 'comedy'] && !@.tags[?@ == 'tragedy']",
        "@.lines[?@.sku == 'b' && @.n > $.limit] && !@.lines[?@.sku == 'a' && @.n > $.limit]",
        "@.lines[?count(@.*) == 2 && !@.x]",
        "@.one[?@] && @.yes[?@ == true] && @[?@ == 0] && @[?@ == false]",
        "@.tags[-1] == 'comedy' && @.tags[1] == 'comedy' && !@.tags[2] && !@.tags[-3]",
        "@.tags[::-1] && @.tags[1:] && !@.tags[2:] && !@.tags[::0] && @.tags[0:9:2]",
        "@.tags[0, 5, ?@ == 'x', *, 1 : 2] && @['x', 'title']",
        "@..[?@.city == 'Oslo']",
        "$.price == @.price && $ == @",
        "@",
    ],
)
def test_what_is_true_of_a_body(text: str) -> None:
    """As RFC 9535 says, and so its opposite is false."""
    assert Where.of(text).matches(BODY)
    assert not Where.of(f"!({text})").matches(BODY)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 0),
        ("  ", 2),
        ("@.a]..[?@.b", 3),
        ("@.a]", 3),
        ("@.a, 1", 3),
        ("?@.a", 0),
        ("$[?@.a]]", 7),
        ("@.a == 1 == true", 9),
        ("@.a = 1", 4),
        ("@.a === 1", 6),
        ("@.a <> 1", 5),
        ("!@.a == 1", 5),
        ("(@.a) == 1", 6),
        ("!!@.a", 1),
        ("(@.a", 4),
        ("@.a)", 3),
        ("()", 1),
        ("@.a && ", 7),
        ("@.a & @.b", 4),
        ("@.a and @.b", 4),
        ("@.a == ", 7),
        ("@.a == b", 7),
        ("title == 'a'", 0),
        ("@.a == True", 7),
        ("@.a == -01", 7),
        ("@.a == 01", 7),
        ("@.a == .5", 7),
        ("@.a == 5.", 7),
        ("@.a == 1e", 7),
        ("@.a == +1", 7),
        ("@.a == 0x10", 7),
        ("@.a == NaN", 7),
        ("@.a == 'x", 7),
        ("@.a == 'x\ny'", 9),
        ("@.a == 'x\\qy'", 9),
        ("@.a == '\\\"'", 8),
        ("@.a == '\\ud800'", 8),
        ("@.a == '\\ud800\\u0041'", 8),
        ("@.a == '\\u12'", 8),
        ("@.a == '\ud800'", 8),
        ("@.", 2),
        ("@. a", 2),
        ("@..", 3),
        ("@.1", 2),
        ("@.a-b", 3),
        ("@[a]", 2),
        ("@[]", 2),
        ("@[1,]", 4),
        ("@[-0]", 2),
        ("@[01]", 2),
        ("@[9007199254740992]", 2),
        ("@[1:2:3:4]", 7),
        ("@['a'", 5),
        ("@.a[?]", 5),
        ("@[*] == 1", 0),
        ("1 == @..a", 5),
        ("1", 0),
        ("@.a && 1", 7),
        ("'a'", 0),
        ("length(@.a)", 0),
        ("!length(@.a)", 1),
        ("length(@.*) == 1", 7),
        ("length(@.a, @.b) == 1", 0),
        ("length() == 1", 0),
        ("length (@.a) == 1", 0),
        ("length(@.a == 1", 11),
        ("length(@.a) == 1)", 16),
        ("count(1) == 1", 6),
        ("count(length(@.a)) == 1", 6),
        ("value(@.a)", 0),
        ("match(@.a, 'a') == true", 0),
        ("match(@.a)", 0),
        ("match(@.a, @.*)", 11),
        ("length(match(@.a, 'a')) == 1", 7),
        ("match(@.a, '(a{100}){101}')", 11),
        ("size(@.a) == 1", 0),
        ("Length(@.a) == 1", 0),
        ("@.a;drop table", 3),
        ("@.a == 1 -- ", 9),
        ("@.a == 'a''b'", 10),
        ("\u00a0@.a", 0),
    ],
)
def test_what_is_no_expression_is_refused_at_its_place(text: str, place: int) -> None:
    """Where the reading of it stopped."""
    with pytest.raises(InvalidQuery) as refused:
        Where.of(text)
    assert (refused.value.parameter, refused.value.place) == ("where", place), refused.value.reason


@pytest.mark.parametrize(
    "nested",
    [
        lambda levels: "(" * levels + "@.a" + ")" * levels,
        lambda levels: "!(" * levels + "@.a" + ")" * levels,
        lambda levels: "@" + "[?@" * levels + "]" * levels,
    ],
)
def test_how_deep_an_expression_is_nested_has_a_bound(nested: Any) -> None:
    """So has the depth of the calls that read it."""
    assert Where.of(nested(DEEPEST)).matches({"a": [[1]]}) in {True, False}
    for levels in (DEEPEST + 1, LONGEST // 5):
        with pytest.raises(InvalidQuery, match="nested"):
            Where.of(nested(levels))


def test_how_long_an_expression_is_has_a_bound() -> None:
    """And what is as long is read, however it is made up."""
    part = "@.a == 1 || "
    text = part * ((LONGEST - 8) // len(part)) + "@.a == 2"
    assert Where.of(text).matches({"a": 2})
    assert Where.of("@.a && " * 500 + "@.a").matches({"a": 2})
    with pytest.raises(InvalidQuery) as refused:
        Where.of(part * 400 + "@.a")
    assert refused.value.place == LONGEST
    with pytest.raises(InvalidQuery, match="segments"):
        Where.of("@" + ".*" * (MOST_SEGMENTS + 1))


def test_bodies_that_are_nested_deep() -> None:
    """As deep as a body may be, and deeper, by hand."""
    body: Any = 1
    for _ in range(5000):
        body = {"a": [body]}
    assert Where.of("count(@..a) == 5000 && @ == $ && @..[?@ == 1]").matches(body)


def test_filters_in_filters_are_as_deep_as_the_bounds_let_them() -> None:
    """And the stack takes it, also where some of it is in use."""
    text = "@" + (".*" * 40 + "[?@") * 44 + "]" * 44
    body: Any = 1
    for _ in range(3000):
        body = [body]

    def used(calls: int) -> bool:
        return used(calls - 1) if calls else Where.of(text).matches(body)

    assert used(200)


def test_a_regular_expression_that_takes_too_long_is_given_up() -> None:
    """And nothing waits for it without end."""
    where = Where.of("match(@.a, '(a|aa)+b')")
    assert where.matches({"a": "aab"})
    with pytest.raises(QueryTooExpensive):
        where.matches({"a": "a" * 60})


def test_a_pattern_out_of_an_item_is_bounded_too() -> None:
    """It is not in the expression, so it can't be refused before."""
    where = Where.of("search(@.a, @.b)")
    assert where.matches({"a": "price", "b": "i[a-d]"})
    assert not where.matches({"a": "price", "b": "("})
    with pytest.raises(QueryTooExpensive):
        where.matches({"a": "a", "b": "((a{100}){100}){100}"})


WORDS = ["@", "$", ".", "..", "[", "]", "?", "*", ",", ":", "(", ")", "!", "&&", "||", "==", "<"]
WORDS += [">=", "!=", "a", "b", "'a'", '"', "'", "\\", "\\u", "d800", "0", "-", "1", "9" * 400, "e"]
WORDS += ["length(", "count(", "match(", "value(", "true", "null", " ", "\n", "\0", "é", "\ud800"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.characters(), max_size=25).map("".join))
def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    """Or an expression that can be evaluated, and narrowed."""
    try:
        where = Where.of(text)
    except InvalidQuery as error:
        refused = error
    else:
        ranges_of(where, path_of("a", "index"))
        assert {where.matches(body) for body in BODIES[:10]} <= {True, False}
        return
    assert refused.place is not None
    assert 0 <= refused.place <= len(text)
    assert refused.reason


@settings(max_examples=100, deadline=None)
@given(FILTERS)
def test_the_library_says_the_same(text: str) -> None:
    """On what it reads right: see docs/decisions/0057."""
    text = text.replace("$", "@")  # there the root is the list around the items
    assume(not any(each in text for each in ("9007199254740993", "0" * 400, "1e400", "{1,20}")))
    where, theirs = Where.of(text), jsonpath.compile(f"$[?{text}]")
    for body in BODIES[::3]:
        assert where.matches(body) == bool(theirs.find([body])), json.dumps(body)
