"""The compliance suite of RFC 9535 through the API: an item for each member of a document."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.store.settings import Settings
from tests.api.conftest import client_of, problem
from tests.queries.compliance import filters, no_filters
from tests.queries.test_compliance import texts


@pytest.fixture(params=["sqlite", "postgresql"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A store of any JSON objects, queried in each of the databases."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").url
    settings = Settings(model="any", sql_url=url)
    app = create_app(settings, redis=FakeAsyncRedis(server=FakeServer()))
    async with client_of(app) as client:
        yield client
    assert app.context is not None
    assert app.context.read_model is not None
    app.context.read_model.close()


async def test_each_filter_finds_the_items_that_the_suite_says(client: httpx.AsyncClient) -> None:
    """An item for each member of a document, with an id of the case's own prefix."""
    cases = [case for case in filters() if case.is_of_items]
    requests = [
        {"method": "PUT", "path": f"/items/{number}-{place:03}", "body": member}
        for number, case in enumerate(cases)
        for place, member in enumerate(case.members)
    ]
    for start in range(0, len(requests), 128):
        answer = await client.post("/batch", json={"requests": requests[start : start + 128]})
        assert answer.status_code == 200, answer.text
    for number, case in enumerate(cases):
        params = {"where": case.text, "prefix": f"{number}-"}
        answer = await client.get("/items", params=params)
        assert answer.status_code == 200, (case.name, answer.text)
        found = [each["item"] for each in answer.json()["items"]]
        assert texts(found) == texts(case.selected), case.name
    assert len(cases) > 150


async def test_what_the_suite_calls_no_filter_is_refused(client: httpx.AsyncClient) -> None:
    """With the place where it goes wrong."""
    for where in no_filters():
        answer = await client.get("/items", params={"where": where})
        said = problem(answer, 422, "invalid-query")
        assert said["parameter"] == "where"
        assert 0 <= said["place"] <= len(where), where
