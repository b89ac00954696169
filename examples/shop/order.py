"""Places an order: python order.py ORDER PRODUCT QUANTITY. Prints the order's Event-Id."""

import os
import sys

import httpx

STORE = os.environ.get("STORE", "http://localhost:8000")


def place(store: httpx.Client, order: str, product: str, quantity: int) -> str:
    """Takes the stock and creates the order, or does neither."""
    while True:
        seen = store.get(f"/products/{product}").raise_for_status()
        left = seen.json()["stock"] - quantity
        if left < 0:
            raise SystemExit(f"Only {seen.json()['stock']} of {product} are left.")
        line = {"product": product, "quantity": quantity, "price_cents": seen.json()["price_cents"]}
        take = {
            "method": "PATCH",
            "path": f"/products/{product}",
            "headers": {"If-Match": seen.headers["ETag"]},
            "body": {"stock": left},
        }
        create = {
            "method": "PUT",
            "path": f"/orders/{order}",
            "headers": {"If-None-Match": "*"},
            "body": line,
        }
        answer = store.post("/batch", json={"requests": [take, create]})
        if answer.status_code != httpx.codes.PRECONDITION_FAILED:
            return answer.raise_for_status().json()["responses"][-1]["headers"]["Event-Id"]
        if answer.json()["index"] == 1:
            raise SystemExit(f"There is an order {order}.")
        # Somebody else was quicker with the product: look again.


if __name__ == "__main__":
    with httpx.Client(base_url=STORE) as client:
        print(place(client, sys.argv[1], sys.argv[2], int(sys.argv[3])))
