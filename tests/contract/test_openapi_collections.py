"""The OpenAPI document of a store of several collections: each with a model of its own."""

from __future__ import annotations

import re
from typing import Any, Literal

import openapi_spec_validator
import pytest
from pydantic import BaseModel, Field

from tests.api.conftest import client_of
from tests.contract.conftest import COLLECTIONS, Old, Order, Product, store
from tests.contract.test_openapi import operations, validate


def name_of(schema: dict[str, Any]) -> str:
    """The name of the schema that is referred to."""
    return str(schema["$ref"]).removeprefix("#/components/schemas/")


def test_the_functions_of_clients_are_named_after_the_collection() -> None:
    """Those of `items` are what they are where it is the only one."""
    document = store(COLLECTIONS).openapi()
    names = {
        operation["operationId"]: operation["tags"] for _, _, operation in operations(document)
    }
    alone = {operation["operationId"] for _, _, operation in operations(store(None).openapi())}

    assert alone <= names.keys()
    assert names["put_orders_item"] == names["list_orders_item_events"] == ["orders"]
    assert names["list_orders_items"] == names["get_orders_version"] == ["orders"]
    assert names["revert_old_products_item"] == ["old-products"]
    assert [tag["name"] for tag in document["tags"]] == [*COLLECTIONS, "service"]


def test_each_collection_has_its_own_model_and_its_own_pages() -> None:
    """In what is sent, in what is answered, in lists and in events."""
    document = store(COLLECTIONS).openapi()
    schemas = document["components"]["schemas"]

    for collection, model, page in (
        ("orders", "Order", "OrderPage"),
        ("items", "Product", "ItemPage"),
        ("old-products", "OldProductsProduct", "OldProductsProductPage"),
    ):
        put = document["paths"][f"/{collection}/{{id}}"]["put"]
        sent = put["requestBody"]["content"]["application/json"]["schema"]
        listed = document["paths"][f"/{collection}"]["get"]["responses"]["200"]["content"]
        paged = name_of(listed["application/json"]["schema"])
        one = schemas[name_of(schemas[page]["properties"]["items"]["items"])]
        assert (name_of(sent), paged) == (model, page)
        whole_or_part = [name_of(each) for each in one["properties"]["item"]["anyOf"]]
        assert whole_or_part == [model, "SelectedFields"]
        assert schemas[model]["title"] == model


def test_an_event_is_one_of_the_kinds_which_its_source_tells_apart() -> None:
    """`/events` has all of them; those of one item are of its own collection."""
    document = store(COLLECTIONS).openapi()
    schemas = document["components"]["schemas"]

    kinds = [name_of(each) for each in schemas["Event"]["anyOf"]]
    assert kinds == ["OrderEvent", "ProductEvent", "OldProductsProductEvent"]
    assert schemas["OrderEvent"]["properties"]["source"]["enum"] == ["/orders"]
    assert name_of(schemas["OrderEvent"]["properties"]["data"]) == "Order"
    [content] = document["paths"]["/orders/{id}/events"]["get"]["responses"]["200"][
        "content"
    ].values()
    assert name_of(content["schema"]["items"]) == "OrderEvent"


def test_models_of_the_same_name_are_not_mixed_up() -> None:
    """Nor are those within them; what refers to another one is another one."""
    schemas = store(COLLECTIONS).openapi()["components"]["schemas"]

    assert [*schemas["Size"]["properties"]] == ["width", "height"]
    assert [*schemas["OldProductsSize"]["properties"]] == ["inches"]
    sizes = schemas["OldProductsProduct"]["properties"]["sizes"]["items"]
    assert name_of(sizes) == "OldProductsSize"


def test_the_same_model_in_two_collections_is_one_schema() -> None:
    """With one page and one event, of two sources."""
    schemas = store({"orders": Order, "returns": Order}).openapi()["components"]["schemas"]

    assert {name for name in schemas if "Order" in name} == {
        *("Order", "OrderPage", "ListedOrder", "OrderEvent")
    }
    assert schemas["OrderEvent"]["properties"]["source"]["enum"] == ["/orders", "/returns"]


