"""What is typed into a search, and which items have it."""

from __future__ import annotations

import pytest

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.search import MOST_CHARACTERS, MOST_WORDS, Search

PATHS = [path_of("title", "text"), path_of("tags", "text")]
BODY = {
    "title": "Fighters of the blue-white star, don't miss: Ärger in 東京",
    "tags": ["new in town", "sale"],
    "maker": "elsewhere",
}


@pytest.mark.parametrize(
    "text",
    [
        "fighters",
        "FIGHTERS sale",
        "sale  star\ttown",
        "arger",
        "Ärger",
        "fight*",
        "f* s*",
        '"the blue"',
        '"Blue, white" sale',
        "blue-white",
        "blue-whi*",
        "don't",
        "東京",
        "京",
        "東*",
        '"fighters"',
        '"new in" "in town"',
        '"star',
        'sale"',
        'a"',
        '""',
        '"!" sale',
        "* sale *",
        "sale*town*",
    ],
)
def test_an_item_has_all_that_is_typed(text: str) -> None:
    """Words anywhere in the declared texts; what is written together stands together."""
    try:
        found = Search.of(text).matches(BODY, PATHS)
    except InvalidQuery:
        assert text == '""'
    else:
        assert found is (text not in {'a"', "sale*town*"})


@pytest.mark.parametrize(
    "text",
    [
        "fighter",
        "fighters missing",
        "elsewhere",
        "ight*",
        '"blue the"',
        '"star sale"',
        '"town sale"',
        "white-blue",
        "京東",
        '"fight*"',
        "blue-wha*",
        "title",
    ],
)
def test_and_not_less(text: str) -> None:
    """Other words, another order, words of two strings as one phrase."""
    assert not Search.of(text).matches(BODY, PATHS)


@pytest.mark.parametrize(
    ("text", "words", "beginnings", "has_phrases"),
    [
        ("a b a", ("a", "b"), (), False),
        ("a* b-c* a*", ("b",), ("a", "c"), True),
        ('"a b" b', ("a", "b"), (), True),
        (
            "NEAR(a b, 2) OR -c ^d col:e",
            ("near", "a", "b", "2", "or", "c", "d", "col", "e"),
            (),
            True,
        ),
        ("a & b | !c <-> d:* 'e'", ("a", "b", "c", "d", "e"), (), False),
    ],
)
def test_nothing_is_an_operator(
    text: str,
    words: tuple[str, ...],
    beginnings: tuple[str, ...],
    has_phrases: bool,  # noqa: FBT001
) -> None:
    """Of any database's language for searches."""
    search = Search.of(text)
    assert (search.words, search.beginnings) == (words, beginnings)
    assert search.has_phrases is has_phrases


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ("", "no word", None),
        (" \t ", "no word", None),
        ("-- *", "no word", None),
        ("x" * (MOST_CHARACTERS + 1), "more than 1,000 characters", MOST_CHARACTERS),
        ("x " * (MOST_WORDS + 1), "more than 32 words", 2 * MOST_WORDS),
    ],
)
def test_no_word_and_too_much_is_refused(text: str, reason: str, place: int | None) -> None:
    """With the place from which on it is too much."""
    with pytest.raises(InvalidQuery, match=reason) as refused:
        Search.of(text)
    assert (refused.value.parameter, refused.value.place) == ("search", place)
