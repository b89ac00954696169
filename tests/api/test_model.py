"""The model of an item is the operator's: in validation, in what is stored and in OpenAPI."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from pydantic import BaseModel, ConfigDict, Field, field_validator

from itemstore.api.app import create_app
from itemstore.store.named import UnknownName
from itemstore.store.settings import Settings
from tests.api.conftest import Serve, client_of, problem
from tests.conftest import Unchanged

SHOP = """
from pydantic import BaseModel

class Product(BaseModel):
    price: int

NOT_A_MODEL = 6

class NoModel:
    pass
"""


class Size(BaseModel):
    """Centimetres."""

    width: int
    height: int


class Product(BaseModel):
    """A product, of a shop that knows more of pydantic than the default item does."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(alias="productTitle", min_length=1)
    price: Decimal = Decimal(0)
    since: date | None = None
    sizes: list[Size] = []
    tags: dict[str, list[str]] = {}

    @field_validator("title")
    @classmethod
    def _not_shouted(cls, title: str) -> str:
        if title.isupper():
            message = "don't shout"
            raise ValueError(message)
        return title


@pytest.fixture
def shop(serve: Serve) -> httpx.AsyncClient:
    """A client of a store of products."""
    return serve(model=Product)


@pytest.fixture
def shop_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `shop` in the working directory, as an operator has it."""
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)


async def test_the_operators_model_is_what_is_stored(shop: httpx.AsyncClient) -> None:
    """With its aliases, its defaults and its types, as JSON."""
    body = {"productTitle": "Desk", "price": "129.90", "since": "2026-11-23",
            "sizes": [{"width": 160, "height": 72}]}  # fmt: skip

    put = await shop.put("/items/desk", json=body)

    assert (put.status_code, put.json()) == (201, body | {"tags": {}})
    assert (await shop.get("/items/desk")).json() == body | {"tags": {}}


async def test_what_was_stored_can_be_put_again(shop: httpx.AsyncClient) -> None:
    """GET, change, PUT: the representation is a valid body."""
    await shop.put("/items/desk", json={"productTitle": "Desk"})
    item = (await shop.get("/items/desk")).json()

    answer = await shop.put("/items/desk", json=item | {"price": "1.5"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/productTitle"),
        ({"productTitle": ""}, "/productTitle"),
        ({"productTitle": "DESK"}, "/productTitle"),
        ({"productTitle": "Desk", "price": "much"}, "/price"),
        ({"productTitle": "Desk", "sizes": [{"width": 1, "height": 2}, {"width": 1}]},
         "/sizes/1/height"),
        ({"productTitle": "Desk", "tags": {"a/b": [1]}}, "/tags/a~1b/0"),
    ],
)  # fmt: skip
async def test_what_the_operators_model_refuses_is_pointed_at(
    shop: httpx.AsyncClient, unchanged: Unchanged, body: dict[str, Any], pointer: str
) -> None:
    """422, with a pointer into what the client sent."""
    async with unchanged():
        answer = await shop.put("/items/desk", json=body)

    [error] = problem(answer, 422, "invalid-item")["errors"]
    assert error["pointer"] == pointer


async def test_a_patch_is_held_against_the_operators_model(
    shop: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """The outcome must be a product."""
    await shop.put("/items/desk", json={"productTitle": "Desk"})
    headers = {"Content-Type": "application/merge-patch+json"}

    async with unchanged():
        answer = await shop.patch("/items/desk", content='{"productTitle": null}', headers=headers)

    problem(answer, 422, "invalid-item")
    assert (
        await shop.patch("/items/desk", content='{"price": 2}', headers=headers)
    ).status_code == 200


async def test_a_validator_that_fails_in_its_own_way_is_an_error_of_the_server(
    serve: Serve, unchanged: Unchanged
) -> None:
    """500, without what it said: only ValueError is meant for the client."""

    class Faulty(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def _fails(cls, name: str) -> str:
            raise KeyError(name)

    async with unchanged():
        answer = await serve(model=Faulty).put("/items/foo", json={"name": "a"})

    problem(answer, 500, "internal-error")


@pytest.mark.usefixtures("shop_module")
async def test_the_setting_names_a_model_in_a_module(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ITEMSTORE_MODEL=shop:Product`, found in the working directory."""
    monkeypatch.setenv("ITEMSTORE_MODEL", "shop:Product")

    async with client_of(create_app(redis=redis)) as client:
        good = await client.put("/items/desk", json={"price": 1})
        bad = await client.put("/items/desk", json={})

    assert (good.status_code, bad.status_code) == (201, 422)