class Outer:
    """Models that differ in nothing but what they refer to."""

    class Cat(BaseModel):
        """One kind."""

        kind: Literal["cat"]

    class Dog(BaseModel):
        """Another kind."""

        kind: Literal["dog"]

    class Pet(BaseModel):
        """One of the kinds."""

        pet: Outer.Cat | Outer.Dog = Field(discriminator="kind")


class Inner:
    """The same names; only a cat is another."""

    class Cat(BaseModel):
        """One kind."""

        kind: Literal["cat"]
        lives: int

    class Dog(BaseModel):
        """Another kind."""

        kind: Literal["dog"]

    class Pet(BaseModel):
        """One of the kinds."""

        pet: Inner.Cat | Inner.Dog = Field(discriminator="kind")


def test_a_model_is_another_where_what_it_refers_to_is() -> None:
    """Also where the reference is in the mapping of a discriminator."""
    document = store({"a": Outer.Pet, "b": Inner.Pet}).openapi()
    schemas = document["components"]["schemas"]

    openapi_spec_validator.validate(document)
    assert {"Pet", "Cat", "Dog", "BPet", "BCat"} <= schemas.keys()
    assert "BDog" not in schemas
    mapping = schemas["BPet"]["properties"]["pet"]["discriminator"]["mapping"]
    assert mapping == {"cat": "#/components/schemas/BCat", "dog": "#/components/schemas/Dog"}
    validate({"pet": {"kind": "cat", "lives": 9}}, document, {"$ref": "#/components/schemas/BPet"})


class ProductPage(BaseModel):
    """An operator's model with a name that the list's page would have."""

    product: Product


def test_our_own_schemas_make_way_for_the_operators() -> None:
    """Whoever's model it is, and whatever its collection is called."""
    document = store({"service": ProductPage, "products": Product}).openapi()
    schemas = document["components"]["schemas"]

    openapi_spec_validator.validate(document)
    assert [*schemas["ProductPage"]["properties"]] == ["product"]
    assert "next" in schemas["StoreProductPage"]["properties"]
    assert [tag["name"] for tag in document["tags"]] == ["service", "products"]


@pytest.mark.parametrize("names", [["products"], ["a-b", "a", "b"], ["item", "items", "events-a"]])
def test_names_stay_apart_whatever_the_collections_are_called(names: list[str]) -> None:
    """And nothing refers to what is not there."""
    document = store(dict.fromkeys(names, Old.Product)).openapi()

    openapi_spec_validator.validate(document)
    described = {tag["name"] for tag in document["tags"]}
    assert {tag for *_, each in operations(document) for tag in each["tags"]} == described
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(each.isidentifier() for each in ids)


async def test_what_each_collection_answers_fits_its_own_schema() -> None:
    """Lists, and the feed of all of them."""
    app = store(COLLECTIONS)
    document = app.openapi()
    async with client_of(app) as client:
        await client.put("/orders/a", json={"product": "tent", "count": 2})
        await client.put("/items/a", json={"title": "Tent", "sizes": [{"width": 1, "height": 2}]})
        await client.put("/old-products/a", json={"name": "Tent", "sizes": [{"inches": 3}]})
        for collection, page in (
            ("orders", "OrderPage"),
            ("items", "ItemPage"),
            ("old-products", "OldProductsProductPage"),
        ):
            found = (await client.get(f"/{collection}")).json()
            assert found["total"] == 1
            validate(found, document, {"$ref": f"#/components/schemas/{page}"})
            events = (await client.get(f"/{collection}/a/events")).json()
            for event in events:
                validate(event, document, {"$ref": "#/components/schemas/Event"})


def test_a_source_is_one_of_the_collections_that_there_are() -> None:
    """Or several of them, where they may be."""
    paths = store(COLLECTIONS).openapi()["paths"]

    def source(path: str) -> dict[str, Any]:
        parameters = paths[path]["get"]["parameters"]
        [found] = [each["schema"] for each in parameters if each.get("name") == "source"]
        return dict(found)

    assert source("/stats")["enum"] == ["/orders", "/items", "/old-products"]
    assert re.fullmatch(source("/events")["pattern"], "/items,/orders")
    assert not re.fullmatch(source("/events")["pattern"], "/items,/books")
