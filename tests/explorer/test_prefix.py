"""The explorer under a prefix, as behind a proxy: nothing that it asks for is outside."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.explorer.conftest import LookAt
from tests.explorer.every_view import OF_THE_STORE, Item, opened
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store, served

PREFIX = "/shop/store"

LINKS = """[...document.querySelectorAll("[href], [src], form[action]")]
    .map((each) => each.href || each.src || each.action)
    .filter((each) => each.startsWith(location.origin))
    .map((each) => new URL(each).pathname)"""


@pytest.fixture(scope="module")
def prefixed_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store under a prefix, open to all. Without the prefix it would answer too."""
    with served(tmp_path_factory.mktemp("prefixed"), options=("--root-path", PREFIX)) as store:
        yield store


@pytest.fixture
def asked(prefixed_store: Store, look_at: LookAt) -> Iterator[Explorer]:
    """A tab on it, which may ask for nothing outside."""
    explorer = look_at(prefixed_store)
    paths: list[str] = []
    explorer.page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    yield explorer
    assert {path for path in paths if not path.startswith(f"{PREFIX}/")} <= {"/favicon.ico"}


def test_every_view_is_within_the_prefix(asked: Explorer) -> None:
    """With all that it loads, and all that it leads to."""
    item = Item("orders", "pre/fix").written(asked.store, {"title": "a"}, {"title": "b"})
    for view, parameters in (*OF_THE_STORE.items(), *item.views()):
        page = opened(asked, view, parameters)
        outside = [path for path in page.evaluate(LINKS) if not path.startswith(f"{PREFIX}/")]
        assert outside == [], view


def test_an_item_is_written_followed_and_found_within_the_prefix(asked: Explorer) -> None:
    """As a person does it: from the first page on, by its links."""
    page = asked.open("home")
    page.get_by_role("link", name="orders", exact=True).click()
    expect(page.locator("h1")).to_contain_text("orders")
    page = asked.open("edit", collection="orders")
    page.get_by_label("Id", exact=True).fill("a/b")
    page.get_by_label("Body, as JSON").fill('{"n": 1}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    assert asked.store.get("/orders/a%2Fb").json() == {"n": 1}

    page = opened(asked, "log", {})
    asked.store.put("/orders/seen-live", json={"n": 2})
    expect(page.get_by_text("seen-live").first).to_be_visible()

    page = asked.open("try", method="GET", path="/orders/a%2Fb")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Status and header fields")).to_contain_text("200 OK")


def test_a_link_to_an_item_leads_a_browser_to_its_view_within_the_prefix(asked: Explorer) -> None:
    """And /docs asks the store there."""
    asked.store.put("/orders/led%2Fhere", json={})
    asked.page.goto(f"{asked.url}/orders/led%2Fhere")
    expect(asked.page.locator("h1")).to_have_text("led/here")
    asked.expects("escaping deep link whitespace")
    asked.page.goto(f"{asked.url}/docs")
    operation = asked.page.locator("[id^=operations-][id$=livez]").first
    operation.locator("button.opblock-summary-control").click()
    operation.locator(".try-out__btn").click()
    operation.locator(".execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("200")
