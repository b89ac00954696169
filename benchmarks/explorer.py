"""The explorer: what its first view takes, and what a tab needs that has seen many live events.

`python -m benchmarks.explorer` opens it in chromium on a server of its own, beside `/docs`, the
only other page that the store has. A first view is one of a browser that has nothing of it yet.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.contestants import serve_command
from benchmarks.document import DOCS, fill, publish
from benchmarks.explorer_report import markdown
from benchmarks.measure import say
from benchmarks.record import recorded
from benchmarks.starting import HERE, answering, free_port

WORKLOADS = ("views", "events")

ITEMS = 1_000

SHOWN = "#page main h1"
"""The explorer has a view to look at."""

PAGES = {
    "collections": ("/explorer", SHOWN),
    "100 items": ("/explorer?view=items&collection=items", "main table tbody tr"),
    "an item's life": ("/explorer?view=life&collection=items&id=item-1", SHOWN),
    "the log": ("/explorer?view=log", SHOWN),
    "`/docs`": ("/docs", ".opblock"),
}
"""What is opened, and what is there once it can be read."""

WATCH = """
const shown = %s;
const watch = new MutationObserver(() => {
  if (globalThis.shownAt || !document.querySelector(shown)) return;
  if (document.querySelector("main [aria-busy=true]")) return;
  globalThis.shownAt = performance.now();
});
watch.observe(document, { childList: true, subtree: true, attributes: true });
"""


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explorer", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=10, help="of each view")
    parser.add_argument("--events", type=int, default=100_000, help="that the tab sees live")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="again for more")
    parser.add_argument("--docs", action="store_true", help="put the report into docs/")
    options = parser.parse_args()
    work: dict[str, Callable[[], Any]] = {
        "views": lambda: views(options.rounds),
        "events": lambda: events(options.events),
    }
    record = recorded(work, options.workload or WORKLOADS)
    report = markdown(record)
    publish(record, "explorer", report, in_docs=False)
    if options.docs:
        fill("explorer", report, DOCS / "explorer.md")


def views(rounds: int) -> dict[str, list[dict[str, float]]]:
    """Of each page and each round: the bytes that came, the requests, and milliseconds."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PAGES}
    with _store() as port, _browser() as browser:
        _write(port, 2 * ITEMS)
        for _ in range(rounds + 1):
            for name, (path, shown) in PAGES.items():
                found[name].append(_first_view(browser, f"http://127.0.0.1:{port}{path}", shown))
    warm = {name: each[1:] for name, each in found.items()}  # the first round warms both processes
    say(json.dumps(warm))
    return warm


def _first_view(browser: Browser, url: str, shown: str) -> dict[str, float]:
    """In a tab with an empty cache, from the beginning of the navigation."""
    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
    page.add_init_script(WATCH % json.dumps(shown))
    page.goto(url)
    page.locator(shown).first.wait_for()
    page.wait_for_load_state("networkidle" if "docs" in url else "load")
    while (milliseconds := page.evaluate("globalThis.shownAt ?? null")) is None:
        page.wait_for_timeout(10)
    context.close()
    return {"bytes": sum(sizes), "requests": len(sizes), "milliseconds": milliseconds}


def events(count: int) -> dict[str, Any]:
    """What a tab needs with the log open, before and after so many events have come live."""
    with _store() as port, _browser() as browser:
        _write(port, 100)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/explorer?view=log")
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        before = _needs(page)
        begun = time.monotonic()
        _write(port, count - 1)
        _put(HTTPConnection("127.0.0.1", port), {"/items/the-last-one": {"name": "last"}})
        written = time.monotonic() - begun
        page.get_by_text("the-last-one").first.wait_for(timeout=120_000)
        seen = time.monotonic() - begun
        found: dict[str, Any] = {"before": before, "after": _needs(page)}
        found |= {"events": count, "written": written, "seen": seen}
    say(json.dumps(found))
    return found


def _needs(page: Page) -> dict[str, float]:
    """Megabytes of its JavaScript heap once what nobody needs is gone, and its elements."""
    wire = page.context.new_cdp_session(page)
    wire.send("HeapProfiler.enable")
    for _ in range(3):
        wire.send("HeapProfiler.collectGarbage")
    wire.send("Performance.enable")
    metrics = {
        each["name"]: each["value"] for each in wire.send("Performance.getMetrics")["metrics"]
    }
    wire.detach()
    elements = page.evaluate("document.querySelectorAll('*').length")
    return {"heap": metrics["JSHeapUsedSize"] / 1e6, "elements": elements}


@contextmanager
def _store() -> Iterator[int]:
    """The port of a store of its own for the block."""
    with tempfile.TemporaryDirectory(prefix="explorer-") as directory:
        port = free_port()
        with answering(serve_command(HERE, port, 1, "--data-dir", directory), port):
            yield port


@contextmanager
def _browser() -> Iterator[Browser]:
    """A chromium for the block."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def _write(port: int, count: int) -> None:
    """So many PUTs on ITEMS items, in batches of 100."""
    connection = HTTPConnection("127.0.0.1", port)
    for begin in range(0, count, 100):
        numbers = range(begin, min(begin + 100, count))
        _put(
            connection,
            {f"/items/item-{number % ITEMS}": {"name": f"item {number}"} for number in numbers},
        )


def _put(connection: HTTPConnection, bodies: dict[str, Any]) -> None:
    requests = [{"method": "PUT", "path": path, "body": body} for path, body in bodies.items()]
    headers = {"Content-Type": "application/json", "Prefer": "return=minimal"}
    connection.request("POST", "/batch", json.dumps({"requests": requests}), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(text.decode())


if __name__ == "__main__":
    main()
