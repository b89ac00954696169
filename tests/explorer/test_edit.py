"""Writing items in the explorer: the form, JSON text, refusals, and who else writes meanwhile."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Dialog, Page, Route, expect

from tests.explorer.conftest import LookAt
from tests.explorer.pages import Explorer
from tests.explorer.stores import Store

BEYOND_DOUBLES = 12345678901234567890123
SAVED = re.compile("view=item&")


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def _shows_saved(page: Page) -> None:
    expect(page).to_have_url(SAVED)
    expect(page.get_by_role("button", name="Delete")).to_be_visible()


def test_an_id_that_is_a_step_of_a_path_is_refused_here(explorer: Explorer) -> None:
    """Sent to the store, it would be about another resource."""
    page = explorer.open("edit", collection="orders")
    page.get_by_label("Id", exact=True).fill("..")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("No item can have the id ..")


def test_a_new_item_is_written_in_a_form_made_from_the_model(explorer: Explorer) -> None:
    """Of its own id or one that the store chooses; what is left out stays so, what is null is."""
    page = explorer.open("edit", collection="products")
    expect(page.get_by_label("title")).to_have_attribute("aria-required", "true")
    page.get_by_label("Id", exact=True).fill("edit/new & <b>")
    page.get_by_label("title").fill("Sencha")
    page.get_by_label("price_cents").fill(str(BEYOND_DOUBLES))
    page.get_by_label("kind").select_option("cup")
    page.get_by_label("What note is").select_option("null")
    _save(page)
    _shows_saved(page)
    expect(page.locator("h1")).to_have_text("edit/new & <b>")
    stored = explorer.store.get("/products/edit%2Fnew%20%26%20%3Cb%3E")
    assert stored.json() == {
        "title": "Sencha",
        "price_cents": BEYOND_DOUBLES,
        "kind": "cup",
        "in_stock": True,
        "note": None,
    }

    page = explorer.open("edit", collection="orders")
    page.get_by_label("Body, as JSON").fill('{"total": 1.0}')
    _save(page)
    _shows_saved(page)
    chosen = page.locator("h1").inner_text()
    assert explorer.store.get(f"/orders/{chosen}").text == '{"total":1.0}'


def test_form_and_json_say_the_same_and_keep_what_was_typed(explorer: Explorer) -> None:
    """Also what is no JSON yet: it is said where, and nothing is sent."""
    body = {"title": "A", "price_cents": BEYOND_DOUBLES, "note": "a\nb"}
    explorer.store.put("/products/edit-turns", json=body)
    page = explorer.open("edit", collection="products", id="edit-turns")
    form, text = page.get_by_label("Form"), page.get_by_label("JSON", exact=True)
    whole = page.get_by_label("Body, as JSON")
    expect(page.get_by_label("price_cents")).to_have_value(str(BEYOND_DOUBLES))
    expect(page.get_by_label("note", exact=False).first).to_have_value("a\nb")

    page.get_by_label("price_cents").fill("12 and some")
    text.check()
    expect(whole).to_have_value(re.compile('"price_cents": 12 and some'))
    expect(page.get_by_text("Not JSON yet")).to_be_visible()
    form.check()
    expect(page.get_by_label("price_cents")).to_have_value("12 and some")
    _save(page)
    expect(page.get_by_text("Not a number")).to_be_visible()
    expect(page.get_by_label("price_cents")).to_be_focused()

    text.check()
    whole.fill('{"title": "B",  "price_cents": 7, ')
    form.click()
    expect(page.get_by_text("can't be shown as a form yet")).to_be_visible()
    expect(whole).to_have_value('{"title": "B",  "price_cents": 7, ')
    whole.fill('{"title": "B",  "price_cents": 7}')
    form.check()
    expect(page.get_by_label("title")).to_have_value("B")
    text.check()
    expect(whole).to_have_value('{"title": "B",  "price_cents": 7}')
    _save(page)
    _shows_saved(page)
    assert explorer.store.get("/products/edit-turns").json()["price_cents"] == 7


def test_what_the_model_refuses_is_said_at_its_field(explorer: Explorer) -> None:
    """By the JSON Pointer of each error; what was typed stays, and can be put right."""
    explorer.expects("422", "404")
    page = explorer.open("edit", collection="products", id="edit-refused")
    expect(page.get_by_text("There is no item with this id")).to_be_visible()
    page.get_by_label("title").fill("Assam")
    page.get_by_label("price_cents").fill("1.5")
    _save(page)
    refusal = page.get_by_text("The body is JSON, but not an item")
    expect(refusal).to_be_visible()
    price = page.get_by_label("price_cents")
    expect(price).to_have_attribute("aria-invalid", "true")
    expect(price).to_have_accessible_description(re.compile("valid integer"))
    expect(page.get_by_label("title")).to_have_attribute("aria-invalid", "false")

    page.get_by_label("JSON", exact=True).check()
    expect(page.get_by_role("button", name="/price_cents")).to_be_visible()
    page.get_by_label("Body, as JSON").fill('{"title": "Assam", "price_cents": 3, "odd": 1}')
    _save(page)
    page.get_by_role("button", name="/odd").click()
    selected = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    assert page.evaluate(selected) == [44, 45]
    page.get_by_label("Form").check()
    page.get_by_label("What odd is").select_option("absent")
    _save(page)
    _shows_saved(page)
    assert explorer.store.get("/products/edit-refused").json()["price_cents"] == 3


def test_who_was_faster_is_shown_and_nothing_is_lost(explorer: Explorer) -> None:
    """Mine, theirs and what differs; mine over theirs is guarded again, and theirs can be taken."""
    explorer.expects("412", "404")
    put = explorer.store.put
    put("/orders/edit-race", json={"state": "placed", "lines": 1})
    page = explorer.open("edit", collection="orders", id="edit-race")
    body = page.get_by_label("Body, as JSON")
    expect(body).to_have_value(re.compile("placed"))
    put("/orders/edit-race", json={"state": "paid", "lines": 1})
    body.fill('{"state": "placed", "lines": 2}')
    _save(page)
    conflict = page.get_by_role("alert")
    expect(conflict.get_by_role("heading", name="Somebody changed this item")).to_be_focused()
    expect(conflict).to_contain_text("It is at version 2 now")
    expect(conflict.locator("ins, del")).to_have_count(4)

    put("/orders/edit-race", json={"state": "sent", "lines": 1})
    page.get_by_role("button", name="Put mine over theirs").click()
    expect(conflict).to_contain_text("It is at version 3 now")
    assert explorer.store.get("/orders/edit-race").json()["state"] == "sent"

    page.get_by_role("button", name="Go on from theirs").click()
    expect(body).to_have_value(re.compile("sent"))
    expect(page.get_by_text("What you had typed before")).to_be_visible()
    body.fill('{"state": "sent", "lines": 2}')
    explorer.store.delete("/orders/edit-race")
    _save(page)
    expect(page.get_by_role("heading", name="Somebody deleted this item")).to_be_visible()
    page.get_by_role("button", name="Create it with mine").click()
    _shows_saved(page)
    answer = explorer.store.get("/orders/edit-race")
    assert (answer.json(), answer.headers["ETag"]) == ({"state": "sent", "lines": 2}, '"5"')


def test_a_new_item_never_replaces_one_that_is_there(explorer: Explorer) -> None:
    """Its id is taken: that is shown, and its body stays unless one says so."""
    explorer.expects("412")
    explorer.store.put("/orders/edit-taken", json={"by": "them"})
    page = explorer.open("edit", collection="orders")
    page.get_by_label("Id", exact=True).fill("edit-taken")
    page.get_by_label("Body, as JSON").fill('{"by": "me"}')
    _save(page)
    expect(page.get_by_role("heading", name="There is an item with this id")).to_be_visible()
    assert explorer.store.get("/orders/edit-taken").json() == {"by": "them"}


def test_a_write_without_an_answer_is_carried_out_once(explorer: Explorer) -> None:
    """It is sent again with its key, after a lost answer and a 503; what was typed stays."""
    explorer.expects("ERR_FAILED", "503")
    page = explorer.open("edit", collection="orders")
    keys: list[str] = []

    def lose_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if route.request.method == "POST" and len(keys) == 1:
            route.fetch()
            route.abort()
        elif len(keys) == 2:
            problem = {"title": "The log can't take it now", "status": 503, "detail": "Away."}
            content_type = "application/problem+json"
            route.fulfill(status=503, content_type=content_type, body=json.dumps(problem))
        else:
            route.continue_()

    page.route(re.compile("/orders$"), lose_answer)
    page.get_by_label("Body, as JSON").fill('{"once": "edit-once"}')
    _save(page)
    expect(page.get_by_text("The store does not answer")).to_be_visible()
    _save(page)
    expect(page.get_by_text("Away.")).to_be_visible()
    expect(page.get_by_label("Body, as JSON")).to_have_value('{"once": "edit-once"}')
    page.get_by_role("button", name="Save").dblclick()
    _shows_saved(page)
    assert len(keys) == 3
    assert len(set(keys)) == 1
    chosen = page.locator("h1").inner_text()
    assert explorer.store.get(f"/orders/{chosen}").headers["ETag"] == '"1"'
    events = explorer.store.get("/events", params={"source": "/orders", "limit": 1000}).json()
    assert sum(each.get("data") == {"once": "edit-once"} for each in events) == 1


def test_unsaved_changes_are_asked_about_before_they_are_left(explorer: Explorer) -> None:
    """By a link, by back, and by closing; what stays is as it was typed."""
    explorer.store.put("/orders/edit-left", json={"a": 1})
    page = explorer.open("item", collection="orders", id="edit-left")
    page.get_by_role("link", name="Edit").click()
    body = page.get_by_label("Body, as JSON")
    body.fill('{"a": 2}')
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("link", name="Collections").click()
    page.go_back()
    expect(body).to_have_value('{"a": 2}')
    expect(page).to_have_url(re.compile("view=edit"))
    page.close(run_before_unload=True)
    expect(body).to_have_value('{"a": 2}')
    assert asked == ["confirm", "confirm", "beforeunload"]

    page.remove_listener("dialog", stay)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(SAVED)
    page.get_by_role("link", name="Edit").click()
    expect(body).to_have_value('{\n  "a": 1\n}')


def test_only_who_may_write_is_offered_it(closed_store: Store, look_at: LookAt) -> None:
    """A reader is told so; who is bound to prefixes is told which, and names the id."""
    closed_store.client.put("/orders/edit-seen", json={})
    explorer = look_at(closed_store)
    explorer.expects("favicon.ico")
    explorer.sign_in("reader")
    page = explorer.open("item", collection="orders", id="edit-seen")
    expect(page.get_by_role("link", name="Life")).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    page = explorer.open("edit", collection="orders", id="edit-seen")
    expect(page.get_by_text("for reading only")).to_be_visible()

    explorer.sign_in("bound")
    page = explorer.open("edit", collection="orders")
    expect(page.get_by_label("Id", exact=True)).to_have_accessible_description(re.compile("mine-"))
    page.get_by_label("Id", exact=True).fill("mine-1")
    _save(page)
    _shows_saved(page)
    assert closed_store.client.get("/orders/mine-1").status_code == 200


def test_what_was_typed_is_still_there_after_signing_in_anew(
    closed_store: Store, look_at: LookAt
) -> None:
    """The token stops working between reading and writing."""
    closed_store.client.put("/orders/edit-kept", json={})
    explorer = look_at(closed_store)
    explorer.expects("401")
    explorer.sign_in("writer")
    page = explorer.open("edit", collection="orders", id="edit-kept")
    page.get_by_label("Body, as JSON").fill('{"kept": true}')
    page.evaluate("sessionStorage.setItem('itemstore-token', 'revoked')")
    _save(page)
    page.get_by_label("Token").fill(closed_store.secrets["writer"])
    page.keyboard.press("Enter")
    expect(page.get_by_label("Body, as JSON")).to_have_value('{"kept": true}')
    _save(page)
    _shows_saved(page)
    assert closed_store.client.get("/orders/edit-kept").json() == {"kept": True}
