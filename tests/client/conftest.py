"""Both clients, so that each test of what they do is one of both."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field

from itemstore.client import AsyncClient, Client
from tests.conftest import forget_settings

URL = "http://store"


class Product(BaseModel):
    """What the store's `/products` has, with a name of JSON's own."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    title: str
    price: int = Field(default=0, alias="priceCents")


_no_settings_from_outside = pytest.fixture(autouse=True)(forget_settings)


@pytest.fixture
def itemstore_collections() -> Mapping[str, type[BaseModel] | None]:
    """One collection of anything, and one with a model."""
    return {"items": None, "products": Product}


class Both:
    """A client of either kind, whose answers are awaited: the one for threads answers at once."""

    def __init__(self, client: Client[Any] | AsyncClient[Any]) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        async def call(*values: Any, **named: Any) -> Any:
            given = method(*values, **named)
            if inspect.isasyncgen(given):
                return [each async for each in given]
            if inspect.isgenerator(given):
                return list(given)
            return await given if inspect.isawaitable(given) else given

        return call

    def of(self, collection: str, model: type[Any] | None = None) -> Both:
        """A client of the same kind of another collection."""
        return Both(self.client.collection(collection, model))


@pytest.fixture(params=["Client", "AsyncClient"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    """Each client in turn, of a store in process with nothing in it."""
    if request.param == "Client":
        http: httpx.Client = request.getfixturevalue("itemstore_client")
        with Client(URL, http=http) as client:
            yield Both(client)
    else:
        async_http: httpx.AsyncClient = request.getfixturevalue("itemstore_async_client")
        async with AsyncClient(URL, http=async_http) as async_client:
            yield Both(async_client)
