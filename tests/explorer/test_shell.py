"""What stands around every view: places, focus, scrolling, and what is said when one fails."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.explorer.pages import Explorer

BROKEN = "export default function Broken() { throw new TypeError('nothing is where it was'); }"


def test_places_lead_to_views_and_back_to_where_one_was(explorer: Explorer) -> None:
    """The present one is marked, the new heading has the focus, and going back scrolls back."""
    page = explorer.page
    page.set_viewport_size({"width": 1000, "height": 200})
    explorer.open("home")
    places = page.get_by_role("navigation", name="Places")
    expect(places.get_by_role("link", name="Items")).to_have_attribute("aria-current", "page")
    expect(page.locator("body")).to_be_focused()
    page.mouse.wheel(0, 90)
    page.wait_for_function("() => scrollY === 90")

    places.get_by_role("link", name="Tokens").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tokens")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(places.get_by_role("link", name="Tokens")).to_have_attribute("aria-current", "page")
    expect(places.locator("[aria-current]")).to_have_count(1)
    expect(page).to_have_title("Tokens · itemstore")
    assert page.evaluate("scrollY") == 0

    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Collections")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.wait_for_function("() => scrollY === 90")
    page.reload()
    page.wait_for_function("() => scrollY === 90")


def test_the_keyboard_skips_to_the_content(explorer: Explorer) -> None:
    """The first thing that it reaches is a link past the places."""
    page = explorer.open("home")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_url(f"{explorer.url}/explorer?view=home")


def test_a_view_that_fails_says_so_and_the_rest_works(explorer: Explorer) -> None:
    """Whether it throws, or can't be loaded, or is none."""
    page = explorer.page
    page.route(
        "**/views/tokens.js",
        lambda route: route.fulfill(content_type="text/javascript", body=BROKEN),
    )
    page.route("**/views/try.js", lambda route: route.abort())
    explorer.expects("views/try.js")
    places = page.get_by_role("navigation", name="Places")
    heading = page.get_by_role("heading", level=1)

    explorer.open("tokens")
    expect(heading).to_have_text("This view can’t be shown")
    expect(page.get_by_role("alert")).to_contain_text("TypeError: nothing is where it was")
    places.get_by_role("link", name="Try it").click()
    expect(page.get_by_role("alert")).to_contain_text("views/try.js")
    expect(heading).to_be_focused()
    for nothing in ("nothing", "constructor", "__proto__"):
        explorer.open(nothing)
        expect(heading).to_have_text("There is no such view")
    places.get_by_role("link", name="Items").click()
    expect(heading).to_have_text("Collections")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "The store does not answer."),
        ({"title": "The log is not available", "detail": "The log is resting."}, "resting"),
    ],
    ids=["nothing answers", "the engine is away"],
)
def test_a_store_that_goes_away_is_noticed_and_so_is_its_return(
    explorer: Explorer, answer: dict[str, str] | None, sentence: str
) -> None:
    """A sentence says so; what could not be loaded comes by itself afterwards."""
    explorer.expects("ERR_CONNECTION_REFUSED", "connectionrefused", "status of 503")
    page = explorer.open("tokens")

    def refuse(route: Route) -> None:
        if answer is None:
            route.abort("connectionrefused")
        else:
            route.fulfill(status=503, json=answer)

    for path in ("/readyz", "/orders?*", "/stats"):
        page.route(f"**{path}", refuse)
    page.get_by_role("link", name="Items", exact=True).click()
    row = page.get_by_role("row", name="orders")
    expect(page.locator(".away")).to_contain_text(sentence)
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(row).to_contain_text("unknown")
    page.unroute_all()
    expect(page.locator(".away")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(row).not_to_contain_text("unknown")


def test_a_hundred_collections_are_found_by_their_names(explorer: Explorer) -> None:
    """All are listed, and a few letters narrow them down."""
    page = explorer.page
    about = explorer.store.get("/").json()
    about["collections"] = [f"things-{number:02}" for number in range(100)]
    page.route(f"{explorer.url}/", lambda route: route.fulfill(json=about))
    page.route("**/things-*", lambda route: route.fulfill(json={"items": [], "total": 1234}))
    explorer.open("home")
    expect(page.get_by_role("row")).to_have_count(101)
    page.get_by_label("Find a collection").fill("-7")
    expect(page.get_by_role("row")).to_have_count(11)
    expect(page.get_by_role("row", name="things-70")).to_contain_text("1,234")
    expect(page.get_by_role("status").filter(has_text="collections")).to_have_text("10 collections")
