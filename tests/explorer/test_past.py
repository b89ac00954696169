"""The view of an item as it was at a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from itemstore.domain.positions import milliseconds_of
from tests.explorer.pages import Explorer

FAR_AGO = "2001-02-03T04:05:06Z"


def written_at(event_id: str) -> datetime:
    """The time of an event, from the Event-Id of the answer to the write."""
    return datetime.fromtimestamp(milliseconds_of(event_id) / 1000, UTC)


def written_in_turn(explorer: Explorer, item: str) -> list[datetime]:
    """Writes the item, deletes it and writes it again, each in a second of its own; the times."""
    times: list[datetime] = []
    for body in ({"n": 1}, None, {"n": 3}):
        while times and datetime.now(UTC).replace(microsecond=0) <= times[-1]:
            explorer.page.wait_for_timeout(50)  # an HTTP date has whole seconds
        path = f"/orders/{item}"
        answer = (
            explorer.store.delete(path) if body is None else explorer.store.put(path, json=body)
        )
        times.append(written_at(answer.headers["Event-Id"]))
    return times


def test_an_item_is_shown_as_it_was_deleted_and_before_it_was(explorer: Explorer) -> None:
    """With what changed since, and the way to the version in its life."""
    explorer.expects("status of 404")  # what a deleted item is answered with
    created, deleted, _ = written_in_turn(explorer, "past")
    page = explorer.open("past", collection="orders", id="past", at=created.isoformat())
    expect(page.get_by_role("heading", name="As it was")).to_be_visible()
    expect(page.locator("del")).to_contain_text('"n": 1')
    expect(page.locator("ins")).to_contain_text('"n": 3')
    page.get_by_role("link", name="Both in its life").click()
    expect(page.get_by_text("From version 1 to version 3: 1 changed")).to_be_visible()
    page.go_back()

    text = page.get_by_label("The same as RFC 3339")
    text.fill(deleted.isoformat())
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="It was deleted")).to_be_visible()

    text.fill(FAR_AGO)
    text.press("Enter")
    expect(page.get_by_text("The item did not exist at 2001-02-03 05:05:06")).to_be_visible()
    expect(page.get_by_role("heading", name="Its first version", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Its first version", exact=True)).to_be_visible()


def test_a_moment_is_chosen_on_the_clock_here_or_typed(explorer: Explorer) -> None:
    """Both fields say the same; what is no time is refused in words."""
    explorer.store.put("/orders/moment", json={"n": 1})
    page = explorer.open("past", collection="orders", id="moment")
    local, text = page.get_by_label("Date and time here"), page.get_by_label("The same as RFC 3339")
    local.fill("2030-07-01T12:00:00")
    expect(text).to_have_value("2030-07-01T10:00:00Z")
    expect(page.get_by_text("Europe/Berlin, UTC+02:00")).to_be_visible()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("This is in the future")).to_be_visible()
    expect(page.get_by_text("Nothing was written since.", exact=True)).to_be_visible()

    text.fill("2026-11-27T23:00:00+01:00")
    expect(local).to_have_value("2026-11-27T23:00")
    for wrong in ("yesterday", "2026-02-30T00:00:00Z", "2026-11-27T22:00:00"):
        text.fill(wrong)
        text.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("This is no time.")
    explorer.open("past", collection="orders", id="moment", at="soon")
    expect(page.get_by_role("alert")).to_contain_text("This is no time.")


def test_of_an_item_that_never_was_there_is_no_past(explorer: Explorer) -> None:
    """The store's own words say so."""
    explorer.expects("status of 404")
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    page = explorer.open("past", collection="orders", id="never was", at=at)
    expect(page.get_by_role("alert")).to_contain_text("never was")
