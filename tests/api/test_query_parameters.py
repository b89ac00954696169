"""Query parameters that a resource does not have."""

from __future__ import annotations

import time

import pytest

from itemstore.api.app import ItemStore
from tests.api.conftest import SEVERAL, Events, client_of, problem
from tests.api.paths import path_of

pytestmark = pytest.mark.partitions(1, SEVERAL)

FOR_ANYONE = {
    "/",
    "/docs",
    "/docs/{file}",
    "/openapi.json",
    "/livez",
    "/readyz",
    "/metrics",
    "/problems/{slug}",
    "/explorer",
    "/explorer/{file}",
    "/explorer/{folder}/{file}",
}
"""Here nothing goes wrong when a probe or a proxy adds a parameter of its own."""

FILES = {
    "/docs/{file}": "swagger-ui.css",
    "/explorer/{file}": "main.js",
    "/explorer/{folder}/{file}": "preact.js",
}
"""One that there is, of each."""


async def test_an_unknown_parameter_is_refused_on_every_resource(
    app: ItemStore, events: Events
) -> None:
    """By every method, with its name, and nothing is appended."""
    async with client_of(app) as client:
        for size in (1, 2):
            await client.put("/items/foo", json={"size": size})
        tried = 0
        for resource in app.resources:
            if resource.template in FOR_ANYONE:
                continue
            path = path_of(resource.template, n="2")
            for method in resource.handlers:
                assert "{" not in path
                media_type = "application/merge-patch+json" if method == "PATCH" else None
                headers = {"content-type": media_type or "application/json"}
                answer = await client.request(
                    method, f"{path}?at=1", headers=headers, content=b'{"version":1}'
                )
                [error] = problem(answer, 422, "invalid-parameter")["errors"]
                assert error["parameter"] == "at", (method, path)
                tried += 1
    assert tried >= 13
    assert len(await events()) == 2


@pytest.mark.parametrize("path", sorted(FOR_ANYONE))
async def test_pages_and_probes_take_any_parameter(app: ItemStore, path: str) -> None:
    """And do with it what they do without."""
    async with client_of(app) as client:
        answer = await client.get(
            path.format(slug="forbidden", file=FILES.get(path), folder="vendor"), params={"at": "1"}
        )
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (
            "/items?limt=1",
            (
                "limt: There is no such parameter; known here: after, fields, limit, "
                "min_position, order, prefix, search, where."
            ),
        ),
        ("/items/foo/versions/2/diff?to=1", "to: There is no such parameter; known here: from."),
        ("/items/foo?version=1", "version: This resource takes no parameters."),
    ],
)
async def test_a_misspelt_parameter_is_told_which_there_are(
    app: ItemStore, path: str, detail: str
) -> None:
    """By the names that are sent, `from` among them."""
    async with client_of(app) as client:
        answer = await client.get(path)
        assert problem(answer, 422, "invalid-parameter")["detail"] == detail


async def test_of_many_parameters_the_first_20_are_listed(app: ItemStore) -> None:
    """Each name is counted once: thousands in one query took the process a quarter of a second."""
    async with client_of(app) as client:
        for query in ("&".join(f"{n:x}" for n in range(1500)), "&".join(["a&b"] * 1900)):
            began = time.perf_counter()
            answer = await client.get(f"/items?{query}")
            assert time.perf_counter() - began < 1
            assert len(problem(answer, 422, "invalid-parameter")["errors"]) <= 20
            assert len(answer.content) < 4000


async def test_a_parameter_is_named_by_its_start(app: ItemStore) -> None:
    """However long its name is, and whatever is in it."""
    async with client_of(app) as client:
        answer = await client.get(f"/items?%E2%80%AE{'x' * 5000}=1")
    [error] = problem(answer, 422, "invalid-parameter")["errors"]
    assert error["parameter"] == "\\u202e" + "x" * 59 + "…"


async def test_a_query_that_is_no_text_is_told_so(app: ItemStore) -> None:
    """And not in the words of a decoder."""
    async with client_of(app) as client:
        answer = await client.get("/items?prefix=%FF")
    assert "codec" not in answer.text
    assert problem(answer, 422, "invalid-parameter")["detail"].endswith("percent-encoded.")
