"""The explorer in a browser, with ears for everything that goes wrong in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.conftest import PATIENCE
from tests.explorer.stores import Store

TELL_OF_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.effectiveDirective} of ${event.blockedURI}`);
});
"""

SET_HIDDEN = """isHidden => {
  Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Hides the tab, or shows it again."""

SIGN_IN = """
(time, token) => {
  if (Number(sessionStorage.getItem("times-signed-in")) >= time) return;
  sessionStorage.setItem("times-signed-in", time);
  sessionStorage.setItem("itemstore-token", token);
}
"""
"""Once, so that a token which the page forgets stays forgotten."""

expect.set_options(timeout=PATIENCE * 1000)


@dataclass(frozen=True, slots=True)
class Chromium:
    """A browser that runs, and the event loop on which Playwright talks to it.

    Between its calls Playwright leaves its loop as the thread's running one, and a test that runs a
    loop of its own is then refused. So it is that for a block only.
    """

    browser: Browser
    loop: asyncio.AbstractEventLoop

    @contextmanager
    def at_hand(self) -> Iterator[Browser]:
        """A block that may call Playwright."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(before)


@dataclass
class Explorer:
    """A tab with the explorer of a store."""

    page: Page
    _of: Store
    complaints: list[str] = field(default_factory=list)
    """What went wrong so far: console errors and warnings, violations of the policy, exceptions,
    failed loads."""
    _expected: list[str] = field(default_factory=list)
    _signed_in: int = 0

    @property
    def store(self) -> httpx.Client:
        """The same store for the test itself, which may do everything."""
        return self._of.client

    @property
    def url(self) -> str:
        """Where the store is."""
        return self._of.url

    def open(self, view: str, **parameters: object) -> Page:
        """Loads a view as a link to it does, and waits for its heading."""
        self.page.goto(f"{self.url}/explorer?{urlencode({'view': view, **parameters})}")
        expect(self.page.locator("h1")).to_be_visible()
        return self.page

    def sign_in(self, kind: str) -> None:
        """Has the tab keep a token of that kind: see Store. What is opened next uses it."""
        self._signed_in += 1
        given = json.dumps([self._signed_in, self._of.secrets[kind]])
        self.page.add_init_script(f"({SIGN_IN})(...{given})")

    def secret(self, kind: str) -> str:
        """The token of that kind, as text."""
        return self._of.secrets[kind]

    def expects(self, *parts: str) -> None:
        """Complaints that one of these texts is part of are what the test is about."""
        self._expected.extend(parts)

    def unexpected(self) -> list[str]:
        """The other ones."""
        return [
            each for each in self.complaints if not any(part in each for part in self._expected)
        ]

    def listen(self) -> None:
        """Hears what goes wrong from now on."""
        self.page.add_init_script(TELL_OF_VIOLATIONS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("requestfailed", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            place = message.location["url"]
            if place.endswith("/favicon.ico"):  # what is no page names no icon of its own
                return
            self.complaints.append(f"{message.type}: {message.text} ({place})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page left, or wants it no more
            self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")


@contextmanager
def looking(chromium: Chromium, store: Store) -> Iterator[Explorer]:
    """A fresh tab for the block, which fails where anything went wrong that was not expected."""
    with chromium.at_hand() as browser:
        context = browser.new_context(
            color_scheme="light",
            locale="en-GB",
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
        )
        try:
            context.set_default_timeout(PATIENCE * 1000)
            explorer = Explorer(context.new_page(), store)
            explorer.listen()
            yield explorer
        finally:
            context.close()
    complaints = explorer.unexpected()
    assert not complaints, "\n".join(complaints)
