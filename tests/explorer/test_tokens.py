"""Tokens, made, shown once, listed and revoked by an admin."""

from __future__ import annotations

import httpx
from playwright.sync_api import Route, expect

from tests.explorer.pages import Explorer

LAST = {
    "type": "/problems/last-token",
    "title": "It is the last token",
    "status": 409,
    "detail": "'admin' is the only token; without it the store is open. Make another one first.",
}


def test_a_token_is_made_shown_once_and_revoked(closed_explorer: Explorer) -> None:
    """What it is bound to stands in the list, and it opens just that."""
    closed_explorer.sign_in("admin")
    page = closed_explorer.open("tokens")
    for name in ("admin", "writer", "reader", "bound"):
        expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    expect(page.get_by_role("row", name="bound writer")).to_contain_text("mine-")

    page.get_by_label("Name", exact=True).fill("ann")
    page.get_by_label("Role").select_option("writer")
    page.get_by_label("orders").check()
    page.get_by_label("Prefixes of ids").fill("<b>\nשלום/")
    page.get_by_label("Expires").fill("2099-01-01T00:00")
    page.get_by_role("button", name="Make the token").dblclick()
    shown = page.get_by_label("The new token")
    expect(shown).to_be_focused()
    expect(shown).to_contain_text("it will not be shown again")
    secret = shown.locator("pre").inner_text()
    page.get_by_role("button", name="Copy the token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    header = {"Authorization": f"Bearer {secret}"}
    access = httpx.get(closed_explorer.url, headers=header).json()["access"]
    assert (access["token"], access["role"], access["collections"]) == ("ann", "writer", ["orders"])
    assert sorted(access["prefixes"]) == ["<b>", "שלום/"]

    page.reload()
    row = page.get_by_role("row").filter(has_text="ann")
    expect(row).to_contain_text("<b>")
    expect(row).to_contain_text("2099-01-01 00:00:00")
    assert secret not in page.content()

    row.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    row.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert closed_explorer.store.get("/admin/tokens/ann").status_code == 404


def test_what_can_not_be_is_said_where_it_stands(closed_explorer: Explorer) -> None:
    """A name that is taken, a time that is over; one's own token; the last one."""
    closed_explorer.expects("status of 409", "status of 422")
    closed_explorer.sign_in("admin")
    page = closed_explorer.open("tokens")
    page.get_by_label("Name", exact=True).fill("reader")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("alert")).to_contain_text("already")
    page.get_by_label("Expires").fill("2001-01-01T00:00")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Expires")).to_have_attribute("aria-invalid", "true")

    def last(route: Route) -> None:
        route.fulfill(status=409, json=LAST, content_type="application/problem+json")

    page.route("**/admin/tokens/admin", last)
    page.get_by_role("button", name="Revoke admin").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It is the token that you use here")
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is the only token")


def test_only_an_admin_sees_tokens(closed_explorer: Explorer) -> None:
    """Nothing is asked for that would be refused."""
    closed_explorer.sign_in("writer")
    page = closed_explorer.open("tokens")
    expect(page.get_by_text("Tokens are shown to admins")).to_be_visible()
    expect(page.get_by_role("button", name="Make the token")).to_have_count(0)


def test_an_open_store_says_how_the_first_token_is_made(explorer: Explorer) -> None:
    """That is the operator's, with the command."""
    page = explorer.open("tokens")
    expect(page.get_by_text("itemstore token create NAME --role admin")).to_be_visible()
    expect(page.get_by_role("button", name="Make the token")).to_have_count(0)
