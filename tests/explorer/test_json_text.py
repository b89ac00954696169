"""JSON as the explorer reads and writes it: nothing of it is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.explorer.pages import Explorer

Run = Callable[..., Any]

DEEP = "[" * 50_000 + "]" * 50_000


@pytest.fixture
def run(explorer: Explorer) -> Run:
    """Evaluates JavaScript in which the functions of json_text.js have their names."""
    page = explorer.page
    page.goto(f"{explorer.url}/explorer")
    page.evaluate("async () => Object.assign(window, await import('./explorer/json_text.js'))")
    return page.evaluate


def test_what_is_read_is_printed_as_it_was(run: Run) -> None:
    """Numbers by their digits, members in their order, strings by their characters."""
    kept = [
        "123456789012345678901234567890",
        *("1.0", "1.50e300", "1e400", "-0", "0.1000", "1E+2"),
        '{"b": 1, "a": 2, "10": 3, "9": 4}',
        '{"__proto__": {"x": 1}, "constructor": 2, "toString": null, "": 3}',
        '{"hasOwnProperty": [{}, [], "", 0, false, null, true]}',
        r'"quote \" slash \\ both \\\" end \\"',
        r'"\u0000 \u001f \b\f\n\r\t"',
        '"a, b: {c} [d] // </script>"',
        r'{"\"}": "]", "a:b": ","}',
        '"' + "é😀مرحبا\u2028\u2066" + '"',
    ]
    for text in kept:
        assert run("text => print(parse(text))", text) == text
    assert run("text => parse(text)", r'"\ud83d\ude00\u00e9\/"') == "😀é/"
    assert run("() => parse('[12]')[0] * 2") == 24


def test_blanks_don_t_count_and_printed_text_is_indented(run: Run) -> None:
    """An indented text says the same."""
    spaced = ' \t\r\n{ "a"\n:[ 1 ,\t{ } ,[ ] ] ,"b" : { "c":"x" } } \n'
    assert run("text => print(parse(text))", spaced) == '{"a": [1, {}, []], "b": {"c": "x"}}'
    indented = run("text => print(parse(text), 2)", spaced)
    assert indented == (
        '{\n  "a": [\n    1,\n    {},\n    []\n  ],\n  "b": {\n    "c": "x"\n  }\n}'
    )
    assert run("([a, b]) => same(parse(a), parse(b))", [spaced, indented])


def test_what_is_no_json_is_refused(run: Run) -> None:
    """As the browser itself refuses it, with a message that says where."""
    refused = "text => { try { parse(text) } catch (error) { return error.name } }"
    for text in ("", "{", '{"a" 1}', "[1,]", "01", "1.", "NaN", "'a'", '"\n"', r'"\x"', "1 2"):
        assert run(refused, text) == "SyntaxError", text


def test_two_texts_are_the_same_whatever_the_order_of_members(run: Run) -> None:
    """Numbers count by their text, and a number is no string."""

    def same(one: str, other: str) -> bool:
        return bool(run("([a, b]) => same(parse(a), parse(b))", [one, other]))

    for one, other in [
        ('{"a": 1, "b": [2, {"c": null}]}', '{"b": [2, {"c": null}], "a": 1}'),
        ("[]", "[]"),
        (r'"\u0041"', '"A"'),
    ]:
        assert same(one, other)
    for one, other in [
        *(("1", "1.0"), ("1", '"1"'), ("null", '"null"'), ("[]", "{}"), ("[]", "null")),
        *(("[1, 2]", "[2, 1]"), ("[1]", "[1, 1]"), ("[[]]", "[{}]"), ("false", "0")),
        *(('{"a": 1}', '{"b": 1}'), ('{"a": 1}', '{"a": 1, "b": 1}'), ('{"0": 1}', "[1]")),
        ("123456789012345678901", "123456789012345678902"),
    ]:
        assert not same(one, other), (one, other)
        assert not same(other, one), (other, one)


def test_nesting_and_length_have_no_bound(run: Run) -> None:
    """Neither 50,000 levels, nor a string of a megabyte, nor 100,000 members overflow anything."""
    assert run("text => print(parse(text)) === text && same(parse(text), parse(text))", DEEP)
    assert run("""() => {
        const long = JSON.stringify('\\\\"x'.repeat(300_000));
        const wide = JSON.stringify(Array.from({ length: 200_000 }, (_, at) => at));
        return print(parse(long)) === long && same(parse(wide), parse(wide))
            && print(parse(wide), 1).length === wide.length + 400_001;
    }""")
