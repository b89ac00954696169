"""Makes the pictures of the explorer: `.venv/bin/python -m docs.images.make`, in the clone.

Those that the pages show are put beside this program. `--all DIRECTORY` makes every view in light
and dark colours and on a phone, to be looked at after a change.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs.images import shop

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

COMMAND = [sys.executable, "-m", "itemstore"]

SETTINGS = {
    "ITEMSTORE_COLLECTIONS": "products=docs.images.shop:Product,orders=any",
    "ITEMSTORE_INDEXES": "products=price_cents,orders=state",
    "ITEMSTORE_TEXT": "products=title",
}

TEA = {"collection": "products", "id": "tea/assam"}

VIEWS: dict[str, dict[str, Any]] = {
    "home": {},
    "items": {"collection": "products", "where": "@.stock < 30", "order": "price_cents"},
    "item": TEA,
    "edit": TEA,
    "life": {**TEA, "version": 7, "against": 3},
    "past": {**TEA, "at": "2026-11-05T12:00:00Z"},
    "log": {},
    "operations": {},
    "tokens": {},
    "try": {"method": "GET", "path": "/products/tea%2Fassam"},
}

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 800}},
    "dark": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}

SECONDS = {"log": 8, "operations": 15}
"""How long a view is watched before its picture is taken: customers come meanwhile."""

SHOWN = (
    "items-light", "life-light", "life-dark", "life-phone", "log-dark", "operations-light",
)  # fmt: skip
"""Those that the pages show."""


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.images.make", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--all", type=Path, metavar="DIRECTORY", help="all of them, to there")
    wanted = parser.parse_args().all
    with _shop_open() as url, _customers(url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, picture in _pictures(browser, url, None if wanted else SHOWN):
            (wanted or HERE).mkdir(parents=True, exist_ok=True)
            ((wanted or HERE) / f"explorer-{name}.png").write_bytes(picture)
            print(f"{name}: {len(picture):,} bytes")
        browser.close()


@contextmanager
def _shop_open() -> Iterator[str]:
    """The URL of a store with the shop in it, which is served for the block."""
    with tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        environment = os.environ | SETTINGS | {"ITEMSTORE_DATA_DIR": directory + "/data"}
        lines = "\n".join(shop.history())
        subprocess.run(
            [*COMMAND, "import"], input=lines, text=True, cwd=ROOT, env=environment, check=True
        )
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"],
            stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            said = (line.split() for line in process.stdout)
            url = next(words[1] for words in said if words[:1] == ["API"])
            _wait_for_queries(url)
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_for_queries(url: str) -> None:
    while True:
        connection = HTTPConnection(url.removeprefix("http://"))
        connection.request("GET", "/products?order=price_cents")
        if connection.getresponse().status == 200:
            return
        time.sleep(0.2)


@contextmanager
def _customers(url: str) -> Iterator[None]:
    """Has a customer order a few times a second for the block."""
    is_over = Event()

    def order() -> None:
        connection = HTTPConnection(url.removeprefix("http://"))
        headers = {"Content-Type": "application/json"}
        for path, body in shop.more_orders():
            connection.request("PUT", path, json.dumps(body), headers)
            connection.getresponse().read()
            if is_over.wait(0.3):
                return

    customer = Thread(target=order)
    customer.start()
    yield
    is_over.set()
    customer.join()


def _pictures(
    browser: Browser, url: str, wanted: tuple[str, ...] | None
) -> Iterator[tuple[str, bytes]]:
    for look, options in LOOKS.items():
        context = browser.new_context(
            locale="en-GB", timezone_id="Europe/Berlin", reduced_motion="reduce", **options
        )
        page = context.new_page()
        for view, parameters in VIEWS.items():
            name = f"{view}-{look}"
            if wanted is None or name in wanted:
                _show(page, f"{url}/explorer?{urlencode({'view': view, **parameters})}")
                page.wait_for_timeout(1000 * SECONDS.get(view, 0))
                yield name, page.screenshot()
        context.close()


def _show(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("h1").wait_for()
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)
    page.evaluate("document.activeElement?.blur(); document.fonts.ready")


if __name__ == "__main__":
    main()
