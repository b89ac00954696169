"""Several collections, served: added, removed, and named again."""

from __future__ import annotations

import httpx

from tests.server.conftest import Serve


def test_a_collection_that_is_no_longer_named_is_said_and_kept(serve: Serve) -> None:
    """At the start, with the number of its events; named again it is as it was."""
    first = serve("--collections", "products=any,orders=any")
    assert first.said["Items"] == f"{first.url}/orders"
    assert httpx.put(f"{first.url}/orders/a", json={"count": 2}).status_code == 201
    first.stop()

    second = serve("--collections", "products=any,notes=any")
    assert second.said["Unused"] == "/orders, 1 event"
    assert httpx.get(f"{second.url}/orders/a").status_code == 404
    assert httpx.get(f"{second.url}/notes").json()["total"] == 0
    second.stop()

    third = serve()
    assert third.said["Unused"] == "/orders, 1 event"
    assert "Items" not in third.said
    assert third.said["Log"].endswith("XRANGE items:events - +")
    third.stop()

    fourth = serve("--collections", "orders=any")
    assert "Unused" not in fourth.said
    assert httpx.get(f"{fourth.url}/orders/a").json() == {"count": 2}
