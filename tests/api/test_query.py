"""Query parameters that a resource does not have."""

from __future__ import annotations

import pytest

from api.app import ItemStore
from tests.api.conftest import Events, client_of, problem

FOR_ANYONE = {
    "/",
    "/docs",
    "/docs/{file}",
    "/openapi.json",
    "/livez",
    "/readyz",
    "/metrics",
    "/problems/{slug}",
}
"""Here nothing goes wrong when a probe or a proxy adds a parameter of its own."""


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
            path = resource.template.format(id="foo", n=2)
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
            path.format(slug="forbidden", file="swagger-ui.css"), params={"at": "1"}
        )
        assert answer.status_code == 200
