"""`X-Request-ID`: taken where it is well formed, else made, and answered, by any server."""

from __future__ import annotations

import re

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import create_app
from itemstore.logs.current_request import current_request
from tests.api.conftest import Serve, client_of

MADE = re.compile(r"[0-9a-f]{12}-[0-9a-f]+")

WELL_FORMED = [
    "a", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "x" * 128,
    "Root=1-67891233-abcdef012345678912345678", "YWJj+/==", "a.b_c~d:e@f",
]  # fmt: skip

MALFORMED = ["", "x" * 129, "a b", 'a"b', "a,b", "a;b", "a%0Ab", "<b>", "a\\b", "l\xe4", "a\x7fb"]


@pytest.mark.parametrize("given", WELL_FORMED)
@pytest.mark.parametrize("path", ["/items/foo", "/items", "/nowhere", "/livez"])
async def test_a_well_formed_id_is_answered(
    client: httpx.AsyncClient, path: str, given: str
) -> None:
    """To whatever is asked, found or not."""
    answer = await client.get(path, headers={"X-Request-ID": given})
    assert answer.headers.get_list("x-request-id") == [given]
    if answer.is_error:
        assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", [None, *MALFORMED])
async def test_without_a_well_formed_one_an_id_is_made(
    client: httpx.AsyncClient, given: str | None
) -> None:
    """Another one for each request; what was sent is nowhere in the answer."""
    del client.headers["X-Request-ID"]
    headers = [] if given is None else [(b"X-Request-ID", given.encode("latin-1"))]
    found = set()
    for _ in range(3):
        answer = await client.get("/items/foo", headers=headers)
        [made] = answer.headers.get_list("x-request-id")
        assert MADE.fullmatch(made)
        assert answer.json()["request_id"] == made
        found.add(made)
    assert len(found) == 3


async def test_an_id_that_comes_twice_is_none(client: httpx.AsyncClient) -> None:
    """It is not known which one is meant."""
    del client.headers["X-Request-ID"]
    answer = await client.get("/", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert MADE.fullmatch(answer.headers["x-request-id"])


async def test_every_kind_of_answer_has_it(client: httpx.AsyncClient) -> None:
    """201, 200, 204, 304, HEAD, OPTIONS, a list, a stream."""
    headers = {"X-Request-ID": "mine"}
    answers = [
        await client.put("/items/foo", json={}, headers=headers),
        await client.put("/items/foo", json={}, headers=headers),
        await client.put("/items/foo", json={}, headers=headers | {"Prefer": "return=minimal"}),
        await client.get("/items/foo", headers=headers | {"If-None-Match": '"3"'}),
        await client.head("/items/foo", headers=headers),
        await client.options("/items/foo", headers=headers),
        await client.get("/items", headers=headers),
        await client.get("/events", headers=headers | {"Accept": "application/jsonl"}),
    ]
    assert [each.status_code for each in answers] == [201, 200, 204, 304, 200, 204, 200, 200]
    assert all(each.headers.get_list("x-request-id") == ["mine"] for each in answers)


async def test_the_problem_of_a_batch_has_the_id_of_the_batch(client: httpx.AsyncClient) -> None:
    """The requests in it have none of their own."""
    batch = {"requests": [{"method": "DELETE", "path": "/items/none"}]}
    answer = await client.post("/batch", json=batch, headers={"X-Request-ID": "of-all"})
    assert (answer.status_code, answer.json()["index"]) == (404, 0)
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "of-all"


async def test_scripts_of_other_origins_may_send_and_read_it(serve: Serve) -> None:
    """A refused preflight says it too."""
    client = serve(cors_origins="https://a.example")
    asked = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "X-Request-ID",
    }
    allowed = await client.options("/items/foo", headers=asked)
    assert allowed.status_code == 200
    assert "x-request-id" in allowed.headers["access-control-allow-headers"].lower()
    answer = await client.get(
        "/items/foo", headers={"Origin": "https://a.example", "X-Request-ID": "mine"}
    )
    assert answer.headers["x-request-id"] == "mine"
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    refused = await client.options("/items/foo", headers=asked | {"Origin": "https://b.example"})
    assert refused.status_code == 403
    assert refused.json()["request_id"] == refused.headers["x-request-id"] == "of-a-test"


async def test_a_route_that_was_added_knows_the_id(redis: FakeAsyncRedis) -> None:
    """What it logs has it; and what it answers with keeps an id that it chose itself."""
    app = create_app(redis=redis)
    seen = []

    @app.get("/own")
    async def own() -> None:
        seen.append(current_request.get())

    async with client_of(app) as client:
        answer = await client.get("/own", headers={"X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert seen == [b"mine"]
    assert current_request.get() is None
