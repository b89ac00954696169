"""The view of an item's life: its versions, what each changed, and the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.explorer.conftest import LookAt
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store

SLIDER = "Through time, by versions"


def put(explorer: Explorer, item: str, *bodies: Mapping[str, object] | None) -> None:
    """Writes the bodies one after the other; None deletes."""
    for body in bodies:
        path = f"/orders/{item}"
        answer = (
            explorer.store.delete(path) if body is None else explorer.store.put(path, json=body)
        )
        assert answer.is_success


def shown_version(page: Page, version: int) -> None:
    """Waits until the page shows this version."""
    expect(page.get_by_role("heading", name=re.compile(f"^Version {version}\\b"))).to_be_visible()


def test_a_life_is_walked_through_with_the_slider_and_can_be_linked(explorer: Explorer) -> None:
    """The slider says version, what happened and when; the address keeps the place."""
    put(explorer, "walked", {"n": 1}, {"n": 2}, None, {"n": 4, "big": 2**70})
    page = explorer.open("life", collection="orders", id="walked")
    shown_version(page, 4)
    expect(page.get_by_role("row")).to_have_count(5)
    expect(page.locator(".json").first).to_contain_text(str(2**70))
    expect(page.get_by_text("Deleted in version 3")).to_be_visible()

    slider = page.get_by_role("slider", name=SLIDER)
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute(
        "aria-valuetext", re.compile(r"Version 3 of 4, deleted 20\d\d")
    )
    expect(page.get_by_text("Version 3 deleted the item")).to_be_visible()
    slider.press("ArrowLeft")
    shown_version(page, 2)
    expect(page.locator("del").first).to_contain_text('"n": 1')
    expect(page.locator("ins").first).to_contain_text('"n": 2')

    page.wait_for_url(re.compile("version=2"))
    page.reload()
    shown_version(page, 2)
    page.get_by_role("link", name="Compare version 2 with version 4").click()
    expect(page.get_by_text("From version 4 to version 2: 1 changed, 1 removed")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("From version 1 to version 2: 1 changed")).to_be_visible()


def test_a_long_life_has_pages_and_any_version_can_be_named(explorer: Explorer) -> None:
    """A version far away is found by its number; the list shows those around it."""
    put(explorer, "long", *({"n": number} for number in range(1, 61)))
    page = explorer.open("life", collection="orders", id="long")
    expect(page.get_by_text("Versions 51 to 60 of 60")).to_be_visible()
    page.get_by_role("link", name="Earlier versions").click()
    expect(page.get_by_text("Versions 26 to 50 of 60")).to_be_visible()
    number = page.get_by_label("Version", exact=True)
    number.fill("7")
    number.press("Enter")
    shown_version(page, 7)
    expect(page.get_by_text("Versions 1 to 25 of 60")).to_be_visible()
    explorer.open("life", collection="orders", id="long", version=61)
    expect(page.get_by_text("There is no version 61")).to_be_visible()


def test_the_event_of_a_version_is_shown_with_its_header_fields(explorer: Explorer) -> None:
    """All that the log has, and how the version is answered."""
    put(explorer, "raw", {"n": 1}, {"n": 2})
    page = explorer.open("life", collection="orders", id="raw", version=1)
    page.get_by_text("The event of version 1").click()
    expect(page.get_by_text("memento-datetime")).to_be_visible()
    expect(page.locator(".raw").get_by_text("Position")).to_be_visible()


def test_each_member_is_traced_to_the_version_that_wrote_it(explorer: Explorer) -> None:
    """A member that was away meanwhile is as old as its coming back."""
    put(explorer, "traced", {"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 2}, {"a": 1, "b": 2, "c": 3})
    page = explorer.open("life", collection="orders", id="traced")
    page.get_by_text("Since when each member is as it is").click()
    for name, version in (("a", 4), ("b", 2), ("c", 4)):
        row = page.get_by_role("row").filter(
            has=page.get_by_role("rowheader", name=name, exact=True)
        )
        expect(row.get_by_role("link")).to_have_text(f"version {version}")


def test_a_version_is_reverted_to_after_a_look_at_what_would_change(explorer: Explorer) -> None:
    """Whoever came between is named, and nothing is written until one says so again."""
    explorer.expects("status of 412")
    put(explorer, "back", {"n": 1}, {"n": 2})
    page = explorer.open("life", collection="orders", id="back", version=1)
    page.get_by_role("button", name="Revert to version 1").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("del")).to_contain_text('"n": 2')
    put(explorer, "back", {"n": 3})
    dialog.get_by_role("button", name="Revert", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("somebody came between")
    expect(dialog.locator("del")).to_contain_text('"n": 3')
    assert explorer.store.get("/orders/back").json() == {"n": 3}

    dialog.get_by_role("button", name="Revert all the same").click()
    expect(page.get_by_text("Version 4 is written, with the body of version 1")).to_be_visible()
    shown_version(page, 4)
    assert explorer.store.get("/orders/back").json() == {"n": 1}


def test_a_revert_whose_answer_is_lost_is_carried_out_once(explorer: Explorer) -> None:
    """Sent again, it is the same one: nobody came between but oneself."""
    explorer.expects("net::ERR_")
    put(explorer, "lost", {"n": 1}, {"n": 2})
    page = explorer.open("life", collection="orders", id="lost", version=1)
    page.route("**/revert", lambda route: (route.fetch(), route.abort("connectionreset")), times=1)
    page.get_by_role("button", name="Revert to version 1").click()
    revert = page.get_by_role("dialog").get_by_role("button", name="Revert", exact=True)
    revert.click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("does not answer")
    revert.click()
    expect(page.get_by_text("Version 3 is written, with the body of version 1")).to_be_visible()
    assert explorer.store.get("/orders/lost").headers["etag"] == '"3"'


def test_a_deleted_item_is_brought_back(explorer: Explorer) -> None:
    """Reverting to what it was before creates it again."""
    put(explorer, "brought-back", {"n": 1}, None)
    page = explorer.open("life", collection="orders", id="brought-back", version=1)
    page.get_by_role("button", name="Revert to version 1").click()
    expect(page.get_by_text("would exist again")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Revert", exact=True).click()
    shown_version(page, 3)
    assert explorer.store.get("/orders/brought-back").json() == {"n": 1}


def test_a_version_that_comes_meanwhile_is_offered(explorer: Explorer) -> None:
    """What one looks at stays until one wants the newer one."""
    put(explorer, "busy", {"n": 1})
    page = explorer.open("life", collection="orders", id="busy")
    shown_version(page, 1)
    put(explorer, "busy", {"n": 2})
    expect(page.get_by_text("Version 2 has come")).to_be_visible()
    shown_version(page, 1)
    page.get_by_role("button", name="Show the newest").click()
    shown_version(page, 2)
    expect(page.get_by_text("Version 2 has come")).to_have_count(0)


def test_a_reader_sees_who_wrote_and_is_offered_no_way_back(
    closed_store: Store, look_at: LookAt
) -> None:
    """The name of the token that wrote stands beside each version."""
    explorer = look_at(closed_store)
    explorer.expects("favicon.ico")  # which the browser wants beside the file that sign_in loads
    put(explorer, "seen", {"n": 1}, {"n": 2})
    explorer.sign_in("reader")
    page = explorer.open("life", collection="orders", id="seen", version=1)
    shown_version(page, 1)
    expect(page.get_by_role("cell", name="admin")).to_have_count(2)
    expect(page.get_by_role("button", name="Revert")).to_have_count(0)

    put(explorer, "mine-life", {"n": 1}, {"n": 2})
    explorer.sign_in("bound")
    explorer.open("life", collection="orders", id="mine-life", version=1)
    expect(page.get_by_role("button", name="Revert")).to_be_visible()
