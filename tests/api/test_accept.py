"""Accept: which of its forms a resource answers with (RFC 9110 §12.5.1)."""

from __future__ import annotations

import time

import httpx
import pytest

HTML, JSON = "text/html; charset=utf-8", "application/json"


@pytest.mark.parametrize("path", ["/", "/problems/not-found"])
@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("text/html, */*;q=0.8", HTML),
        ("text/html;q=0, */*", JSON),
        ("text/html;q=0.0, application/json;q=0.1", JSON),
        ("text/html;q=0.1, application/json", JSON),
        ("text/html;Q=0.1, application/json;Q=0.2", JSON),
        ("text/html; q=0.9, application/json;q=0.8", HTML),
        ("xtext/html", JSON),
        ("text/htmlx", JSON),
        ("TEXT/HTML", HTML),
        ("text/*", HTML),
        ("text/*;q=0.5, application/json;q=0.4", HTML),
        ("text/html;q=0.2, text/*, application/json;q=0.4", JSON),
        ("*/*;q=0.5, application/json;q=0.1", HTML),
        ("application/json;q=0, */*", HTML),
        ("text/html;level=1, application/json;q=0.5", HTML),
        ("text/html;q=0.5;level=1, application/json;q=0.4", HTML),
        ('application/json;x="a, text/html", text/html;q=0.5', JSON),
        ('application/json;x=";q=0", text/html;q=0.5', JSON),
        ("text/html;q=1.001, application/json;q=0.1", JSON),
        ("text/html;q=nan, application/json;q=0.1", JSON),
        ("text/html;q=-1, application/json;q=0.1", JSON),
        ("text/html;q=inf, application/json;q=0.1", JSON),
        ("text/html q=1, application/json;q=0.1", JSON),
        ("json, text/html", HTML),
        (", ,text/html,,", HTML),
        ("application/problem+json, text/html;q=0.9", HTML),
        ("image/png", JSON),
        ("text/html;q=0", JSON),
        ("/", JSON),
        (";", JSON),
    ],
)
async def test_a_page_comes_where_html_has_the_higher_weight(
    client: httpx.AsyncClient, path: str, accept: str | None, form: str
) -> None:
    """By weights, then by how closely a range describes the form; JSON where they are equal."""
    client.headers.pop("accept")
    answer = await client.get(path, headers={} if accept is None else {"accept": accept})

    vary = "accept, authorization" if path == "/" else "accept"
    assert (answer.headers["content-type"], answer.headers["vary"]) == (form, vary)


async def test_repeated_fields_are_one_list(client: httpx.AsyncClient) -> None:
    """RFC 9110 §5.3."""
    fields = [("accept", "application/json;q=0.5"), ("accept", "text/html")]

    assert (await client.get("/", headers=fields)).headers["content-type"] == HTML


@pytest.mark.parametrize("member", [",", ";", '"', "a/b;", 'a/b;c="', "a/b;q=0.5,", '\\"', " \t"])
async def test_a_long_list_takes_no_long_time(client: httpx.AsyncClient, member: str) -> None:
    """The time that it takes is linear in its length, whatever is in it."""
    accept = (member * 30_000)[:30_000]
    start = time.process_time()
    answer = await client.get("/", headers={b"accept": b"text/html" + accept.encode()})

    assert answer.status_code == 200
    assert time.process_time() - start < 2
