"""Projections that handle events: how it stands with them, and what an admin does about it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.explorer.pages import Explorer
from tests.explorer.test_accessibility import faults_by_day_and_night

LETTERS = "/admin/projections/parcels/dead-letters"

FOLLOWING: dict[str, Any] = {
    "name": "hook", "collection": "orders", "position": "5-0", "time": None, "lag": 0, "rows": 4,
    "last_rebuild": None, "state": "following", "reason": None, "failing": None, "tries": 0,
    "next": None, "handled": 4, "failures": 0, "dead_letters": 0,
}  # fmt: skip

FAILING = FOLLOWING | {
    "name": "mail", "state": "failing", "reason": "<b>It</b> is busy", "failing": "6-0",
    "tries": 3, "next": "2026-11-23T09:17:31Z", "failures": 3, "lag": 2,
}  # fmt: skip

STOPPED = FOLLOWING | {
    "collection": "products", "state": "stopped", "reason": "the receiver answers 410",
    "failing": "7-0", "tries": 1, "failures": 1, "lag": 1,
}  # fmt: skip


def put(explorer: Explorer, *ids: str) -> list[str]:
    """Parcels with these ids, of which none is sent at once; the ids of their events."""
    answers = [explorer.store.put(f"/orders/{each}", json={}) for each in ids]
    return [each.raise_for_status().headers["event-id"] for each in answers]


def drop_all(explorer: Explorer) -> None:
    """Leaves nothing of this test for the next one."""
    explorer.store.post(f"{LETTERS}/drop", json={"all": True}).raise_for_status()


def test_events_that_are_set_aside_are_tried_again_and_dropped(explorer: Explorer) -> None:
    """One or all of them: what is dropped is asked about, and what was done is said."""
    sent, kept, other = put(explorer, "parcel-sent", "parcel-kept", "parcel-other")
    page = explorer.open("operations")
    parcels = page.get_by_role("region", name="parcels", exact=True)
    expect(parcels.get_by_text("follows")).to_be_visible()
    expect(parcels.get_by_role("heading", name="Set aside: 3 events")).to_be_visible()
    row = parcels.get_by_role("row").filter(has_text=sent)
    expect(row).to_contain_text("No <b>courier</b> today")
    assert not faults_by_day_and_night(page)

    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    row.get_by_role("button", name=f"Retry {sent}").click()
    expect(parcels.get_by_role("status")).to_have_text(
        "1 event will be tried again within seconds."
    )
    expect(parcels.get_by_role("heading", name="parcels")).to_be_focused()
    expect(row).to_have_count(0)

    dialog = page.get_by_role("dialog")
    parcels.get_by_role("button", name=f"Drop {kept}").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    parcels.get_by_role("button", name=f"Drop {other}").click()
    dialog.get_by_role("button", name="Drop", exact=True).click()
    expect(parcels.get_by_role("row").filter(has_text=other)).to_have_count(0)
    expect(parcels.get_by_role("heading", name="parcels")).to_be_focused()
    expect(parcels.get_by_role("row").filter(has_text=kept)).to_be_visible()

    parcels.get_by_role("button", name="Drop all of parcels").click()
    dialog.get_by_role("button", name="Drop", exact=True).click()
    expect(parcels.get_by_role("status")).to_have_text("1 event dropped.")
    expect(parcels.get_by_role("table")).to_have_count(0)
    assert explorer.store.get(LETTERS).json()["total"] == 0


def test_many_that_are_set_aside_come_in_pages(explorer: Explorer) -> None:
    """The oldest first, and back to the first page."""
    ids = put(explorer, *(f"parcel-{number}" for number in range(21)))
    page = explorer.open("operations")
    parcels = page.get_by_role("region", name="parcels", exact=True)
    expect(parcels.get_by_role("heading", name="Set aside: 21 events")).to_be_visible()
    parcels.get_by_role("button", name="Next page").click()
    rows = parcels.get_by_role("rowheader")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(ids[-1])
    parcels.get_by_role("button", name="First page").click()
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text(ids[0])
    parcels.get_by_role("button", name="Retry all of parcels").click()
    expect(parcels.get_by_role("status")).to_contain_text("21 events will be tried again")
    drop_all(explorer)


def show(page: Page, *projections: dict[str, Any]) -> None:
    """Has the store say this of its projections."""
    told = {"log": {"position": "7-0", "events": 7}, "projections": projections}
    page.route("**/projections", lambda route: route.fulfill(json=told))


def test_one_that_waits_or_has_stopped_says_why_and_is_resumed(explorer: Explorer) -> None:
    """With the event that it does not get past, and when it tries next."""
    resumed: list[str] = []

    def resume(route: Route) -> None:
        resumed.append(route.request.method)
        route.fulfill(status=202, json={"resumed": True})

    page = explorer.page
    show(page, FOLLOWING, STOPPED, FAILING)
    page.route("**/admin/projections/hook/resume", resume)
    explorer.open("operations")
    mail = page.get_by_role("region", name="mail", exact=True)
    expect(mail).to_contain_text("waits after a failure <b>It</b> is busy, at 6-0, tried 3 times")
    expect(mail).to_contain_text("next at 2026-11-23 10:17:31")
    hook = page.get_by_role("region", name="hook", exact=True)
    expect(hook).to_contain_text("follows")
    expect(hook).to_contain_text("stopped the receiver answers 410, at 7-0")
    assert not faults_by_day_and_night(page)
    hook.get_by_role("button", name="Resume hook").dblclick()
    expect(hook.get_by_role("status")).to_have_text("It tries again within seconds.")
    assert resumed == ["POST"]


def test_who_is_no_admin_sees_the_state_alone(closed_explorer: Explorer) -> None:
    """Nothing is asked for that would be refused."""
    show(closed_explorer.page, FAILING | {"dead_letters": 2})
    closed_explorer.sign_in("reader")
    page = closed_explorer.open("operations")
    expect(page.get_by_role("region", name="mail", exact=True)).to_contain_text("2 set aside")
    for name in ("Resume", "Retry", "Drop"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
