"""Scripts of other origins: only where the operator lists them."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import Role, create
from tests.api.conftest import Events, Serve, problem

OURS = "https://a.example"
THEIRS = "https://b.example"


def preflight(origin: str, method: str = "PUT", headers: str = "If-Match") -> dict[str, str]:
    """What a browser sends before the request of a script."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


def allowed(answer: httpx.Response) -> str | None:
    """The origin that may see the answer."""
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin


async def test_without_the_setting_no_other_origin_is_allowed(client: httpx.AsyncClient) -> None:
    """Neither before a request nor with one."""
    for answer in (
        await client.options("/items/foo", headers=preflight(OURS)),
        await client.put("/items/foo", json={}, headers={"Origin": OURS}),
        await client.get("/items/foo", headers={"Origin": OURS}),
    ):
        assert answer.is_success
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_listed_origin_may_send_every_method_with_our_header_fields(
    serve: Serve, redis: FakeAsyncRedis, method: str
) -> None:
    """The question before it needs no token; the request then does."""
    await create(Partition(redis, Keys()), "reader", Role.reader)
    client = serve(cors_origins=f"{THEIRS}x, {OURS}")
    asked = "authorization, content-type, if-match, idempotency-key, prefer"
    answer = await client.options("/items/foo", headers=preflight(OURS, method, asked))
    assert answer.status_code == 200
    assert allowed(answer) == OURS
    assert method in answer.headers["access-control-allow-methods"]
    names = answer.headers["access-control-allow-headers"].lower()
    assert all(name in names for name in asked.split(", "))
    assert "access-control-allow-credentials" not in answer.headers


async def test_answers_and_problems_show_their_header_fields_to_it(serve: Serve) -> None:
    """What a script needs of them: the tag, the event, where it is, when to come again."""
    client = serve(cors_origins=OURS)
    headers = {"Origin": OURS}
    created = await client.put("/items/foo", json={}, headers=headers)
    refused = await client.put("/items/foo", json={}, headers=headers | {"If-None-Match": "*"})
    missing = await client.get("/nowhere", headers=headers)
    problem(refused, 412, "unexpected-version")
    problem(missing, 404, "not-found")
    for answer in (created, refused, missing):
        assert allowed(answer) == OURS
        shown = answer.headers["access-control-expose-headers"].lower()
        assert all(name in shown for name in ("etag", "event-id", "location", "retry-after"))
        assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "asked",
    [preflight(THEIRS), preflight(OURS, "TRACE"), preflight(OURS, "PUT", "X-Other")],
    ids=["origin", "method", "header"],
)
async def test_what_is_not_allowed_is_a_problem(
    serve: Serve, asked: dict[str, str], events: Events
) -> None:
    """And a request that comes all the same is not shown to its script."""
    client = serve(cors_origins=OURS)
    refused = await client.options("/items/foo", headers=asked)
    problem(refused, 403, "cross-origin")
    assert refused.headers["x-content-type-options"] == "nosniff"
    answer = await client.get("/items/foo", headers={"Origin": THEIRS})
    assert allowed(answer) is None
    assert await events() == []


async def test_all_origins_may_be_allowed(serve: Serve) -> None:
    """Without the credentials of the browser, as always."""
    client = serve(cors_origins="*")
    answer = await client.put("/items/foo", json={}, headers={"Origin": THEIRS})
    assert allowed(answer) == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_an_answer_to_no_script_says_that_the_origin_counts(serve: Serve) -> None:
    """A cache would give it to a script otherwise, without the fields that allow it to be read."""
    answer = await serve(cors_origins=OURS).get("/items")
    assert "Origin" in answer.headers["vary"]
    assert allowed(answer) is None
