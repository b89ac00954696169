"""What browsers show to people, and what they are told to keep out of it."""

from __future__ import annotations

import re

import httpx
import pytest

HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize("path", ["/", "/docs", "/problems/not-found"])
async def test_a_page_loads_what_it_needs_and_nothing_else(
    client: httpx.AsyncClient, path: str
) -> None:
    """And can be neither framed nor taken for something else."""
    answer = await client.get(path, headers=HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy or "unsafe-inline" not in policy["script-src"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    sources = " ".join(policy.values())
    for url in re.findall(r'(?:src|href)="(https://[^"]+)"', answer.text):
        assert re.match(r"https://[^/]+", url)[0] in sources  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/openapi.json", "/metrics", "/items", "/items/foo", "/items/gone", "/nothing",
     "/items/foo/versions", "/items/foo/versions/1", "/events", "/problems/not-found"],
)  # fmt: skip
async def test_no_browser_takes_an_answer_for_something_else(
    client: httpx.AsyncClient, path: str
) -> None:
    """An item may hold any text, and is shown as what it is."""
    await client.put("/items/foo", json={"name": "<script>alert(1)</script>"})
    assert (await client.get(path)).headers.get_list("x-content-type-options") == ["nosniff"]


async def test_a_stream_is_not_taken_for_something_else_either(client: httpx.AsyncClient) -> None:
    """The log as JSON lines."""
    answer = await client.get("/events", headers={"accept": "application/x-ndjson"})
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
