"""What the page may do in a browser: its Content-Security-Policy, tried from within."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from playwright.sync_api import ConsoleMessage, Error

from tests.explorer.pages import Explorer

ATTEMPTS = {
    # from text to something that runs
    "setTimeout('globalThis.broken = 1')": "require-trusted-types-for",
    "document.body.innerHTML = '<img src=x onerror=broken=1>'": "require-trusted-types-for",
    "document.body.setAttribute('onclick', 'broken = 1')": "require-trusted-types-for",
    "add('script', { text: 'globalThis.broken = 1' })": "require-trusted-types-for",
    # from elsewhere, or to there
    "add('script', { src: `${ELSEWHERE}x.js` })": "require-trusted-types-for",
    "import(`${ELSEWHERE}x.js`).catch(() => 0)": "script-src",
    "add('img', { src: `${ELSEWHERE}x.png` })": "img-src",
    "fetch(ELSEWHERE).catch(() => 0)": "connect-src",
    "add('iframe', { src: '/' })": "frame-src",
    "add('base', { href: ELSEWHERE })": "base-uri",
    "add('form', { action: ELSEWHERE }).submit()": "form-action",
    # a look that it was not given
    "document.body.setAttribute('style', 'color: red')": "style-src",
}
"""What a page that was led astray might try, and the part of the policy that is against it."""

MEANS = """
const ELSEWHERE = "http://127.0.0.1:1/";
const add = (name, fields) => {
  const element = Object.assign(document.createElement(name), fields);
  document.body.append(element);
  return element;
};
"""

LOOSENING = """
const meta = document.createElement("meta");
meta.httpEquiv = "Content-Security-Policy";
meta.content = "script-src * 'unsafe-inline' 'unsafe-eval'; trusted-types *";
document.head.append(meta);
"""


def test_the_policy_refuses_what_a_page_led_astray_would_do(explorer: Explorer) -> None:
    """And nothing loosens it: a second policy in the page can only forbid more."""
    explorer.expects("olicy", "The action has been blocked", ": csp")
    page = explorer.open("home")
    page.evaluate(f"() => {{ {LOOSENING} }}")
    for attempt, directive in ATTEMPTS.items():
        refusal = f"policy: {directive}"
        with page.expect_console_message(partial(tells, refusal)), suppress(Error):
            page.evaluate(f"() => {{ {MEANS} {attempt}; }}")
    assert page.evaluate("globalThis.broken") is None


def tells(text: str, message: ConsoleMessage) -> bool:
    """Whether a line in the console has the text in it."""
    return text in message.text


@pytest.mark.parametrize("query", ["", "view=life&id=%27%3B+script-src+*", "view=nothing"])
def test_every_view_has_the_same_policy(explorer: Explorer, query: str) -> None:
    """It is the page's, and what stands in the address has no part in it."""
    answers = [explorer.store.get(f"/explorer?{each}") for each in (query, "view=home")]
    one, other = (answer.headers["content-security-policy"] for answer in answers)
    assert one == other
    assert "'unsafe" not in one
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in one
