"""What a body must be, as a JSON Schema of its own for each collection."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, computed_field

from itemstore.api.app import create_app
from itemstore.store.scope import Scope
from itemstore.store.tokens import Role
from tests.api.bearers import bearer
from tests.api.conftest import client_of, problem


class Side(BaseModel):
    """A part of a tent."""

    colour: str = "green"


class Tent(BaseModel):
    """A model with another in it, a limit, another name, and a field that is worked out."""

    title: str = Field(max_length=20, description="What it is called.")
    price: int = Field(alias="priceCents")
    sides: list[Side] = []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_dear(self) -> bool:
        """Whether it costs much."""
        return self.price > 1000


@pytest.fixture
async def shop(redis: FakeAsyncRedis) -> AsyncIterator[httpx.AsyncClient]:
    """A store of tents, and of notes that are any JSON object."""
    app = create_app(redis=redis, collections={"tents": Tent, "notes": None})
    async with client_of(app) as client:
        yield client


async def test_it_is_the_schema_of_the_model(shop: httpx.AsyncClient) -> None:
    """A whole document, with its dialect, and all that it refers to inside of itself."""
    answer = await shop.get("/schemas/tents")

    schema = answer.json()
    Draft202012Validator.check_schema(schema)
    assert answer.headers["content-type"] == "application/schema+json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["title", "priceCents"]
    assert schema["properties"]["title"]["maxLength"] == 20
    assert schema["properties"]["sides"]["items"] == {"$ref": "#/$defs/Side"}
    assert schema["$defs"]["Side"]["properties"]["colour"]["default"] == "green"
    assert schema["properties"]["is_dear"]["readOnly"] is True


async def test_it_says_of_a_body_what_the_store_says(shop: httpx.AsyncClient) -> None:
    """What it takes is stored, and what it does not take is refused."""
    validator = Draft202012Validator((await shop.get("/schemas/tents")).json())
    for body, is_valid in [
        ({"title": "Dome", "priceCents": 5}, True),
        ({"title": "Dome", "priceCents": 5, "sides": [{}]}, True),
        ({"title": "Dome"}, False),
        ({"title": "D" * 21, "priceCents": 5}, False),
    ]:
        answer = await shop.put("/tents/a", json=body)
        assert validator.is_valid(body) is is_valid
        assert (answer.status_code < 300) is is_valid


async def test_without_a_model_any_object_is_one(shop: httpx.AsyncClient) -> None:
    """And nothing but an object."""
    schema = (await shop.get("/schemas/notes")).json()

    assert (schema["type"], schema["additionalProperties"]) == ("object", True)


async def test_it_has_a_tag(shop: httpx.AsyncClient) -> None:
    """A model changes with the store's program only."""
    answer = await shop.get("/schemas/tents")
    known = await shop.get("/schemas/tents", headers={"if-none-match": answer.headers["etag"]})

    assert answer.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing", "schemas", "events", "TENTS", "tents%2F", "%00"])
async def test_a_collection_that_there_is_none_of_has_none(
    shop: httpx.AsyncClient, path: str
) -> None:
    """404, which names the path."""
    problem(await shop.get(f"/schemas/{path}"), 404, "not-found")


async def test_a_bound_token_sees_those_of_its_collections(
    shop: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Of others it does not even hear whether they exist; ids that it is bound to don't matter."""
    bound = await bearer(redis, "bound", Scope(frozenset({"notes"}), ("eu/",)), Role.reader)

    problem(await shop.get("/schemas/notes"), 401, "unauthorized")
    assert (await shop.get("/schemas/notes", headers=bound)).status_code == 200
    details = set()
    for name in ("tents", "nothing"):
        refused = problem(await shop.get(f"/schemas/{name}", headers=bound), 403, "forbidden")
        details.add(refused["detail"].replace(name, "…"))
    assert len(details) == 1
