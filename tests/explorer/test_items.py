"""Items in the explorer: the list, queries, one item, and how it is deleted."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import expect

from tests.explorer.conftest import LookAt
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store

MARKUP = "<img src=x onerror=alert(1)>"
BEYOND_DOUBLES = 12345678901234567890123
"""A number that a double can't hold."""


def test_ids_that_would_look_the_same_do_not(explorer: Explorer) -> None:
    """What turns the direction of text, or takes no room, is named, and blanks stay."""
    for id_ in ("seem", "\u202emees", "see\u200bm", "seem "):
        explorer.store.put(f"/orders/{quote(id_)}", json={"n": 1}).raise_for_status()
    page = explorer.open("item", collection="orders", id="\u202emees")
    expect(page.get_by_role("heading", level=1)).to_have_text("U+202Emees")
    page = explorer.open("items", collection="orders", prefix="see")
    expect(page.get_by_role("link", name="seeU+200Bm", exact=True)).to_be_visible()
    widths = [
        page.get_by_role("link", name="seem").nth(at).evaluate("each => each.offsetWidth")
        for at in range(2)
    ]
    assert widths[0] < widths[1]


def test_a_list_is_gone_through_in_pages_and_back(explorer: Explorer) -> None:
    """By the address: back, forward and reload show the same page."""
    for number in range(5):
        explorer.store.put(f"/orders/list-{number}", json={"number": number})
    page = explorer.open("items", collection="orders", prefix="list-", limit=2)
    expect(page.get_by_text("5 items", exact=True)).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="list-2")).to_be_visible()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="list-4")).to_be_visible()
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("link", name="list-3")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="list-3")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("link", name="list-4")).to_be_visible()
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("link", name="list-0")).to_be_visible()

    page.get_by_label("Ids that begin with").fill("list-3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_label("Ids that begin with").fill("list-none")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No item is like that")).to_be_visible()
    page.get_by_label("Whole id").fill("list-1")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("h1")).to_have_text("list-1")


def test_ids_and_bodies_in_a_list_are_text_exact_and_short(explorer: Explorer) -> None:
    """Markup, an id of 512 bytes, a large number, a body of a megabyte."""
    large = {"n": BEYOND_DOUBLES, "text": MARKUP, "more": "x" * 1_000_000}
    explorer.store.put("/orders/odd-%3Cb%3Ebold%2F", json=large).raise_for_status()
    explorer.store.put("/orders/" + "odd-".ljust(512, "o"), json={}).raise_for_status()
    page = explorer.open("items", collection="orders", prefix="odd-")
    expect(page.get_by_role("link", name="odd-<b>bold/")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="bold")
    expect(row).to_contain_text(f'{{"n":{BEYOND_DOUBLES},"text":"{MARKUP}"')
    assert len(row.inner_text()) < 400
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_items_are_found_by_what_is_in_them(explorer: Explorer) -> None:
    """As of a position that has what was written here before; in an order, by words."""
    page = explorer.open("edit", collection="products", id="query-new")
    explorer.expects("404")
    page.get_by_label("title").fill("Lapsang")
    page.get_by_label("price_cents").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    page.get_by_role("link", name="products").click()
    page.get_by_label("Where").fill('@.title == "Lapsang" && @.price_cents < 10')
    page.get_by_label("Order by").fill("-price_cents")
    page.get_by_label("Words").fill("lapsang")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text="found")
    expect(status).to_have_text(re.compile(r"1 item found, as of \d+-\d+"))
    expect(page.get_by_role("link", name="query-new")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.get_by_label("Where")).to_have_value("")


def test_a_query_shows_what_was_written_in_several_partitions(
    divided_store: Store, look_at: LookAt
) -> None:
    """Whichever they are in. It is as of a place in each."""
    explorer = look_at(divided_store)
    page = explorer.page
    for number in range(6):
        page = explorer.open("edit", collection="products", id=f"divided-{number}")
        explorer.expects("404")
        page.get_by_label("title").fill("Lapsang")
        page.get_by_label("price_cents").fill(str(number))
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("button", name="Delete")).to_be_visible()
    page.get_by_role("link", name="products").click()
    page.get_by_label("Order by").fill("-price_cents")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text="found")
    expect(status).to_have_text(re.compile(r"6 items found, as of a place in each partition"))


