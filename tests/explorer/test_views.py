"""What holds for every view of the explorer."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.explorer.pages import Explorer


def test_the_page_shows_the_collections(explorer: Explorer) -> None:
    """Each of them leads to its items."""
    page = explorer.open("home")
    for name in ("products", "orders"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


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
