"""Methods: what each resource takes, and what it says of it (RFC 9110 §9, §10.2.1, §15.5.6)."""

from __future__ import annotations

import httpx
import pytest

from itemstore.api.app import ItemStore
from tests.api.conftest import problem
from tests.api.paths import path_of
from tests.conftest import Unchanged

ALLOWED = {
    "/": "GET, HEAD, OPTIONS",
    "/items": "GET, HEAD, OPTIONS, POST",
    "/items/foo": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
    "/livez": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/problems/not-found": "GET, HEAD, OPTIONS",
}

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE", "get"]

REFUSED = [
    (method, path)
    for path, allowed in ALLOWED.items()
    for method in METHODS
    if method not in allowed.split(", ")
]


@pytest.mark.parametrize(("method", "path"), REFUSED)
async def test_a_method_that_the_resource_does_not_have_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, method: str, path: str
) -> None:
    """405, and Allow names every method of the resource, not of one route."""
    await client.put("/items/foo", json={})

    async with unchanged():
        answer = await request(client, method, path)

    assert method in problem(answer, 405, "method-not-allowed")["detail"]
    assert answer.headers["allow"] == ALLOWED[path]


@pytest.mark.parametrize("path", ALLOWED)
async def test_options_says_what_a_resource_takes(
    client: httpx.AsyncClient, unchanged: Unchanged, path: str
) -> None:
    """204 with Allow, whether or not there is an item."""
    async with unchanged():
        answer = await client.options(path)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == ALLOWED[path]


async def test_options_names_the_patches_that_are_read(client: httpx.AsyncClient) -> None:
    """Accept-Patch where there is a PATCH (RFC 5789 §3.1), and only there."""
    item, items = await client.options("/items/foo"), await client.options("/items")

    assert item.headers["accept-patch"] == (
        "application/merge-patch+json, application/json-patch+json"
    )
    assert "accept-patch" not in items.headers


async def test_the_method_is_checked_before_the_id_and_the_body(
    client: httpx.AsyncClient,
) -> None:
    """It comes first of all checks."""
    answer = await client.post("/items/%00", content=b"{")

    problem(answer, 405, "method-not-allowed")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PURGE"])
@pytest.mark.parametrize("path", ["/nothing", "/item/foo", "/items/foo/nothing", "/docs/", "/%2F"])
async def test_a_path_that_is_none_has_no_methods(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """404 whatever the method."""
    answer = await request(client, method, path)

    problem(answer, 404, "not-found")
    assert "allow" not in answer.headers


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_is_only_read(client: httpx.AsyncClient, path: str) -> None:
    """405 with Allow, and OPTIONS, as everywhere."""
    answer = await client.post(path)

    problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert (await client.options(path)).status_code == 204


WITHOUT_ANY = {
    *("/admin/operations/{operation}", "/admin/tokens/{name}"),
    "/admin/projections/{projection}/dead-letters",
}
"""There is nothing at these in a store that is open to all: test_operations, test_tokens, and
tests/own."""


def get_paths(app: ItemStore) -> list[str]:
    """A path of every resource that has a GET."""
    paths = [
        path_of(template, n="2")
        for template, operations in app.openapi()["paths"].items()
        if "get" in operations and template not in WITHOUT_ANY
    ]
    return [*paths, "/docs", "/openapi.json"]


async def test_every_get_has_a_head(app: ItemStore, client: httpx.AsyncClient) -> None:
    """HEAD is GET without the body, with the same headers, on every route (§9.3.2)."""
    for size in (1, 2):
        await client.put("/items/foo", json={"size": size})

    paths = get_paths(app)
    for path in paths:
        get, head = await client.get(path), await client.head(path)

        assert (path, get.status_code) == (path, 200)
        if path == "/metrics":  # they count the GET
            head.headers["content-length"] = get.headers["content-length"]
        assert (path, head.status_code, head.headers) == (path, 200, get.headers)
        assert (path, head.content) == (path, b"")
    assert {"/", "/items", "/items/foo", "/livez", "/readyz"} <= set(paths)


async def request(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request with a body that every method would take; the method is sent as it stands."""
    request = client.build_request(method, path, json={})
    request.method = method  # httpx writes it in capitals, and methods have case (§9.1)
    return await client.send(request)


@pytest.mark.parametrize("path", ["/items", "/items/foo", "/items/a%2F", "/docs", "/readyz"])
async def test_a_slash_too_many_is_named(client: httpx.AsyncClient, path: str) -> None:
    """Another path, at which there is nothing; but the reader learns why."""
    for method in ("GET", "PUT"):
        answer = await client.request(method, f"{path}/")
        assert "without the slash at its end" in problem(answer, 404, "not-found")["detail"]
    answer = await client.get(f"{path}//")
    assert "without the slash" not in problem(answer, 404, "not-found")["detail"]


async def test_a_slash_that_belongs_to_an_id_is_explained(client: httpx.AsyncClient) -> None:
    """`PUT /items/camp/stove` is what everybody types first."""
    answer = await client.put("/items/camp/stove", json={})
    detail = problem(answer, 404, "not-found")["detail"]
    assert detail == "There is nothing at /items/camp/stove; a slash inside an id is written %2F."
    answer = await client.get("/elsewhere/camp")
    assert "%2F" not in problem(answer, 404, "not-found")["detail"]
