"""What holds for every view of the explorer."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.explorer.pages import Explorer


def test_the_page_shows_the_collections(explorer: Explorer) -> None:
    """Each of them leads to its items."""
    page = explorer.open("home")
    for name in ("products", "orders"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_a_table_that_fits_does_not_scroll(explorer: Explorer) -> None:
    """Nor does what only a screen reader says, behind the last link, make it wider."""
    page = explorer.open("home")
    expect(page.get_by_role("link", name="New item in products")).to_be_attached()
    expect(page.get_by_role("cell").filter(has_text="bytes").first).to_be_visible()
    over = "table => table.scrollWidth - table.clientWidth"
    assert page.locator(".scroller").first.evaluate(over) == 0


def test_a_closed_store_asks_for_a_token_and_shows_all_with_it(closed_explorer: Explorer) -> None:
    """The page itself needs none. A wrong one is refused in the store's words."""
    closed_explorer.expects("status of 401")
    page = closed_explorer.open("home")
    page.get_by_label("Token").fill("nobody.knows")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()

    closed_explorer.sign_in("reader")
    closed_explorer.open("home")
    expect(page.get_by_role("link", name="products", exact=True)).to_be_visible()


def test_an_address_that_leads_nowhere_says_why_and_leads_back(explorer: Explorer) -> None:
    """Nothing is asked for in the name of a collection or item that can't be."""
    nowhere = {
        "The address names no collection.": {"view": "items"},
        "The address names no item.": {"view": "life", "collection": "orders"},
        "There is no collection nope, or none that you may see.": {
            "view": "edit",
            "collection": "nope",
        },
        "There is no collection orders/x, or none that you may see.": {
            "view": "item",
            "collection": "orders/x",
            "id": "versions",
        },
        "No item can have the id ...": {"view": "item", "collection": "orders", "id": ".."},
    }
    for why, address in nowhere.items():
        page = explorer.open(**address)
        expect(page.get_by_text(why, exact=True)).to_be_visible()
    page.get_by_role("link", name="All collections").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Collections")

    page = explorer.open("log", event="abc")
    expect(page.get_by_text("No event is at abc, or none that you may see.")).to_be_visible()
