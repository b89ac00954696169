"""`/items/{id}/revert`: an earlier version brought back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import SEVERAL, Events, Serve, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)


async def revert(
    client: httpx.AsyncClient, version: Any, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Asks for `foo` as the version left it."""
    return await client.post("/items/foo/revert", json={"version": version}, headers=headers)


async def test_a_revert_is_an_ordinary_write_of_the_old_body(
    changed: httpx.AsyncClient, events: Events
) -> None:
    """200 with an ItemUpdated at the end of the log; nothing is taken back."""
    answer = await revert(changed, 2)
    assert (answer.status_code, answer.headers["event-type"]) == (200, "ItemUpdated")
    assert answer.headers["etag"] == '"5"'
    assert answer.text == (await changed.get("/items/foo/versions/2")).text
    last = (await events())[-1]
    assert (last.id, last.version) == (answer.headers["event-id"], 5)


async def test_a_revert_after_a_delete_makes_the_item_again(changed: httpx.AsyncClient) -> None:
    """201 with an ItemCreated, and the item's Location."""
    await changed.delete("/items/foo")
    answer = await revert(changed, 1)
    assert (answer.status_code, answer.headers["event-type"]) == (201, "ItemCreated")
    assert answer.headers["location"] == "/items/foo"
    assert (await changed.get("/items/foo")).headers["etag"] == '"6"'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-match": '"4"'}, 200),
        ({"if-match": '"3"'}, 412),
        ({"if-match": "*"}, 200),
        ({"if-none-match": "*"}, 412),
        ({"if-none-match": '"3"'}, 200),
        ({"if-match": "4"}, 400),
        ({"prefer": "return=minimal"}, 204),
    ],
)
async def test_a_revert_takes_conditions_and_preferences(
    changed: httpx.AsyncClient, events: Events, headers: dict[str, str], status: int
) -> None:
    """As a PUT does; one that is refused appends nothing."""
    before = len(await events())
    assert (await revert(changed, 1, headers)).status_code == status
    assert len(await events()) == before + (status < 300)


async def test_a_repeated_revert_under_one_key_is_one_event(
    changed: httpx.AsyncClient, events: Events
) -> None:
    """Idempotency-Key: the first answer again."""
    headers = {"idempotency-key": "undo-1"}
    first, second = [await revert(changed, 1, headers) for _ in range(2)]
    assert first.headers["event-id"] == second.headers["event-id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await events()) == 5


@pytest.mark.parametrize(
    ("version", "status", "slug"),
    [(3, 404, "item-deleted"), (5, 404, "version-not-found"), (2**70, 422, "invalid-item")],
)
async def test_there_is_no_way_back_to_what_is_no_version(
    changed: httpx.AsyncClient, events: Events, version: int, status: int, slug: str
) -> None:
    """A deleted version, one that is not there yet; nothing is appended."""
    problem(await revert(changed, version), status, slug)
    assert len(await events()) == 4


async def test_what_never_existed_can_t_be_reverted(client: httpx.AsyncClient) -> None:
    """404 `item-not-found`, and it still does not exist."""
    problem(await revert(client, 1), 404, "item-not-found")
    problem(await client.get("/items/foo"), 404, "item-not-found")


@pytest.mark.parametrize(
    "document",
    [b"{}", b"1", b"[]", b'{"version":"1"}', b'{"version":true}', b'{"version":1.5}',
     b'{"version":0}', b'{"version":-1}', b'{"version":null}', b'{"version":1,"size":2}'],
)  # fmt: skip
async def test_a_revert_wants_a_version_and_nothing_else(
    changed: httpx.AsyncClient, events: Events, document: bytes
) -> None:
    """422 with a pointer to it, and nothing is appended."""
    headers = {"content-type": "application/json"}
    answer = await changed.post("/items/foo/revert", content=document, headers=headers)
    assert problem(answer, 422, "invalid-item")["errors"][0]["pointer"] == "/version"
    assert len(await events()) == 4


async def test_a_version_that_today_s_model_refuses_does_not_come_back(
    serve: Serve, client: httpx.AsyncClient
) -> None:
    """422: the model may have changed since."""
    free = serve(model="any")
    await free.put("/items/foo", json={"colour": "red"})
    await free.put("/items/foo", json={"size": 1})
    problem(await revert(client, 1), 422, "invalid-item")
