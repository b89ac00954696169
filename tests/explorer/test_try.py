"""Requests of one's own, and the exchange as it went over the wire."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.explorer.pages import Explorer

ANSWER = "Status and header fields"


def send(page: Page) -> None:
    """Sends what was composed."""
    page.get_by_role("button", name="Send").click()


def test_a_write_is_sent_and_the_event_that_it_appended_is_shown(explorer: Explorer) -> None:
    """With its conditions; what is refused for them is shown with what the store says of it."""
    explorer.expects("status of 412", "status of 400")
    page = explorer.open("try", method="PUT", path="/orders/try%2Fa")
    expect(page.locator('datalist option[value="/orders/{id}"]')).to_have_count(1)
    page.get_by_label("Body", exact=True).fill('{"n": 12345678901234567890}')
    page.get_by_role("button", name="If-None-Match: *").click()
    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text("201 Created")
    expect(page.get_by_label("The request", exact=True)).to_contain_text("If-None-Match: *")
    event = page.get_by_label("The event that it appended")
    expect(event).to_contain_text("created", ignore_case=True)
    expect(event).to_contain_text("12345678901234567890")
    position = explorer.store.get("/orders/try%2Fa/events").json()[-1]["id"]
    expect(event).to_contain_text(position)

    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text("412")
    expect(page.locator(".exchange")).to_contain_text("unexpected-version")
    expect(event).to_have_count(0)

    page.get_by_role("button", name="If-None-Match: *").click()
    page.get_by_role("button", name="If-Match: current version").click()
    expect(page.get_by_label("Header fields", exact=True)).to_have_value('If-Match: "1"')
    page.get_by_label("Body", exact=True).fill("{no json")
    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text("400")
    expect(page.locator(".exchange")).to_contain_text("malformed-json")

    expect(page).to_have_url(re.compile("body=%7Bno\\+json"))
    page.reload()
    expect(page.get_by_label("Body", exact=True)).to_have_value("{no json")
    expect(page.get_by_label("Header fields", exact=True)).to_have_value('If-Match: "1"')


def test_answers_without_a_body_are_explained(explorer: Explorer) -> None:
    """304, HEAD, OPTIONS: status and fields are what there is."""
    explorer.store.put("/orders/try-b", json={"n": 1}).raise_for_status()
    page = explorer.open("try", path="/orders/try-b", headers='If-None-Match: "1"')
    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text("304 Not Modified")
    expect(page.locator(".exchange")).to_contain_text("Nothing has changed")

    page.get_by_label("Header fields", exact=True).fill("Host: elsewhere")
    page.get_by_label("Method").select_option("HEAD")
    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text('etag: "1"')
    expect(page.locator(".exchange")).to_contain_text("HEAD has no body")
    expect(page.locator(".exchange")).to_contain_text("lets no page set Host")

    page.get_by_label("Method").select_option("OPTIONS")
    send(page)
    expect(page.get_by_label(ANSWER)).to_contain_text("allow: ")

    page.get_by_label("Header fields", exact=True).fill("no field")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("this is none: no field")


def test_a_stream_is_shown_as_it_comes_until_it_is_stopped(explorer: Explorer) -> None:
    """What happens meanwhile is in it."""
    page = explorer.open("try", path="/events?item=try-c", headers="Accept: text/event-stream")
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()  # and in nobody's way
    send(page)
    expect(page.locator(".exchange")).to_contain_text("a stream, which is shown as it comes")
    explorer.store.put("/orders/try-c", json={"n": "<b>live</b>"}).raise_for_status()
    expect(page.get_by_label("Body", exact=True)).to_contain_text("<b>live</b>")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".exchange")).to_contain_text("200 OK, stopped after")


def test_a_reader_is_offered_no_writes(closed_explorer: Explorer) -> None:
    """And the token never stands in what is shown."""
    closed_explorer.sign_in("reader")
    page = closed_explorer.open("try", path="/orders")
    assert page.get_by_label("Method").locator("option").all_inner_texts() == [
        *("GET", "HEAD", "OPTIONS"),
    ]
    send(page)
    expect(page.get_by_label("The request", exact=True)).to_contain_text("Bearer $TOKEN")
    expect(page.get_by_label(ANSWER)).to_contain_text("200 OK")
