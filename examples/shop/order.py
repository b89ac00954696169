"""Places an order: python order.py ORDER PRODUCT QUANTITY. Prints the order's Event-Id."""

import os
import sys
from typing import Any

from itemstore.client import Client, Patch, PreconditionFailed, Put

STORE = os.environ.get("STORE", "http://localhost:8000")


def place(store: Client[dict[str, Any]], order: str, product: str, quantity: int) -> str | None:
    """Takes the stock and creates the order, or does neither."""
    while True:
        seen = store.get(product)
        left = seen.item["stock"] - quantity
        if left < 0:
            raise SystemExit(f"Only {seen.item['stock']} of {product} are left.")
        line = {"product": product, "quantity": quantity, "price_cents": seen.item["price_cents"]}
        take = Patch(product, {"stock": left}, if_match=seen)
        create = Put(order, line, collection="orders", if_absent=True)
        try:
            return store.batch([take, create])[-1].event
        except PreconditionFailed as failure:
            if failure.index == 1:
                raise SystemExit(f"There is an order {order}.") from None
            # Somebody else was quicker with the product: look again.


if __name__ == "__main__":
    with Client(STORE, collection="products") as client:
        print(place(client, sys.argv[1], sys.argv[2], int(sys.argv[3])))
