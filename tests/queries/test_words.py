"""Which words a text has, in any language."""

from __future__ import annotations

from typing import Any

import pytest

from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.words import LONGEST, MOST_BYTES, words_in, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (" -- . !", ""),
        ("Blue Jeans, size 32", "blue jeans size 32"),
        ("T-shirt; don't", "t shirt don t"),
        ("snake_case 3.5 a\0b", "snake_case 3 5 a b"),
        ("Café CAFE\u0301 naïve", "cafe cafe naive"),
        ("Straße STRASSE", "strasse strasse"),
        ("ΌΔΟΣ οδος", "οδοσ οδοσ"),
        ("İstanbul ISTANBUL", "istanbul istanbul"),
        ("Ёлка елка", "елка елка"),
        ("ﬁne ① ＡＢＣ x²", "fine 1 abc x2"),
        ("שָׁלוֹם שלום", "שלום שלום"),
        ("مُحَمَّد محمد", "محمد محمد"),
        ("हिन्दी", "हिन्दी"),
        ("한국어 책", "한국어 책"),
        ("東京タワー in 東京", "東 京 タ ワ ー in 東 京"),
        ("ｶﾞラス", "ガ ラ ス"),
        ("ภาษา", "ภ า ษ า"),
        ("a\u2019b\u2014c\u00a0d\u3000e・f", "a b c d e f"),
        ("\U0001f600smile😀", "smile"),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(
    text: str, words: str
) -> None:
    """Characters of scripts without blanks stand alone."""
    assert words_in(text) == words.split()
    assert words_in(f"\u2026 {text}") == words.split()


def test_what_is_too_long_is_cut() -> None:
    """A word with as many characters as count is the same as a longer one that begins with it."""
    assert words_in("a" * 1_000) == ["a" * LONGEST]
    assert words_in("é" * 1_000) == ["e" * LONGEST]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("title", "blue jeans"),
        ("tags", "new sale for you very deep"),
        ("@.tags[0]", "new"),
        ("size", ""),
        ("missing", ""),
        ("maker", "acme blue"),
        ("$['maker']['name']", "acme blue"),
    ],
)
def test_all_strings_below_a_path_count(path: str, words: str) -> None:
    """And no names, numbers or anything else."""
    body: Any = {
        "title": "Blue jeans: blue",
        "tags": ["New", 5, {"sale": "Sale"}, [[{"x": ["for you", True, None]}], "very deep"]],
        "size": 32,
        "maker": {"name": "Acme Blue"},
    }
    assert words_of(body, [path_of(path, "text")]) == tuple(words.split())


def test_the_words_of_several_paths_are_one_set() -> None:
    """Each once, where it comes first."""
    paths = [path_of(each, "text") for each in ("title", "text")]
    body = {"text": "a red jeans", "title": "Blue Jeans"}
    assert words_of(body, paths) == ("blue", "jeans", "a", "red")
    assert words_of(["not", "an", "object"], paths) == ()


def test_only_so_many_bytes_of_words_are_kept() -> None:
    """The first ones of an item, each counted once."""
    count = MOST_BYTES // 8
    text = " ".join(f"word{n:04x}" for n in range(0x10000))
    kept = words_of({"a": [text, text]}, [path_of("a", "text")])
    assert len(kept) == count
    assert kept[-1] == f"word{count - 1:04x}"