def test_a_query_that_is_refused_is_shown_where_it_is_wrong(explorer: Explorer) -> None:
    """The mark is at its place in the text, in whole characters, and what was typed stays."""
    explorer.expects("422")
    where = '@.title == "🍵" && && @.x'
    page = explorer.open("items", collection="products", where=where)
    field = page.get_by_label("Where")
    expect(field).to_have_value(where)
    expect(field).to_have_attribute("aria-invalid", "true")
    mark = page.locator("mark")
    expect(mark).to_have_text("&")
    before = mark.evaluate("element => element.parentNode.textContent.indexOf('&& &&')")
    assert before == where.index("&& &&") + 1  # the character before is two units in JavaScript
    expect(page.get_by_role("table")).to_have_count(0)

    page = explorer.open("items", collection="orders", search="tea")
    expect(page.get_by_text("ITEMSTORE_TEXT")).to_be_visible()


def test_what_would_make_a_query_cheap_is_named(explorer: Explorer) -> None:
    """The setting that the operator would write, as the store says it."""
    explorer.expects("422")
    setting = "ITEMSTORE_INDEXES=products=price_cents,size"
    problem = {
        "type": "/problems/query-too-expensive",
        "title": "The query would look at too many items",
        "status": 422,
        "detail": "It would look at more than 100,000 items.",
        "index": "size",
        "setting": setting,
    }
    explorer.page.route(
        re.compile(r"/products\?.*where"),
        lambda route: route.fulfill(
            status=422, content_type="application/problem+json", json=problem
        ),
    )
    page = explorer.open("items", collection="products", where="@.size > 1")
    expect(page.get_by_text("more than 100,000 items")).to_be_visible()
    expect(page.get_by_text(setting)).to_be_visible()


def test_an_item_is_shown_with_all_that_is_known_of_it(explorer: Explorer) -> None:
    """Its version, event and tag; its body with all digits, as it is stored, and as curl."""
    body = {"n": BEYOND_DOUBLES, "text": MARKUP}
    put = explorer.store.put("/orders/one%2Fwhole", json=body)
    page = explorer.open("item", collection="orders", id="one/whole")
    facts = page.locator("dl")
    expect(facts).to_contain_text("created")
    expect(facts).to_contain_text(put.headers["Event-Id"])
    expect(facts).to_contain_text('"1"')
    expect(facts.get_by_role("time")).to_have_count(2)
    expect(page.locator("pre")).to_contain_text(f'"n": {BEYOND_DOUBLES},')
    page.get_by_role("button", name="As it is stored").click()
    expect(page.locator("pre")).to_have_text(put.text)
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert "/orders/one%2Fwhole" in copied
    for view in ("Life", "Past"):
        expect(page.get_by_role("link", name=view, exact=True)).to_be_visible()


def test_deleting_is_confirmed_guarded_and_not_the_end(explorer: Explorer) -> None:
    """What changed meanwhile is not deleted; a deleted item says when, and can be made again."""
    explorer.expects("412", "404")
    explorer.store.put("/orders/gone", json={"state": "placed"})
    page = explorer.open("item", collection="orders", id="gone")
    expect(page.locator("pre")).to_contain_text("placed")
    explorer.store.put("/orders/gone", json={"state": "paid"})
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Somebody changed it meanwhile")
    assert explorer.store.get("/orders/gone").status_code == 200
    dialog.get_by_role("button", name="Show it as it is now").click()
    expect(page.locator("pre")).to_contain_text("paid")

    page.get_by_role("button", name="Delete").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").dblclick()
    expect(page.get_by_text("Version 3 deleted it")).to_be_visible()
    expect(page.locator("time")).to_be_visible()
    expect(page.get_by_role("link", name="Its life")).to_be_visible()
    page.get_by_role("link", name="Create it again").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dl")).to_contain_text("created")
    assert explorer.store.get("/orders/gone").headers["ETag"] == '"4"'

    page = explorer.open("item", collection="orders", id="never/was")
    expect(page.get_by_text("There never was an item")).to_be_visible()
    expect(page.get_by_role("link", name="Create it")).to_be_visible()


def test_a_list_shows_what_a_token_may_see(closed_store: Store, look_at: LookAt) -> None:
    """A bound one sees its own items, and of the rest the store's refusal."""
    for id_ in ("mine-seen", "hidden"):
        closed_store.client.put(f"/orders/{id_}", json={})
    explorer = look_at(closed_store)
    explorer.expects("favicon.ico", "403")
    explorer.sign_in("bound")
    page = explorer.open("items", collection="orders", prefix="mine-s")
    expect(page.get_by_role("link", name="mine-seen")).to_be_visible()
    page = explorer.open("item", collection="orders", id="hidden")
    expect(page.get_by_role("alert")).to_be_visible()
    explorer.sign_in("reader")
    page = explorer.open("items", collection="orders", prefix="hid")
    expect(page.get_by_role("link", name="hidden")).to_be_visible()
    expect(page.get_by_role("link", name="New item")).to_have_count(0)
