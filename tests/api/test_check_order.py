"""What is checked first: method, size, media type, token, Idempotency-Key, body, conditions."""

from __future__ import annotations

from itertools import combinations

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import Role, create
from tests.api.conftest import Events, Serve

LIMIT = 100

WRONG = {
    "method": 405,
    "size": 413,
    "media type": 415,
    "token": 401,
    "idempotency": 400,
    "body": 400,
    "condition": 412,
}
"""What may be wrong with a request, in the order in which it is noticed, and its status."""


@pytest.mark.parametrize(("first", "second"), [*combinations(WRONG, 2)])
async def test_of_two_things_that_are_wrong_the_first_is_said(
    serve: Serve, redis: FakeAsyncRedis, events: Events, first: str, second: str
) -> None:
    """For each pair of them; and nothing is appended."""
    token = await create(Partition(redis, Keys()), "writer", Role.writer)
    wrong = {first, second}
    headers = {
        "Content-Type": "text/plain" if "media type" in wrong else "application/json",
        "Authorization": f"Bearer {'x.y' if 'token' in wrong else token}",
        "Idempotency-Key": "é" if "idempotency" in wrong else "key",
    }
    if "condition" in wrong:
        headers["If-Match"] = '"1"'
    body = b"{" if "body" in wrong else b"{}"
    if "size" in wrong:
        body = body.ljust(LIMIT + 1)
    answer = await serve(max_body=LIMIT).request(
        "POST" if "method" in wrong else "PUT", "/items/foo", content=body,
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
    )  # fmt: skip
    assert answer.status_code == WRONG[first]
    if {first, second} == {"idempotency", "body"}:
        assert answer.json()["type"].endswith("malformed-header")
    assert await events() == []
