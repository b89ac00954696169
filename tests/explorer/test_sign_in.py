"""Getting in: a token is asked for where the store wants one, and for as long as it is good."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.conftest import wait_until
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store

INVALID = "The token is not valid here; it may have been revoked."


def test_a_pasted_token_opens_the_address_that_was_asked_for(
    closed_explorer: Explorer, closed_store: Store
) -> None:
    """Blanks, line breaks, and the field's name before it are no part of it."""
    secret = closed_store.secrets["reader"]
    page = closed_explorer.open("nowhere")
    expect(page.get_by_role("heading")).to_have_text("This store wants a token")
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.get_by_role("navigation")).to_have_count(0)

    enter(page, f"  Authorization: Bearer {secret[:20]}\n {secret[20:]} ")
    expect(page.get_by_role("heading")).to_have_text("There is no such view")
    expect(page.get_by_role("heading")).to_be_focused()
    expect(page).to_have_url(f"{closed_explorer.url}/explorer?view=nowhere")
    expect(page.get_by_role("banner")).to_contain_text("reader · reader")
    page.reload()
    expect(page.get_by_role("heading")).to_have_text("There is no such view")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("This store wants a token")
    assert page.evaluate("() => sessionStorage.getItem('itemstore-token')") is None


def test_a_token_that_opens_nothing_is_refused_with_the_reason(closed_explorer: Explorer) -> None:
    """In the store's words; what was typed stays, and is kept nowhere."""
    closed_explorer.expects("status of 401")
    page = closed_explorer.open("home")
    said = page.get_by_role("alert")
    enter(page, "nobody.knows")
    expect(said).to_have_text(INVALID)
    expect(page.get_by_label("Token")).to_have_value("nobody.knows")
    expect(page.get_by_label("Token")).to_have_attribute("aria-invalid", "true")
    enter(page, "no–dash")
    expect(said).to_have_text("There is a character in it that no token has.")
    enter(page, "  ")
    expect(said).to_have_text("Paste the token that you were given.")
    assert page.evaluate("() => sessionStorage.getItem('itemstore-token')") is None


def test_a_token_that_is_revoked_leads_back_to_the_form(
    closed_explorer: Explorer, closed_store: Store
) -> None:
    """With the reason; after another one was given the same address is shown."""
    closed_explorer.expects("status of 401")
    made = closed_explorer.store.post("/admin/tokens", json={"name": "brief", "role": "writer"})
    page = closed_explorer.open("home")
    enter(page, made.json()["token"])
    expect(page.get_by_role("banner")).to_contain_text("brief · writer")

    closed_explorer.store.delete("/admin/tokens/brief")
    its = {"Authorization": f"Bearer {made.json()['token']}"}
    wait_until(lambda: closed_explorer.store.get("/stats", headers=its).status_code == 401)
    page.get_by_role("link", name="orders", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(INVALID)
    expect(page).to_have_title("Sign in · itemstore")
    enter(page, closed_store.secrets["admin"])
    expect(page.get_by_role("heading", name="orders")).to_be_visible()
    expect(page).to_have_url(f"{closed_explorer.url}/explorer?view=items&collection=orders")
    expect(page.get_by_role("banner")).to_contain_text("admin · admin")


def test_only_what_a_token_may_do_is_offered(closed_explorer: Explorer) -> None:
    """A reader can't make items or tokens, and a bound token is told what it sees."""
    places = closed_explorer.page.get_by_role("navigation", name="Places").get_by_role("link")
    for kind, offered in {
        "reader": ["Items", "Log", "Operations", "Try it", "API"],
        "admin": ["Items", "Log", "Operations", "Tokens", "Try it", "API"],
    }.items():
        closed_explorer.sign_in(kind)
        page = closed_explorer.open("home")
        expect(places).to_have_text(offered)
        expect(page.get_by_role("link", name="New item in orders")).to_have_count(
            0 if kind == "reader" else 1
        )
    closed_explorer.sign_in("bound")
    page = closed_explorer.open("home")
    expect(page.get_by_role("banner")).to_contain_text("bound · writer · bound")
    expect(page.get_by_role("main")).to_contain_text(
        "Your token sees only orders, and only ids that begin with mine-."
    )
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("columnheader", name="Events")).to_have_count(0)


def enter(page: Page, text: str) -> None:
    """Pastes a text into the form, as a clipboard brings it, and sends it."""
    page.get_by_label("Token").fill("")
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.get_by_label("Token").press("Control+V")
    page.get_by_role("button", name="Sign in").click()
