"""Ids and bodies that somebody wrote to break the page, on every view that shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.explorer.every_view import SIDEWAYS, Item, opened
from tests.explorer.pages import Explorer

MARKUP = "<img src=x onerror=globalThis.broken=1><script>broken=1</script>'\"><b class=hostile>&lt;"

BIDI = "\u202egnp.exe\u2066 شاي"

MANY_ELEMENTS = 20_000

ID = (MARKUP + BIDI + "👩‍👩‍👧‍👦/").encode().ljust(512, b"w").decode()
"""All of that in one id, which is as long as an id can be."""

BODY: dict[str, Any] = {
    MARKUP: MARKUP,
    "link": "javascript:globalThis.broken=1",
    "template": "${globalThis.broken=1} {{broken=1}} </template></textarea></style>",
    "__proto__": {"broken": 1},
    "constructor": {"prototype": {"broken": 1}},
    "": [MARKUP, {MARKUP: [MARKUP]}],
    BIDI: BIDI,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈\u0301\u200b",
    "stacked": "a" + "\u0310" * 200,
    "controls": "\0\x1b[31m",
    "numbers": [10**39 + number for number in range(50)],
    "word": "w" * 5_000,
    "n" * 600: "m" * 600,
}

LARGE = {
    "a megabyte of text": json.dumps({"text": "lorem <b>ipsum " * 65_000, "last": "the end"}),
    "many members, deeply nested": (
        json.dumps({f"member {number}": number for number in range(2_000)})[:-1]
        + ', "deep": ' + '{"in":' * 60 + '"the end"' + "}" * 61
    ),
}  # fmt: skip


def assert_nothing_happened(page: Page) -> None:
    """What is shown is text, and the page keeps its width."""
    assert page.evaluate("[globalThis.broken, ({}).broken]") == [None, None]
    assert page.locator("img[src=x], .hostile, main script, a[href^=javascript]").count() == 0
    assert page.evaluate(SIDEWAYS) == 0, page.url


def test_hostile_ids_and_bodies_are_text_on_every_view(explorer: Explorer) -> None:
    """On a phone, where the page is never wider than the screen."""
    explorer.page.set_viewport_size({"width": 390, "height": 844})
    item = Item("orders", ID).written(explorer.store, {"n": 1}, BODY)
    for view, parameters in item.views():
        page = opened(explorer, view, parameters)
        if view != "try":  # which has the path, encoded, in a field
            expect(page.locator("main")).to_contain_text(MARKUP)
        assert_nothing_happened(page)


@pytest.mark.parametrize("kind", LARGE)
def test_large_bodies_are_shown_in_part(explorer: Explorer, kind: str) -> None:
    """So the page stays small, and the tab quick."""
    item = Item("orders", kind).written(explorer.store, {"n": 1}, LARGE[kind])
    for view, parameters in item.views():
        if view in {"items", "item", "edit", "life", "log"}:
            page = opened(explorer, view, parameters)
            assert_nothing_happened(page)
            assert page.evaluate("document.querySelectorAll('*').length") < MANY_ELEMENTS
