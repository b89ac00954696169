"""The API's description at /docs, in a real browser: with a token and without, typed into, read."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.explorer.conftest import LookAt
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store

LOOKS: tuple[tuple[Literal["light", "dark"], ViewportSize], ...] = (
    ("light", ViewportSize(width=1280, height=900)),
    ("dark", ViewportSize(width=390, height=844)),
)

COLOURS_HAVE_CHANGED = """Promise.allSettled(
    document.getAnimations()
        .filter((each) => each instanceof CSSTransition)
        .map((each) => each.finished))"""

ONLY_VIOLATIONS = {"preload": False, "resultTypes": ["violations"]}
"""What is well is not described. No preload: axe asks once more for the files that a style imports,
and at another place."""


def docs(explorer: Explorer) -> Page:
    """The page, when it shows what can be asked, or asks for a token."""
    explorer.expects("escaping deep link whitespace")  # a word of Swagger UI to itself
    explorer.page.goto(f"{explorer.url}/docs")
    expect(explorer.page.locator("h1:visible")).to_have_count(1)
    return explorer.page


def tried(page: Page, name: str, **values: str) -> Locator:
    """An operation, after it was opened, filled in and sent."""
    operation = page.locator(f"[id^=operations-][id$={name}]")
    operation.locator("button.opblock-summary-control").click()
    operation.locator(".try-out__btn").click()
    for parameter, value in values.items():
        operation.locator(f'tr[data-param-name="{parameter}"] input').fill(value)
    operation.locator("button.execute").click()
    expect(operation.locator(".live-responses-table")).to_be_visible()
    return operation


def status_of(operation: Locator) -> str:
    """The status of the answer that it shows."""
    return (
        operation.locator(".live-responses-table .response-col_status:not(.col_header)")
        .inner_text()
        .strip()
    )


def test_who_has_a_token_tries_the_api_with_it(closed_explorer: Explorer) -> None:
    """It asks for one, says what is wrong with another, keeps it for the tab, and forgets it."""
    closed_explorer.expects("401")
    page = docs(closed_explorer)
    field, refusal = page.get_by_label("Token"), page.locator("#refusal")
    expect(field).to_be_focused()
    for wrong, said in (("", "Paste"), ("no tökén", "character"), ("writer.wrong", "valid")):
        field.fill(wrong)
        field.press("Enter")
        expect(refusal).to_contain_text(said)
    expect(page.locator(".opblock")).to_have_count(0)

    field.fill(f"  Authorization: Bearer {closed_explorer.secret('writer')}\n")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#who")).to_have_text("writer · writer")
    operation = tried(page, "put_orders_item", id="docs/\u00e9")
    assert status_of(operation) == "201"
    expect(operation.locator(".request-url")).to_contain_text("/orders/docs%2F%C3%A9")
    assert closed_explorer.store.get("/orders/docs%2F%C3%A9").status_code == 200

    page.reload()
    expect(page.locator("#who")).to_have_text("writer · writer")
    page.get_by_role("link", name="Explorer").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Forget the token").click()
    expect(field).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('itemstore-token')") is None


def test_a_token_that_is_bound_sees_what_it_may_do_by_trying(closed_explorer: Explorer) -> None:
    """The explorer's token is used, and the store's refusal is shown."""
    closed_explorer.expects("403")
    closed_explorer.sign_in("bound")
    page = docs(closed_explorer)
    expect(page.locator("#who")).to_have_text("bound · writer")
    assert status_of(tried(page, "put_orders_item", id="others-1")) == "403"


def test_nothing_is_in_the_way_of_anybody(explorer: Explorer) -> None:
    """Axe finds nothing serious, with an operation open that was tried: wide, narrow and dark."""
    page = docs(explorer)
    operation = tried(page, "get_orders_item", id="a/b")
    expect(operation.locator('tr[data-param-name="id"]')).to_contain_text("with a slash as a slash")
    assert page.locator("html").get_attribute("lang") == "en"
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.evaluate(COLOURS_HAVE_CHANGED)
        found = Axe().run(page, options=ONLY_VIOLATIONS).response["violations"]
        serious = [each for each in found if each["impact"] in {"serious", "critical"}]
        assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []
    explorer.expects("404")


def test_a_store_that_is_away_is_said(look_at: LookAt, open_store: Store) -> None:
    """In a sentence, in place of what can't be shown."""
    explorer = look_at(open_store)
    explorer.expects("ERR_FAILED", "net::")
    explorer.page.route("**/openapi.json", lambda route: route.abort())
    explorer.page.goto(f"{explorer.url}/docs")
    expect(explorer.page.get_by_role("alert").first).to_contain_text("does not answer")
