"""How the store is, and what an admin does about it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Request, Route, expect

from tests.explorer.conftest import LookAt
from tests.explorer.pages import SET_HIDDEN, Explorer
from tests.explorer.stores import Store

RUNNING: dict[str, Any] = {
    "id": "1",
    "operation": "rebuild",
    "projection": "sql",
    "collection": "orders",
    "dry_run": False,
    "status": "running",
    "started": "2026-11-23T09:17:31Z",
    "started_by": "ann",
    "host": "store-1",
    "progress": {
        "stage": "replaying",
        "done": 20000,
        "total": 1000000,
        "unit": "events",
        "collection": "orders",
    },
    "cancelling": False,
    "cancelled_by": None,
    "finished": None,
    "result": None,
    "error": None,
}

VERDICT: dict[str, Any] = {
    "clean": False,
    "digest": "ef" * 32,
    "position": "1795817797295-0",
    "events": 200,
    "items": 12,
    "counted": {"row": 30, "log": 1},
    "differences": [{"where": "row", "name": "<b>a</b>", "found": "1", "expected": "nothing"}],
    "not_compared": {"sql": "The database is away."},
}

ENDED = {"status": "succeeded", "progress": None, "finished": "2026-11-23T09:17:33Z"}
DIFFERING = RUNNING | ENDED | {"id": "2", "operation": "verify", "result": VERDICT}
FAILED = RUNNING | ENDED | {"id": "3", "status": "failed", "error": "Its process was killed."}


def test_the_state_of_the_store_is_told_in_its_words(explorer: Explorer) -> None:
    """Projections, archive, queries and readiness; and the numbers, each with a text."""
    explorer.store.put("/orders/operations-a", json={"n": 1}).raise_for_status()
    ready = explorer.store.get("/readyz").json()
    page = explorer.open("operations")
    expect(page.get_by_text(ready["durability"]["meaning"])).to_be_visible()
    table = page.get_by_role("region", name="Projections")
    expect(table.get_by_role("rowheader", name="sql")).to_have_count(2)
    expect(page.get_by_text("Indexed: price_cents. Searched for words: title.")).to_be_visible()
    expect(page.get_by_text("A process follows the log for queries.")).to_be_visible()
    expect(page.get_by_role("heading", name="Archive")).to_be_visible()

    plots = page.get_by_role("figure")
    expect(plots).to_have_count(8)
    expect(plots.locator("canvas")).to_have_count(8)
    memory = plots.filter(has_text="Memory")
    expect(memory).to_contain_text("engine at most")
    expect(memory.locator("b").first).to_contain_text("MB")

    page.get_by_role("link", name="Try it").click()
    expect(page.get_by_role("heading", name="Try it")).to_be_visible()
    page.go_back()
    expect(plots.locator("canvas")).to_have_count(8)


def test_numbers_are_asked_for_only_while_somebody_looks(explorer: Explorer) -> None:
    """Every two seconds, by a clock that the test turns."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/metrics"):
            asked.append(request.url)

    page = explorer.page
    page.on("request", note)
    page.clock.install()
    explorer.open("operations")
    with page.expect_response("**/metrics"):
        page.clock.run_for(2000)
    page.evaluate(f"({SET_HIDDEN})(true)")
    before = len(asked)
    page.clock.run_for(20_000)
    page.evaluate("fetch('livez')")
    assert len(asked) == before
    with page.expect_response("**/metrics"):
        page.evaluate(f"({SET_HIDDEN})(false)")


def test_an_admin_verifies_and_rebuilds(explorer: Explorer) -> None:
    """What came of it is kept, and shown."""
    explorer.store.put("/orders/operations-b", json={"n": 1}).raise_for_status()
    page = explorer.open("operations")
    kept = page.locator(".ended li")
    page.get_by_role("button", name="Verify").dblclick()
    expect(kept.filter(has_text="Verification").first).to_contain_text("nothing differs")

    page.get_by_label("What to do").select_option("Rebuild")
    page.get_by_label("Projection", exact=True).select_option("statistics")
    page.get_by_label("Collection", exact=True).select_option("orders")
    page.get_by_role("button", name="Rebuild").click()
    receipt = kept.filter(has_text="Rebuild of statistics in orders")
    expect(receipt).to_contain_text("done")
    receipt.locator("summary").click()
    expect(receipt).to_contain_text("Nothing differed from the log.")
    row = page.get_by_role("row").filter(has_text="orders").filter(has_text="statistics")
    expect(row).to_contain_text("nothing differed")


