"""What browsers show to people, and what they are told to keep out of it."""

from __future__ import annotations

import mimetypes
import re

import httpx
import pytest

from tests.api.conftest import SEVERAL, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)


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
    assert "https:" not in answer.headers["content-security-policy"]


async def test_all_that_the_documentation_loads_is_there(client: httpx.AsyncClient) -> None:
    """From the store itself, also where it is mounted somewhere; and no other file is."""
    page = (await client.get("/docs")).text
    loaded = set(re.findall(r'(?:src|href)="(docs/[^"]+)"', page))
    for url in [each for each in loaded if each.endswith((".css", ".js"))]:
        text = (await client.get(f"/{url}")).text
        loaded |= {f"docs/{name}" for name in re.findall(r'@import url\("([^"]+)"\)', text)}
        loaded |= {f"docs/{name}" for name in re.findall(r'^import .* from "./([^"]+)";', text)}
    assert loaded >= {"docs/docs.js", "docs/swagger-ui-bundle.js", "docs/base.css"}
    for url in loaded:
        answer = await client.get(f"/{url}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == mimetypes.guess_type(url)[0]
    problem(await client.get("/docs/redoc.standalone.js"), 404, "not-found")
    problem(await client.get("/docs/..%2Fcore.py"), 404, "not-found")


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