async def test_the_setting_any_takes_any_object(
    redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ITEMSTORE_MODEL=any`."""
    monkeypatch.setenv("ITEMSTORE_MODEL", "any")

    async with client_of(create_app(redis=redis)) as client:
        answer = await client.put("/items/foo", json={"anything": [1, {}]})

    assert (answer.status_code, answer.json()) == (201, {"anything": [1, {}]})


@pytest.mark.usefixtures("shop_module")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shop", "write module:Model, or any"),
        ("Any", "write module:Model, or any"),
        (":Product", "write module:Model, or any"),
        ("shop:", "write module:Model, or any"),
        ("nowhere:Product", "which can't be imported: No module named 'nowhere'"),
        ("nowhere.at.all:Product", "No module named 'nowhere'"),
        ("shop:Nothing", "has no attribute 'Nothing'"),
        ("shop:NOT_A_MODEL", "is not a pydantic model"),
        ("shop:NoModel", "is not a pydantic model"),
        ("shop.py:Product", "No module named 'shop.py'"),
    ],
)
def test_a_model_that_is_none_is_refused_at_the_start(
    redis: FakeAsyncRedis, name: str, reason: str
) -> None:
    """The error names the setting, its value and what is wrong."""
    with pytest.raises(UnknownName, match=f"^ITEMSTORE_MODEL is '{name}'.*{reason}"):
        create_app(Settings(model=name), redis=redis)


async def schemas(client: httpx.AsyncClient) -> tuple[str, dict[str, Any]]:
    """The name of the schema that a PUT takes, and all schemas."""
    document = (await client.get("/openapi.json")).json()
    put = document["paths"]["/items/{id}"]["put"]
    taken = put["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    for status in ("200", "201"):
        given = put["responses"][status]["content"]["application/json"]["schema"]["$ref"]
        assert given == taken
    return taken.rpartition("/")[2], document["components"]["schemas"]


async def test_openapi_shows_the_default_model(client: httpx.AsyncClient) -> None:
    """`Item`, with name and size and nothing else."""
    name, all_schemas = await schemas(client)

    assert name == "Item"
    assert set(all_schemas["Item"]["properties"]) == {"name", "size"}
    assert all_schemas["Item"]["additionalProperties"] is False


async def test_openapi_shows_the_operators_model(shop: httpx.AsyncClient) -> None:
    """Under its own name, with its aliases and its nested models; no `Item` is left."""
    name, all_schemas = await schemas(shop)

    assert name == "Product"
    assert "Item" not in all_schemas
    assert "productTitle" in all_schemas["Product"]["properties"]
    sizes = all_schemas["Product"]["properties"]["sizes"]
    assert sizes["items"] == {"$ref": "#/components/schemas/Size"}
    assert set(all_schemas["Size"]["properties"]) == {"width", "height"}


async def test_openapi_shows_that_anything_goes(serve: Serve) -> None:
    """With `any`, an object of any members."""
    name, all_schemas = await schemas(serve(model="any"))

    assert (name, all_schemas["Item"]["type"]) == ("Item", "object")
    assert all_schemas["Item"]["additionalProperties"] is True


async def test_an_operators_models_may_be_named_like_ours(serve: Serve) -> None:
    """An Event with a list of Items and a Problem is not confused with the store's own."""

    class Item(BaseModel):
        price: int

    class Problem(BaseModel):
        text: str

    class Event(BaseModel):
        items: list[Item]
        problem: Problem | None = None

    name, all_schemas = await schemas(serve(model=Event))

    assert name == "Event"
    event = all_schemas["Event"]
    assert set(event["properties"]) == {"items", "problem"}
    assert event["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Item"}
    assert set(all_schemas["Item"]["properties"]) == {"price"}
    assert set(all_schemas["Problem"]["properties"]) == {"text"}


async def test_a_model_may_hold_itself(serve: Serve) -> None:
    """A recursive model is described once."""

    class Node(BaseModel):
        children: list[Node] = []

    Node.model_rebuild(_types_namespace={"Node": Node})
    name, all_schemas = await schemas(serve(model=Node))

    assert name == "Node"
    children = all_schemas["Node"]["properties"]["children"]
    assert children["items"] == {"$ref": "#/components/schemas/Node"}


async def test_a_generic_model_has_a_name_that_openapi_allows(serve: Serve) -> None:
    """`Box[int]` is `Box_int_` there."""
    content = TypeVar("content")

    class Box(BaseModel, Generic[content]):
        value: content

    name, _ = await schemas(serve(model=Box[int]))

    assert name == "Box_int_"
