"""What axe, the rules of WCAG as a program, says of each view and of the pages beside them."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page, ViewportSize

from tests.explorer.every_view import OF_THE_STORE, SIDEWAYS, Item, opened
from tests.explorer.pages import Explorer

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()

RUN = "() => axe.run({ resultTypes: ['violations'] })"

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def faults(page: Page) -> list[str]:
    """What axe finds serious or critical, with where it is."""
    page.evaluate(AXE)
    return [
        f"{page.url}: {rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for rule in page.evaluate(RUN)["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


def faults_by_day_and_night(page: Page) -> list[str]:
    """The same of the page on a desktop in light colours, and on a phone in dark ones."""
    found = []
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    found += faults(page)
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    found += faults(page)
    if sideways := page.evaluate(SIDEWAYS):
        found.append(f"{page.url}: a phone has to be scrolled sideways by {sideways}")
    return found


def test_axe_finds_nothing_serious_on_any_view(explorer: Explorer) -> None:
    """In an open store, by day and by night, on a desktop and on a phone."""
    item = Item("products", "assam").written(
        explorer.store,
        {"title": "Assam", "price_cents": 790},
        {"title": "Assam", "price_cents": 690, "note": "Second flush"},
    )
    views = [*OF_THE_STORE.items(), *item.views()]
    assert not [
        fault
        for view, parameters in views
        for fault in faults_by_day_and_night(opened(explorer, view, parameters))
    ]


def test_axe_finds_nothing_serious_on_the_pages_beside_the_explorer(explorer: Explorer) -> None:
    """They are HTML for people too; `/docs` has its own tests."""
    found = []
    for path in ("/", "/problems/item-not-found"):
        explorer.page.goto(explorer.url + path)
        found += faults_by_day_and_night(explorer.page)
    assert not found


def test_axe_finds_nothing_serious_behind_a_token(closed_explorer: Explorer) -> None:
    """Where one is asked for, and where an admin makes others."""
    found = faults_by_day_and_night(closed_explorer.open("home"))
    closed_explorer.sign_in("admin")
    found += faults_by_day_and_night(opened(closed_explorer, "tokens", {}))
    assert not found
