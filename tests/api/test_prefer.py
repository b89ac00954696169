"""Prefer: a write answered without the item (RFC 7240 §4.2)."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.api.conftest import Events, problem
from tests.conftest import Unchanged

MINIMAL = {"Prefer": "return=minimal"}


async def test_a_minimal_answer_to_a_put_that_creates(
    client: httpx.AsyncClient, events: Events
) -> None:
    """201 without a body, and every header that tells of the write."""
    answer = await client.put("/items/foo", json={}, headers=MINIMAL)

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["preference-applied"] == "return=minimal"
    assert answer.headers["location"] == "/items/foo"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["content-length"] == "0"
    assert "content-type" not in answer.headers
    assert "content-location" not in answer.headers
    [created] = await events()
    assert answer.headers["event-id"] == created.id
    assert answer.headers["event-type"] == "ItemCreated"


async def test_a_minimal_answer_to_a_put_that_updates(
    client: httpx.AsyncClient, events: Events
) -> None:
    """204, as there is nothing to say but the headers."""
    await client.put("/items/foo", json={})

    answer = await client.put("/items/foo", json={}, headers=MINIMAL)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "return=minimal"
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["event-type"] == "ItemUpdated"
    assert "last-modified" in answer.headers
    assert "content-length" not in answer.headers
    assert len(await events()) == 2


async def test_a_minimal_answer_to_a_patch(client: httpx.AsyncClient) -> None:
    """204, and the item is patched."""
    await client.put("/items/foo", json={})

    answer = await client.patch(
        "/items/foo",
        content='{"size":2}',
        headers=MINIMAL | {"Content-Type": "application/merge-patch+json"},
    )

    assert (answer.status_code, answer.headers["etag"]) == (204, '"2"')
    assert (await client.get("/items/foo")).json()["size"] == 2


async def test_a_minimal_answer_to_a_post(client: httpx.AsyncClient) -> None:
    """201 without a body: the Location is all that the client needs."""
    answer = await client.post("/items", json={}, headers=MINIMAL)

    assert (answer.status_code, answer.content) == (201, b"")
    assert (await client.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize(
    "prefer",
    [
        "return=minimal",
        "Return=Minimal",
        'return="minimal"',
        "return = minimal",
        "respond-async, return=minimal",
        "return=minimal; foo=bar",
        "wait=10, return=minimal, handling=lenient",
        "return=minimal, return=representation",
        'foo="a, b", return=minimal',
    ],
)
async def test_the_preference_in_all_its_forms(client: httpx.AsyncClient, prefer: str) -> None:
    """Any case, quoted, among others; of two, the first counts (§2)."""
    answer = await client.put("/items/foo", json={}, headers={"Prefer": prefer})

    assert answer.content == b""
    assert answer.headers["preference-applied"] == "return=minimal"


async def test_a_preference_for_the_item(client: httpx.AsyncClient) -> None:
    """`return=representation` is what happens anyway, and is said to be applied."""
    answer = await client.put(
        "/items/foo", json={"size": 6}, headers={"Prefer": "return=representation"}
    )

    assert (answer.status_code, answer.json()["size"]) == (201, 6)
    assert answer.headers["preference-applied"] == "return=representation"


@pytest.mark.parametrize(
    "prefer",
    [
        "",
        "return",
        "return=",
        "return=none",
        "return=minimalistic",
        "noreturn=minimal",
        "respond-async",
        'note="return=minimal"',
        'note="x, return=minimal, y"',
        "foo; return=minimal",
        "return=bogus, return=minimal",
        "return, return=minimal",
        'return="", return=minimal',
        "return;x=1, return=minimal",
        "Return=other, return=minimal",
        "return=representation=minimal",
        "return=mini mal",
        "handling=strict, respond-async, wait=10",
    ],
)
async def test_other_preferences_do_not_count(client: httpx.AsyncClient, prefer: str) -> None:
    """What is not known or can't be read is ignored (§2)."""
    answer = await client.put("/items/foo", json={"size": 6}, headers={"Prefer": prefer})

    assert (answer.status_code, answer.json()["size"]) == (201, 6)
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    "fields",
    [
        ["return=minimal, return=representation"],
        ["return=minimal", "return=representation"],
        ["respond-async, wait=10", "RETURN=Minimal"],
        ['return = "minimal"; foo="a, return=representation"'],
        ['foo="a, \\", return=representation", return=minimal'],
        [",, return=minimal,"],
    ],
)
async def test_the_first_of_several_counts(client: httpx.AsyncClient, fields: list[str]) -> None:
    """RFC 7240 §2: of a preference that is named twice the first, in whatever field it stands."""
    answer = await client.put("/items/foo", json={}, headers=[("Prefer", each) for each in fields])

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["preference-applied"] == "return=minimal"


async def test_a_refusal_says_why_whatever_is_preferred(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A problem has a body, also where the client wants little."""
    await client.put("/items/foo", json={})

    async with unchanged():
        answer = await client.put("/items/foo", json={}, headers=MINIMAL | {"If-Match": '"9"'})

    problem(answer, 412, "unexpected-version")
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    "preference",
    ["a=" + " " * 30_000 + '"', "return=" + "\t" * 30_000 + "minimal x", "a" + " " * 30_000 + "x"],
)
async def test_a_long_preference_takes_no_longer_than_its_length(
    client: httpx.AsyncClient, preference: str
) -> None:
    """It took 16 seconds once, in which nobody else was answered; 2 are for a slow machine."""
    began = time.process_time()
    answer = await client.put("/items/foo", json={}, headers={"Prefer": preference})
    assert time.process_time() - began < 2
    assert answer.status_code == 201
    assert "preference-applied" not in answer.headers
