"""What the shop does with its products: the store's clients, sync or async, are handed in."""

from __future__ import annotations

import httpx


class SoldOut(Exception):
    """There is no such product."""


def raise_price(store: httpx.Client, product_id: str, cents: int) -> int:
    """Adds to a price, and gives the new one. Raises SoldOut.

    The condition is part of the write: where somebody else came between, it begins again.
    """
    path = f"/products/{product_id}"
    while True:
        found = store.get(path)
        if found.status_code == httpx.codes.NOT_FOUND:
            raise SoldOut(product_id)
        product = found.raise_for_status().json()
        product["price_cents"] += cents
        answer = store.put(path, json=product, headers={"If-Match": found.headers["etag"]})
        if answer.status_code != httpx.codes.PRECONDITION_FAILED:
            return int(answer.raise_for_status().json()["price_cents"])
