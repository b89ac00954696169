"""What a type checker makes of the clients: mypy reads this file, and these are the types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

from itemstore.client import AsyncClient, Client, ItemVersion, Written
from tests.client.conftest import URL, Product


@dataclass
class Note:
    """A model that is no pydantic model."""

    text: str


def test_bodies_have_the_type_of_the_model() -> None:
    """A model, a dataclass, or a dict where none is named."""
    with (
        Client(URL, Product) as products,
        Client(URL, Note) as notes,
        Client(URL, token="secret") as plain,  # noqa: S106  # it opens nothing
    ):
        assert_type(products, Client[Product])
        assert_type(notes, Client[Note])
        assert_type(plain, Client[dict[str, Any]])
        assert_type(products.collection("notes", Note), Client[Note])
        assert_type(products.collection("items"), Client[dict[str, Any]])


async def test_they_have_it_in_coroutines_too() -> None:
    """The same."""
    async with AsyncClient(URL, Product) as products, AsyncClient(URL) as plain:
        assert_type(products, AsyncClient[Product])
        assert_type(plain, AsyncClient[dict[str, Any]])
        assert_type(products.collection("notes", Note), AsyncClient[Note])


def looked_at(client: Client[Product]) -> None:
    """Never called: what its answers are."""
    assert_type(client.get("a"), ItemVersion[Product])
    assert_type(client.find("a"), ItemVersion[Product] | None)
    assert_type(client.put("a", Product(title="A"), if_match=3).item, Product)
    assert_type(client.update("a", lambda product: product), Written[Product])


async def looked_at_too(client: AsyncClient[Product]) -> None:
    """Never called: the same."""
    assert_type((await client.get("a")).item, Product)
    assert_type(await client.create(Product(title="A")), Written[Product])