def test_what_runs_can_be_cancelled_and_what_differs_is_readable(explorer: Explorer) -> None:
    """A verdict names what should be; one that failed says why."""
    running_now = dict(RUNNING)
    shown = {"operations": [running_now, DIFFERING, FAILED]}

    def cancel(route: Route) -> None:
        running_now.update(cancelling=True, cancelled_by="bob")
        route.fulfill(status=202, json=running_now)

    page = explorer.page
    page.route("**/admin/operations", lambda route: route.fulfill(json=shown))
    page.route("**/admin/operations/1", cancel)
    explorer.open("operations")
    running = page.get_by_role("region", name="Running now")
    expect(running).to_contain_text("replaying orders: 20,000 of 1,000,000 events")
    expect(running.get_by_role("progressbar")).to_have_attribute("value", "20000")
    expect(page.get_by_role("button", name="Verify")).to_be_disabled()

    for summary in page.locator(".ended summary").all():
        summary.click()
    differing, failed = page.locator(".ended li").all()
    expect(differing).to_contain_text("It differs from what the log says: row (30), log (1).")
    expect(differing).to_contain_text("restore a backup")
    expect(differing.get_by_role("row").last).to_contain_text("<b>a</b>")
    expect(failed).to_contain_text("Its process was killed.")

    running.get_by_role("button", name="Cancel").click()
    expect(running).to_contain_text("It is being cancelled by bob")


def test_others_see_what_they_may_and_no_more(closed_explorer: Explorer) -> None:
    """A reader sees the whole store; who is bound to ids, whether it takes writes."""
    closed_explorer.sign_in("reader")
    page = closed_explorer.open("operations")
    expect(page.get_by_role("figure")).to_have_count(8)
    expect(page.get_by_role("region", name="Projections")).to_be_visible()
    expect(page.get_by_role("heading", name="Rebuild and verify")).to_have_count(0)

    closed_explorer.sign_in("bound")
    closed_explorer.open("operations")
    expect(page.get_by_text("are accepted")).to_be_visible()
    expect(page.get_by_text("this token is bound to a part of it")).to_be_visible()


def test_a_rebuild_can_be_started_while_a_read_model_can_not_say_how_far_it_is(
    explorer: Explorer,
) -> None:
    """That is when one is needed."""
    explorer.expects("status of 503")
    problem = {"title": "The read model is unavailable", "status": 503, "detail": "It is away."}
    page = explorer.page
    page.route("**/projections", lambda route: route.fulfill(status=503, json=problem))
    explorer.open("operations")
    expect(page.get_by_role("alert")).to_contain_text("It is away.")
    page.get_by_label("What to do").select_option("Rebuild, as a dry run")
    page.get_by_label("Projection", exact=True).select_option("sql")
    page.get_by_role("button", name="Rebuild").click()
    kept = page.locator(".ended li").filter(has_text="Dry run of a rebuild of sql")
    expect(kept.first).to_contain_text("done")


