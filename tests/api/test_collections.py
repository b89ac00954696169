"""Several collections in one store: items of other kinds, side by side."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from pydantic import BaseModel, ConfigDict

from itemstore.api.app import ItemStore, create_app
from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName
from itemstore.store.named_collections import NAME, RESERVED
from itemstore.store.settings import Settings
from tests.api.conftest import client_of, problem


class Product(BaseModel):
    """An application's model."""

    model_config = ConfigDict(extra="forbid")

    title: str
    price_cents: int


@pytest.fixture
def shop(redis: FakeAsyncRedis) -> ItemStore:
    """A store of products, and of notes that are any JSON object."""
    return create_app(redis=redis, collections={"products": Product, "notes": None})


@pytest.fixture
async def client(shop: ItemStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with client_of(shop) as client:
        yield client


async def test_each_collection_has_its_own_items_and_its_own_model(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """The same id in two of them is two items."""
    made = await client.put("/products/a", json={"title": "Tent", "price_cents": 100})
    noted = await client.put("/notes/a", json={"anything": [1, 2]})
    refused = await client.put("/products/b", json={"anything": 1})

    assert (made.status_code, made.headers["location"]) == (201, "/products/a")
    assert (noted.status_code, noted.headers["location"]) == (201, "/notes/a")
    problem(refused, 422, "invalid-item")
    assert (await client.get("/notes/a")).json() == {"anything": [1, 2]}
    assert [await redis.xlen(f"{name}:events") for name in ("products", "notes")] == [1, 1]
    assert (await client.get("/products")).json()["total"] == 1


async def test_the_service_lists_the_collections(client: httpx.AsyncClient) -> None:
    """Each by its name; `/items` is not among them, and nothing is there."""
    links = (await client.get("/")).json()["links"]

    assert (links["products"], links["notes"]) == ("/products", "/notes")
    assert "items" not in links
    problem(await client.get("/items"), 404, "not-found")


async def test_a_slash_in_an_id_is_explained_in_every_collection(
    client: httpx.AsyncClient,
) -> None:
    """And where there is no collection of the name, it is not."""
    found = problem(await client.get("/products/a/b/c"), 404, "not-found")
    other = problem(await client.get("/items/a/b/c"), 404, "not-found")

    assert found["detail"].endswith("a slash inside an id is written %2F.")
    assert "%2F" not in other["detail"]


async def test_the_prose_of_a_problem_names_no_path_that_is_not_there(
    client: httpx.AsyncClient,
) -> None:
    """Nor, as it is for everybody, the name of a collection."""
    for slug in ("item-not-found", "version-not-found"):
        page = await client.get(f"/problems/{slug}")
        assert "/items" not in page.text
        assert "/products" not in page.text
        assert "/{collection}" in page.json()["remedy"]


async def test_problems_and_links_are_those_of_the_collection(client: httpx.AsyncClient) -> None:
    """A deleted item leads to its own history."""
    await client.put("/notes/a", json={})
    await client.delete("/notes/a")
    gone = await client.get("/notes/a")

    assert problem(gone, 404, "item-deleted")["instance"] == "/notes/a"
    assert gone.headers["link"].startswith("</notes/a/versions>")
    allowed = await client.request("TRACE", "/notes/a")
    assert allowed.status_code == 405
    assert allowed.json()["detail"].startswith("/notes/{id} takes")


def test_a_model_beside_collections_is_refused_and_so_are_names_that_can_t_be(
    redis: FakeAsyncRedis,
) -> None:
    """At once, in words that name the argument."""
    with pytest.raises(TypeError, match="model= is for the only collection"):
        create_app(redis=redis, model=Product, collections={"products": Product})
    with pytest.raises(TypeError, match="one at least"):
        create_app(redis=redis, collections={})
    with pytest.raises(UnknownName, match=r"^collections= names 'Products': a name is"):
        create_app(redis=redis, collections={"Products": Product})
    with pytest.raises(UnknownName, match=r"^collections= names 'events', which is a path of"):
        create_app(redis=redis, collections={"events": Product})


def test_arguments_count_before_settings(redis: FakeAsyncRedis) -> None:
    """As with the model."""
    named = Settings(collections="orders=any")

    assert [*create_app(named, redis=redis).models] == ["orders"]
    assert [*create_app(named, redis=redis, collections={"notes": None}).models] == ["notes"]
    assert [*create_app(named, redis=redis, model=Product).models] == ["items"]


def test_no_collection_can_hide_a_path_of_the_api(app: ItemStore) -> None:
    """What stands first in a path is reserved, or can't be a name; and nothing else is."""
    beginnings = {
        each.template.split("/")[1] for each in app.resources if each.collection is None
    } - {""}

    names = {name for name in beginnings if NAME.fullmatch(name)}
    assert names <= RESERVED
    elsewhere = {"itemstore", "openapi"}  # in the keys, in the links
    assert RESERVED - names == elsewhere


def test_a_hundred_collections_are_found_as_fast_as_one(redis: FakeAsyncRedis) -> None:
    """Only the resources of one are looked through."""
    names = {f"kind-{number}": None for number in range(100)}
    app = create_app(redis=redis, collections=names)

    found = app.resources.find(b"/kind-99/a/versions/3")
    assert found is not None
    assert (found[0].collection, found[1]) == ("kind-99", {"id": b"a", "n": b"3"})
    assert max(map(len, app.resources._by_shape.values())) < 12
    assert all(isinstance(model, ItemModel) for model in app.models.values())


async def test_readiness_is_that_of_every_collection(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """One that can't be written is named."""
    assert (await client.get("/readyz")).status_code == 200
    await redis.set("notes:current", "something else")
    client = client_of(create_app(redis=redis, collections={"products": None, "notes": None}))

    damaged = problem(await client.get("/readyz"), 500, "store-damaged")

    assert damaged["detail"].startswith("/notes: A key of the store holds something else")
