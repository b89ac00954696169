"""The shop's code on the store in process, and once on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fakeredis import FakeServer
from itemstore.testing import ItemstoreClock, ItemstoreServer

from domain.shelf import SoldOut, raise_price

TEA = {"title": "Assam", "price_cents": 790}


def test_a_price_is_raised(itemstore_client: httpx.Client) -> None:
    itemstore_client.put("/products/tea", json=TEA)
    assert raise_price(itemstore_client, "tea", 100) == 890
    assert itemstore_client.get("/products/tea/versions/1").json() == TEA


def test_what_is_not_there_is_sold_out(itemstore_client: httpx.Client) -> None:
    with pytest.raises(SoldOut):
        raise_price(itemstore_client, "tea", 100)
    assert itemstore_client.get("/events").json() == []


async def test_a_product_has_a_price(itemstore_async_client: httpx.AsyncClient) -> None:
    answer = await itemstore_async_client.put("/products/tea", json={"title": "Assam"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/price_cents", "detail": "Field required"}]


def test_last_weeks_price_can_be_read(
    itemstore_client: httpx.Client, itemstore_clock: ItemstoreClock
) -> None:
    itemstore_clock.set(datetime(2024, 1, 1, tzinfo=UTC))
    itemstore_client.put("/products/tea", json=TEA)
    itemstore_clock.advance(timedelta(days=7))
    raise_price(itemstore_client, "tea", 100)
    then = {"Accept-Datetime": "Tue, 02 Jan 2024 00:00:00 GMT"}
    answer = itemstore_client.get("/products/tea", headers=then, follow_redirects=True)
    assert answer.json()["price_cents"] == 790


def test_without_an_engine_the_shop_says_so(
    itemstore_client: httpx.Client, itemstore_engine: FakeServer
) -> None:
    itemstore_engine.connected = False
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        raise_price(itemstore_client, "tea", 100)


def test_the_shop_is_served(itemstore_server: ItemstoreServer) -> None:
    with httpx.Client(base_url=itemstore_server.url) as client:
        assert client.put("/products/tea", json=TEA).status_code == 201
        assert raise_price(client, "tea", 100) == 890
        assert client.get("/shop/price?cents=890").json() == {"price": "8.90"}
