"""A request as a command for a shell: what the shell makes of it is what the page would send."""

from __future__ import annotations

import subprocess

from tests.explorer.pages import Explorer

SHOWS_ITS_WORDS = "curl() { for word; do printf '<%s>\\n' \"$word\"; done; }\nTOKEN='a \"token\"'\n"


def words(command: str) -> list[str]:
    """What a POSIX shell hands to curl; none where the command writes anything else."""
    shell = ["/bin/sh", "-c", SHOWS_ITS_WORDS + command]
    ran = subprocess.run(shell, capture_output=True, text=True, check=True)
    assert not ran.stderr
    return ran.stdout.removeprefix("<").removesuffix(">\n").split(">\n<")


def command(explorer: Explorer, **request: str) -> str:
    """What the page says for that request."""
    page = explorer.open("try", **request)
    page.get_by_text("The same as curl").click()
    return page.locator("pre.curl").inner_text()


def test_a_body_of_quotes_and_dollars_reaches_curl_as_it_was_typed(
    closed_explorer: Explorer,
) -> None:
    """Nor does the shell carry out any of it; the token is the shell's own to fill in."""
    closed_explorer.sign_in("writer")
    body = '@{"it": "\'s $HOME `id` $(id) \\\\ !"}\n"two": *'
    said = command(
        closed_explorer,
        method="PUT",
        path="/orders/it's?x=[1]",
        headers='If-Match: "3"\nX-Mine: it\'s $HOME',
        body=body,
    )
    assert words(said) == [
        "--include",
        *("--request", "PUT"),
        "--globoff",
        *("--header", 'Authorization: Bearer a "token"'),
        *("--header", 'If-Match: "3"'),
        *("--header", "X-Mine: it's $HOME"),
        *("--header", "Content-Type: application/json"),
        *("--data-raw", body),
        f"{closed_explorer.url}/orders/it's?x=[1]",
    ]
    assert closed_explorer.page.evaluate("sessionStorage['itemstore-token']") not in said


def test_curl_waits_for_no_body_after_head_and_for_no_end_of_a_stream(explorer: Explorer) -> None:
    """And in a store that is open to all it sends no token."""
    assert words(command(explorer, method="HEAD", path="/orders/a")) == [
        *("--include", "--head", f"{explorer.url}/orders/a"),
    ]
    stream = command(explorer, path="/events", headers="Accept: text/event-stream\nX-Empty:")
    assert words(stream) == [
        *("--include", "--no-buffer"),
        *("--header", "Accept: text/event-stream"),
        *("--header", "X-Empty;"),
        f"{explorer.url}/events",
    ]


def test_no_link_has_a_token_sent_elsewhere(closed_explorer: Explorer) -> None:
    """A path that looks like a URL is a path of this store."""
    closed_explorer.sign_in("reader")
    for path in (
        "/https://elsewhere.example/",
        "https://elsewhere.example/",
        "//elsewhere.example/",
    ):
        url = words(command(closed_explorer, path=path))[-1]
        assert url.startswith(f"{closed_explorer.url}/")
