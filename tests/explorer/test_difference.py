"""What differs between two bodies: as a list, and as it is shown."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import expect

from tests.explorer.pages import Explorer

FIND = """
async (pairs) => {
  const { parse, print } = await import("./explorer/json_text.js");
  const { differences } = await import("./explorer/difference/difference.js");
  const given = (text) => (text === null ? undefined : parse(text));
  const told = (value) => (value === undefined ? null : print(value));
  return pairs.map(([before, after]) =>
    differences(given(before), given(after)).map((each) =>
      [each.kind, each.pointer, told(each.before), told(each.after)]));
}
"""

Found = list[list[str | None]]

CASES: list[tuple[str | None, str | None, Found]] = [
    ("1", "1", []),
    ("1", "1.0", [["changed", "", "1", "1.0"]]),
    (f"{2**53}", f"{2**53 + 1}", [["changed", "", f"{2**53}", f"{2**53 + 1}"]]),
    ('{"a":1,"b":[{"c":2}]}', '{"b":[{"c":2}],"a":1}', []),
    ('{"a":1,"b":2}', '{"a":1,"c":2}', [["added", "/c", None, "2"], ["removed", "/b", "2", None]]),
    ('{"a/b~":{"x":null}}', '{"a/b~":{"x":false}}', [["changed", "/a~1b~0/x", "null", "false"]]),
    ("[1,2,3,4]", "[2,3,5,4]", [["removed", "/0", "1", None], ["added", "/2", None, "5"]]),
    ('[{"n":1},{"n":2}]', '[{"n":1},{"n":3}]', [["changed", "/1/n", "2", "3"]]),
    ('{"__proto__":1}', '{"__proto__":2}', [["changed", "/__proto__", "1", "2"]]),
    ('["1",1]', '[1,"1"]', [["removed", "/0", '"1"', None], ["added", "/1", None, '"1"']]),
    (None, "{}", [["added", "", None, "{}"]]),
    ("{}", None, [["removed", "", "{}", None]]),
    ('{"a":[]}', '{"a":{}}', [["changed", "/a", "[]", "{}"]]),
]  # fmt: skip


def test_differences_are_found_by_what_json_means(explorer: Explorer) -> None:
    """Numbers by their digits, members in any order, lists by what stays in them."""
    page = explorer.open("home")
    found: list[Any] = page.evaluate(FIND, [[before, after] for before, after, _ in CASES])
    for (before, after, wanted), each in zip(CASES, found, strict=True):
        assert sorted(each) == sorted(wanted), (before, after)


def test_texts_differ_within_their_lines_and_what_is_unchanged_is_folded(
    explorer: Explorer,
) -> None:
    """Of a long text only the line that changed is marked, and in that what differs."""
    rest = {f"member {number}": number for number in range(40)}
    for third in ("three", "thrice"):
        body = {"text": f"one\ntwo\n{third}\nfour", "turned": "\u202egnp.exe"} | rest
        explorer.store.put("/orders/text", json=body)
    page = explorer.open("life", collection="orders", id="text")
    expect(page.locator("del")).to_have_text("-removed: three\\n")
    expect(page.locator("ins mark")).to_have_text("ic")
    rows = page.locator(".difference .row")
    expect(rows.filter(has_text="turned")).to_contain_text(r"\u202egnp.exe")
    expect(rows.filter(has_text='"member 30"')).to_have_count(0)
    page.get_by_role("button", name="unchanged lines").click()
    expect(rows.filter(has_text='"member 30"')).to_be_visible()


def test_what_does_not_differ_is_said_and_large_bodies_are_cut(explorer: Explorer) -> None:
    """The order of members is no difference, and a long text waits until one asks for it."""
    long = "x" * 3_000
    for text in ('{"a":1,"b":2}', '{"b":2,"a":1}', json.dumps({"b": 2, "a": 1, "c": long})):
        explorer.store.put(
            "/orders/order", content=text, headers={"Content-Type": "application/json"}
        )
    page = explorer.open("life", collection="orders", id="order", version=2)
    expect(page.get_by_text("only the order of members differs.")).to_be_visible()
    explorer.open("life", collection="orders", id="order", version=3)
    page.get_by_role("button", name="more characters").click()
    expect(page.locator("ins")).to_contain_text(long)
