"""Regular expressions by the grammar of I-Regexp."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.projections.queries.iregexp import (
    DEEPEST,
    LONGEST,
    NotARegexp,
    Prefix,
    TooComplex,
    regexp_of,
)
from itemstore.projections.queries.patterns import Pattern


@pytest.mark.parametrize(
    ("pattern", "texts", "others"),
    [
        ("", [""], ["a"]),
        ("a.c", ["abc", "a\U0001f600c", "a\u2028c"], ["a\nc", "a\rc", "ac"]),
        ("a{2,12}", ["aa", "a" * 12], ["a", "a" * 13]),
        ("a{10}", ["a" * 10], ["a" * 9, "a{10}"]),
        ("a{2,}", ["aa", "a" * 99], ["a"]),
        ("a{0,1}|b{0}c", ["", "a", "c"], ["aa", "b", "bc"]),
        ("(a|b)*c?", ["", "abba", "bc"], ["cc"]),
        ("[a-cx]+", ["abcx"], ["d", "-"]),
        ("[-a]+", ["-a"], ["b"]),
        ("[a-]+", ["-a"], ["b"]),
        ("[^a-c\\n]", ["d", "\r"], ["a", "\n"]),
        ("[a^]", ["a", "^"], ["b"]),
        ("[.*]+", [".*"], ["a"]),
        ("[^]a[b]", ["^ab"], ["xab", "xa[b", "^a[b"]),
        ("[^-]+", ["^a"], ["-"]),
        ("[:alpha:]+", [":alph"], ["b"]),
        ("[a&&b]+", ["a&b"], ["c"]),
        ("[a||b~~c]+", ["a|b~c"], ["d"]),
        ("[\\]\\[\\\\]+", ["[]\\"], ["a"]),
        ("\\p{Lu}\\P{L}", ["A1", "É "], ["a1", "AA"]),
        ("[\\p{Nd}_]+", ["1_٣"], ["a"]),
        ("\\(\\.\\)\\{\\}\\|\\?\\*\\+\\-\\^", ["(.){}|?*+-^"], ["a"]),
        ("\\n\\t\\r", ["\n\t\r"], ["ntr"]),
        ("a b#c", ["a b#c"], ["abc"]),
        ("^a$", ["a"], ["^a$", "a\n"]),
        ("a,-/:;<=>@_`~&%\"'!", ["a,-/:;<=>@_`~&%\"'!"], []),
    ],
)
def test_what_a_pattern_matches(pattern: str, texts: list[str], others: list[str]) -> None:
    """As a whole."""
    for text in texts:
        assert Pattern(pattern).is_in(text, whole=True), text
        assert Pattern(pattern).is_in(text, whole=False), text
    for text in others:
        assert not Pattern(pattern).is_in(text, whole=True), text


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "(a",
        "[",
        "]",
        "[]",
        "[a",
        "{",
        "}",
        "a{",
        "a{1",
        "a{,2}",
        "a{b}",
        "a**",
        "a*?",
        "*",
        "+a",
        "|?",
        "(?i)a",
        "(?:a)",
        "(?=a)",
        "\\",
        "\\d",
        "\\w",
        "\\b",
        "\\1",
        "\\u0041",
        "\\p{Foo}",
        "\\p{IsGreek}",
        "\\p{Cs}",
        "[a-\\p{L}]",
        "[[a]]",
        "[a-z&&[b]]",
        "[\\d]",
        "[--a]",
        "\ud800",
    ],
)
def test_what_is_no_i_regexp_is_in_nothing(pattern: str) -> None:
    """It is no error (RFC 9535 section 2.4.6)."""
    with pytest.raises(NotARegexp):
        regexp_of(pattern)
    assert not Pattern(pattern).is_in("", whole=False)
    assert not Pattern(pattern).is_in(pattern, whole=True)


@pytest.mark.parametrize("pattern", ["[b-a]", "a{3,1}"])
def test_what_can_match_nothing_is_in_nothing(pattern: str) -> None:
    """Though the grammar has it."""
    assert not Pattern(pattern).is_in("a", whole=False)


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * (LONGEST + 1),
        f"a{{{LONGEST + 1}}}",
        "(a{100}){101}",
        "(" * 14 + "a" + ")+" * 14,
        "(" * 14 + "a" + "){1,}" * 14,
        "(" * 9 + "a" + "){2}" * 9,
        "(" * 9 + "a" + "){00002,}" * 9,
        "((((((((((a?){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}",
        "a{99999999999999999999999}",
        "()" * 5000 + "(){9999}",
        "(" * (DEEPEST + 1) + ")" * (DEEPEST + 1),
        "(" * 5000 + ")" * 5000,
    ],
)
def test_what_is_too_complex_is_refused(pattern: str) -> None:
    """Compiling it would take minutes, or more of the stack than there is."""
    with pytest.raises(TooComplex):
        regexp_of(pattern)


@pytest.mark.parametrize(
    ("pattern", "whole", "begins"),
    [
        ("abc", True, Prefix("abc", is_all=True)),
        ("abc", False, Prefix("", is_all=False)),
        ("^abc", False, Prefix("abc", is_all=False)),
        ("^abc", True, Prefix("abc", is_all=True)),
        ("abc.*", True, Prefix("abc", is_all=False)),
        ("abc?", True, Prefix("ab", is_all=False)),
        ("a\\.b\\n[c]", True, Prefix("a.b\n", is_all=False)),
        ("abc|b", True, Prefix("", is_all=False)),
        ("a(b|c)", True, Prefix("a", is_all=False)),
        ("^*abc", False, Prefix("", is_all=False)),
        ("", True, Prefix("", is_all=True)),
        ("abc$", True, Prefix("abc", is_all=False)),
    ],
)
def test_what_a_text_begins_with(pattern: str, whole: bool, begins: Prefix) -> None:  # noqa: FBT001
    """So an index of strings can be used."""
    assert regexp_of(pattern).prefix(whole=whole) == begins


PARTS = ["a", "b", "é", ".", "(", ")", "[", "]", "^", "$", "-", "|", "*", "+", "?", "{2}", "{1,30}"]
PARTS += ["\\p{L}", "\\.", "\\", ",", "&", "\n", "{", "#"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.text("abé.\n-&", max_size=8))
def test_what_is_read_can_be_compiled(pattern: str, text: str) -> None:
    """And whatever matches begins with its prefix."""
    try:
        read = regexp_of(pattern)
    except (NotARegexp, TooComplex):
        return
    try:
        regex.compile(read.translated)
    except regex.error as error:
        failed = str(error)
    else:
        failed = ""
    assert not failed or failed.startswith("bad character range")  # as [b-a]
    for whole in (True, False):
        prefix = read.prefix(whole=whole)
        if Pattern(pattern).is_in(text, whole=whole):
            assert text.startswith(prefix.text)
            assert text == prefix.text or not prefix.is_all
