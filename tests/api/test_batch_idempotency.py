"""Idempotency-Key of a batch: sent twice, carried out once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from itemstore.eventlog.appender import Appender
from tests.api.batches import check, delete, patch, post, put, responses, send
from tests.api.conftest import Events, Serve, problem
from tests.api.test_idempotency import same

KEY = {"idempotency-key": '"8e03978e"'}
ALL_KINDS = [
    put("a", {"size": 1}),
    patch("a", {"name": "x"}),
    check("a", if_match='"2"'),
    check("never", if_none_match="*"),
    post({"size": 3}),
    put("b", {}, prefer="return=minimal"),
    delete("a"),
]


@pytest.mark.parametrize("headers", [{}, {"prefer": "return=minimal"}])
async def test_a_repeated_batch_gets_the_first_answer(
    client: httpx.AsyncClient, events: Events, headers: dict[str, str]
) -> None:
    """To the header and the byte, whatever happened since; nothing is appended."""
    first = await send(client, *ALL_KINDS, **KEY, **headers)
    assert first.status_code == 200
    await client.put("/items/a", json={"size": 100})
    await client.put("/items/never", json={})

    again = await send(client, *ALL_KINDS, **KEY, **headers)

    assert same(first, again)
    assert len(await events()) == 5 + 2
    assert {each.meta.get("key") for each in (await events())[:5]} == {"8e03978e"}


@pytest.mark.parametrize(
    "other", [[put("a", {"size": 2})], [put("b", {"size": 1})], [put("a", {"size": 1})] * 2]
)
async def test_a_key_stands_for_one_batch(
    client: httpx.AsyncClient, events: Events, other: list[Any]
) -> None:
    """Another one under it is 422; so is a single request, either way."""
    first = put("a", {"size": 1})
    assert (await send(client, first, **KEY)).status_code == 200

    problem(await send(client, *other, **KEY), 422, "idempotency-key-reused")
    alone = await client.put("/items/a", json={"size": 1}, headers=KEY)
    problem(alone, 422, "idempotency-key-reused")
    other_key = {"idempotency-key": "k2"}
    assert (await client.put("/items/c", json={}, headers=other_key)).status_code == 201
    problem(await send(client, put("c", {}), **other_key), 422, "idempotency-key-reused")
    assert len(await events()) == 2


async def test_a_refused_batch_may_be_sent_again(client: httpx.AsyncClient, events: Events) -> None:
    """It changed nothing and is not remembered."""
    batch = [put("a", {}), patch("b", {"size": 1})]
    problem(await send(client, *batch, **KEY), 404, "item-not-found")
    await client.put("/items/b", json={})

    assert (await send(client, *batch, **KEY)).status_code == 200
    assert len(await events()) == 3


async def test_the_same_batch_at_once_is_carried_out_once(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The others are told to wait."""
    answers = await asyncio.gather(*(send(client, *ALL_KINDS, **KEY) for _ in range(10)))

    assert {each.status_code for each in answers} == {200, 409}
    for busy in (each for each in answers if each.status_code == 409):
        problem(busy, 409, "idempotency-key-in-use")
    assert len(await events()) == 5


@pytest.mark.parametrize(
    "batch",
    [
        ALL_KINDS,
        [put("new", {}, if_none_match="*"), put("old", {}, if_match='"1"')],
        [patch("old", {"size": 2}, if_match='"1"'), check("new", if_none_match="*")],
        [delete("old")],
    ],
)
async def test_what_another_process_carries_out_meanwhile_is_the_answer(
    client: httpx.AsyncClient, serve: Serve, events: Events, monkeypatch: pytest.MonkeyPatch,
    batch: list[Any],
) -> None:  # fmt: skip
    """Both look before either appends: one event each, and both get the first answer."""
    await client.put("/items/old", json={"size": 1})
    other = serve()
    first = await send(other, *batch, **KEY)
    assert first.status_code == 200
    before = len(await events())
    looks = 0
    look = Appender.outcomes

    async def early(self: Appender, key: Any) -> Any:
        nonlocal looks
        looks += 1
        return None if looks == 1 else await look(self, key)

    monkeypatch.setattr(Appender, "outcomes", early)

    again = await send(client, *batch, **KEY)

    assert same(first, again)
    assert looks == 2
    assert len(await events()) == before


async def test_a_batch_of_checks_alone_is_remembered_too(client: httpx.AsyncClient) -> None:
    """What they found then is the answer."""
    first = await send(client, check("a", if_none_match="*"), **KEY)
    await client.put("/items/a", json={})

    again = await send(client, check("a", if_none_match="*"), **KEY)

    assert responses(first) == [{"status": 404, "headers": {}}]
    assert same(first, again)


async def test_a_model_that_changed_since_changes_no_answer(serve: Serve) -> None:
    """What was stored is answered, also where it could not be stored now."""
    any_json, strict = serve(model="any"), serve()
    batch = [put("a", {"colour": "red"})]
    first = await send(any_json, *batch, **KEY)

    assert same(first, await send(strict, *batch, **KEY))
