"""The log in the explorer: live, and back to where it begins."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from urllib.parse import quote
from uuid import uuid4

from playwright.sync_api import Locator, Page, Route, expect

from tests.conftest import PATIENCE
from tests.explorer.cable import cable
from tests.explorer.conftest import LookAt
from tests.explorer.pages import SET_HIDDEN, Explorer
from tests.explorer.stores import Store

SEEN = """async () => {
  const scroller = document.querySelector(".rows-scroller");
  const seen = new Map();
  const frame = () => new Promise(requestAnimationFrame);
  for (scroller.scrollTop = 0; ; scroller.scrollTop += scroller.clientHeight) {
    await frame();
    await frame();
    for (const row of document.querySelectorAll(".rows-scroller .row")) {
      const place = row.getAttribute("aria-rowindex");
      seen.set(Number(place), row.querySelector(".time").title);
    }
    if (scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) break;
  }
  return [...seen].sort(([one], [other]) => one - other).map(([, position]) => position);
}"""
"""The positions of all events in the list, from the top on, as one who scrolls sees them."""


def _put(explorer: Explorer, item: str, times: int = 1) -> None:
    path = f"/orders/{quote(item, safe='')}"
    for begin in range(0, times, 100):
        requests = [
            {"method": "PUT", "path": path, "body": {"n": number}}
            for number in range(begin, min(begin + 100, times))
        ]
        explorer.store.post("/batch", json={"requests": requests}).raise_for_status()


def _positions(explorer: Explorer, item: str) -> list[str]:
    lines = explorer.store.get(
        "/events", params={"item": item}, headers={"Accept": "application/jsonl"}
    )
    return [json.loads(line)["id"] for line in lines.text.splitlines()][::-1]


def _rows(page: Page) -> Locator:
    return page.locator(".rows-scroller .row")


def _go_back_to_the_begin(page: Page) -> None:
    """To the oldest event. What was on its way while the cable was cut is asked for once more."""
    begin, until = page.get_by_text("Here the log begins."), time.monotonic() + PATIENCE
    again = page.locator(".events").get_by_role("button", name="Try again")
    while not begin.is_visible():
        assert time.monotonic() < until, f"no begin after {PATIENCE} seconds"
        if again.is_visible():
            again.click()
        page.get_by_role("grid").press("End")
        page.wait_for_function("() => !document.querySelector('.events [aria-busy]')")


def _live(page: Page) -> None:
    expect(page.get_by_role("status").get_by_text("Live.")).to_be_visible()


def test_an_event_comes_live_and_opens_to_all_it_has(explorer: Explorer) -> None:
    """Text stays text, digits stay; with the keyboard, to the panel and back, and to its item."""
    item = f"<b>\u202e{uuid4()}\u202c</b> 🦊/שלום"
    page = explorer.open("log")
    _live(page)
    body = '{"html":"<img src=x onerror=alert(1)>","big":12345678901234567890,"exact":1.0}'
    explorer.store.put(
        f"/orders/{quote(item, safe='')}",
        content=body,
        headers={"Content-Type": "application/json"},
    ).raise_for_status()
    row = _rows(page).first
    expect(row).to_contain_text(item.replace("\u202e", "U+202E").replace("\u202c", "U+202C"))
    expect(row).to_contain_text("created")

    page.get_by_role("grid").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Event")
    expect(panel.get_by_role("heading", name="Event")).to_be_focused()
    for part in ("<img src=x onerror=alert(1)>", "12345678901234567890", "1.0"):
        expect(panel).to_contain_text(part)
    life = panel.get_by_role("link", name="1, in the item's life")
    expect(life).to_have_attribute("href", f"?view=life&collection=orders&{_encoded(item)}")
    page.reload()
    expect(panel).to_contain_text("12345678901234567890")
    panel.get_by_text("As a CloudEvent").click()
    expect(panel).to_contain_text('"specversion": "1.0"')
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("grid")).to_be_focused()


def _encoded(item: str) -> str:
    return f"id={quote(item, safe='').replace('%20', '+')}&version=1"


def test_events_wait_while_paused_and_come_through_a_cut_connection_once_each(
    open_store: Store, look_at: LookAt
) -> None:
    """Those that happened meanwhile too, and the page says when it is not connected."""
    with cable(open_store.url) as way:
        explorer = look_at(replace(open_store, url=way.url))
        explorer.expects("net::ERR_")
        item = f"cut-{uuid4()}"
        _put(explorer, item)
        page = explorer.open("log", item=item)
        _live(page)
        expect(_rows(page)).to_have_count(1)

        page.get_by_role("button", name="Pause").click()
        _put(explorer, item, 2)
        expect(page.get_by_text("2 events wait.")).to_be_visible()
        expect(_rows(page)).to_have_count(1)
        page.get_by_role("button", name="Go on").click()
        expect(_rows(page)).to_have_count(3)

        way.unplug()
        expect(page.get_by_text("Not connected.")).to_be_visible()
        _put(explorer, item, 3)
        way.plug()
        _live(page)
        expect(_rows(page)).to_have_count(6)
        assert page.evaluate(SEEN) == _positions(explorer, item)
        page.goto("about:blank")


def test_a_hidden_tab_holds_no_connection_and_misses_nothing(explorer: Explorer) -> None:
    """A browser has six for all of its tabs, and another tab would wait for ever."""
    item = f"hidden-{uuid4()}"
    _put(explorer, item)
    page = explorer.open("log", item=item)
    _live(page)
    with page.expect_event("requestfailed", lambda request: "/events" in request.url):
        page.evaluate(SET_HIDDEN, arg=True)
    _put(explorer, item, 2)
    page.evaluate(SET_HIDDEN, arg=False)
    expect(_rows(page)).to_have_count(3)
    _live(page)
    assert page.evaluate(SEEN) == _positions(explorer, item)


def test_the_list_goes_back_to_where_the_log_begins_and_does_not_move_while_one_reads(
    explorer: Explorer,
) -> None:
    """No event is left out and none comes twice; only those in sight are drawn."""
    item = f"long-{uuid4()}"
    _put(explorer, item, 400)
    page = explorer.open("log", item=item)
    expect(_rows(page).first).to_contain_text("400")
    grid = page.get_by_role("grid")
    _go_back_to_the_begin(page)
    expect(grid).to_have_attribute("aria-rowcount", "401")
    assert _rows(page).count() < 100
    assert page.evaluate(SEEN) == _positions(explorer, item)

    at_end = page.get_by_role("row").last
    expect(at_end).to_contain_text("created")
    before = at_end.bounding_box()
    _put(explorer, item, 2)
    newer = page.get_by_role("button", name="2 newer events above")
    expect(newer).to_be_visible()
    assert page.get_by_role("row").last.bounding_box() == before
    newer.click()
    expect(_rows(page).first).to_contain_text("402")


def test_what_is_shown_stands_in_the_address(explorer: Explorer) -> None:
    """Filters can be linked and gone back from; a time to begin at has both sides of it."""
    item = f"shown-{uuid4()}"
    _put(explorer, item, 3)
    since = explorer.store.get(
        f"/orders/{item}/events", params={"limit": 1, "order": "desc"}
    ).json()[0]["time"]
    explorer.store.delete(f"/orders/{item}").raise_for_status()
    page = explorer.open("log")
    page.get_by_label("Item").fill(item)
    page.get_by_label("Item").press("Enter")
    expect(_rows(page)).to_have_count(4)
    page.get_by_label("Type").select_option("deleted")
    expect(_rows(page)).to_have_count(1)
    assert "type=ItemDeleted" in page.url
    page.go_back()
    expect(_rows(page)).to_have_count(4)

    page = explorer.open("log", item=item, since=since)
    _live(page)
    expect(_rows(page)).to_have_count(4)
    assert page.evaluate(SEEN) == _positions(explorer, item)


def test_another_log_in_its_place_is_said_and_one_can_begin_again(explorer: Explorer) -> None:
    """As when a backup was brought back: what is listed stays until people want the new one."""
    explorer.expects("status of 409")
    _put(explorer, f"other-{uuid4()}")
    answers = iter((True, False))

    def answer(route: Route) -> None:
        is_stream = route.request.headers["accept"] == "text/event-stream"
        if is_stream and next(answers, False):
            detail = "The position is of another log; this one has events of its own."
            problem = {"type": "/problems/other-log", "title": "Other log", "detail": detail}
            route.fulfill(status=409, json=problem, content_type="application/problem+json")
        else:
            route.continue_()

    explorer.page.route("**/events?*", answer)
    page = explorer.open("log")
    expect(page.get_by_role("alert")).to_contain_text("of another log")
    expect(_rows(page).first).to_be_visible()
    page.get_by_role("button", name="Begin again").click()
    _live(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_bound_token_sees_its_own_events_until_it_is_revoked(
    closed_explorer: Explorer,
) -> None:
    """Live as well; then the page asks for another one, in the store's words."""
    closed_explorer.expects("status of 401")
    item = f"mine-{uuid4()}"
    asked = {"name": item, "role": "reader", "collections": ["orders"], "prefixes": [item]}
    made = closed_explorer.store.post("/admin/tokens", json=asked).raise_for_status()
    _put(closed_explorer, item)
    page = closed_explorer.open("home")
    page.evaluate("token => sessionStorage.setItem('itemstore-token', token)", made.json()["token"])
    closed_explorer.open("log")
    _live(page)
    _put(closed_explorer, f"other-{item}")
    _put(closed_explorer, item)
    expect(_rows(page)).to_have_count(2)
    closed_explorer.store.delete(f"/admin/tokens/{item}").raise_for_status()
    expect(page.get_by_label("Token")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("revoked")


def test_the_log_of_several_partitions_is_one_list(divided_store: Store, look_at: LookAt) -> None:
    """In order of time, back to its begin and live, through a cut connection, each event once."""

    def put(begin: int, end: int) -> None:
        for number in range(begin, end):
            path = f"/orders/i{number % 12}"
            divided_store.client.put(path, json={"n": number}).raise_for_status()

    def positions() -> list[str]:
        lines = divided_store.client.get(
            "/events", params={"source": "/orders"}, headers={"Accept": "application/jsonl"}
        )
        return [json.loads(line)["id"] for line in lines.text.splitlines()][::-1]

    put(0, 60)
    with cable(divided_store.url) as way:
        explorer = look_at(replace(divided_store, url=way.url))
        explorer.expects("net::ERR_")
        page = explorer.open("log", source="/orders")
        _live(page)
        put(60, 80)
        expect(_rows(page).first).to_contain_text('"n":79')
        way.unplug()
        expect(page.get_by_text("Not connected.")).to_be_visible()
        put(80, 90)
        way.plug()
        _live(page)
        expect(_rows(page).first).to_contain_text('"n":89')
        put(90, 95)
        expect(_rows(page).first).to_contain_text('"n":94')
        _go_back_to_the_begin(page)
        seen = page.evaluate(SEEN)
        assert seen == positions()
        assert {each.partition("@")[2] for each in seen} == {"0", "1", "2", "3"}

        for event in (seen[0], seen[40], seen[-1]):
            page = explorer.open("log", source="/orders", event=event)
            panel = page.get_by_role("region", name="Event")
            expect(panel.get_by_text(event, exact=True)).to_be_visible()
        panel.get_by_role("link", name="in the item's life").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("i")
        page.goto("about:blank")