def test_what_is_told_of_partitions_is_shown_where_it_matters(explorer: Explorer) -> None:
    """Which are behind, which one is worked on, and in which something differed."""
    page = explorer.page
    parts = [
        {"partition": number, "position": "0-0", "time": None, "lag": lag, "rows": 0}
        for number, lag in enumerate((0, 2000, 1, 30, 4))
    ]
    projection: dict[str, Any] = {
        "name": "statistics",
        "position": "vAgIDBAUG",
        "time": None,
        "lag": 2035,
    }
    projection |= {"rows": 7, "last_rebuild": None, "partitions": parts}
    told = {"log": {"position": "vAgIDBAUG", "events": 2035}, "projections": [projection]}
    running = RUNNING | {"progress": RUNNING["progress"] | {"partition": 3}}
    verdict = VERDICT | {
        "position": "vAgIDBAUG",
        "partitions": [{"partition": number, "clean": number != 2} for number in range(5)],
        "differences": [VERDICT["differences"][0] | {"partition": 2}],
    }
    receipt: dict[str, Any] = {
        "dry_run": False,
        "events": 9,
        "first": "1-0",
        "last": "9-0",
        "skipped": 0,
    }
    receipt |= {"different": {"rows": 0}, "items": 3, "seconds": 0.1, "rate": 90}
    receipt |= {"examples": [], "digest_before": "ab" * 32, "digest_after": "ab" * 32}
    rebuilt = receipt | {"partitions": [{"partition": 0} | receipt, {"partition": 1} | receipt]}
    done = RUNNING | ENDED | {"id": "4", "result": rebuilt}
    shown = {"operations": [running, DIFFERING | {"result": verdict}, done]}
    page.route("**/projections", lambda route: route.fulfill(json=told))
    page.route("**/admin/operations", lambda route: route.fulfill(json=shown))
    explorer.open("operations")

    row = page.get_by_role("region", name="Projections").get_by_role("row").last
    expect(row).to_contain_text("partition 1 (2,000), 3 (30), 4 (4) and 1 more")
    expect(row).to_contain_text("a place in each partition")
    expect(page.get_by_role("region", name="Running now")).to_contain_text(
        "replaying orders, partition 3: 20,000"
    )
    for summary in page.locator(".ended summary").all():
        summary.click()
    differing, rebuilding = page.locator(".ended li").all()
    expect(differing).to_contain_text("5; it differed in 2")
    expect(differing.get_by_role("row").last).to_contain_text("partition 2, row")
    expect(rebuilding).to_contain_text("2, in each of which all is right")


NODES = {
    "nodes": [
        {
            "node": "10.0.0.1:6379", "role": "primary", "primary": None, "reachable": True,
            "flags": [], "slots": 8192, "partitions": [0, 2],
        },
        {
            "node": "10.0.0.2:6379", "role": "primary", "primary": None, "reachable": False,
            "flags": ["fail"], "slots": 8192, "partitions": [1],
        },
        {
            "node": "10.0.0.3:6379", "role": "replica", "primary": "10.0.0.1:6379",
            "reachable": True, "flags": [], "slots": 0, "partitions": [],
        },
    ],
    "partitions": [
        {
            "partition": number, "slot": number, "node": f"10.0.0.{1 + number % 2}:6379",
            "position": "5-0", "events": events, "items": 1, "writable": number != 1,
            "reason": None if number != 1 else "The <b>engine</b> does not answer.",
        }
        for number, events in enumerate([1200, None, 34])
    ],
}  # fmt: skip


def test_nodes_and_partitions_are_shown_where_there_are_several(explorer: Explorer) -> None:
    """Which node has what, how much that is, and which partitions take no write, and why."""
    explorer.page.route("**/partitions", lambda route: route.fulfill(json=NODES))
    page = explorer.open("operations")

    said = page.get_by_text("The log is in 3 partitions; 2 of them take writes now.")
    expect(said).to_contain_text("Each has 34 to 1,200 events.")
    reason = "No write is taken now in partition 1: The <b>engine</b> does not answer."
    expect(page.get_by_text(reason)).to_be_visible()
    table = page.get_by_role("region", name="Nodes")
    for row in (
        "10.0.0.1:6379 primary answers 0, 2 1,234",
        "does not answer, fail 1 unknown",
        "replica of 10.0.0.1:6379 answers",
    ):
        expect(table.get_by_role("row", name=row)).to_be_visible()


def test_a_store_of_one_partition_shows_none(explorer: Explorer) -> None:
    """There is nothing to tell apart."""
    page = explorer.open("operations")
    expect(page.get_by_role("heading", name="Numbers")).to_be_visible()
    expect(page.get_by_role("heading", name="Partitions")).to_have_count(0)


def test_a_store_of_several_shows_its_own(divided_store: Store, look_at: LookAt) -> None:
    """One engine, which has all four."""
    page = look_at(divided_store).open("operations")
    expect(page.get_by_text("The log is in 4 partitions; all take writes.")).to_be_visible()
    table = page.get_by_role("region", name="Nodes")
    expect(table.get_by_role("row", name="primary answers 0, 1, 2, 3")).to_be_visible()
