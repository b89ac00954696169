"""`/items/{id}/versions/{n}/diff`: two versions compared."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from typing import Any

import httpx
import jsonpatch
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from itemstore.api.app import create_app
from itemstore.api.http.json_patch import carried_out, operations
from itemstore.store.settings import Settings
from tests.api.conftest import Serve, client_of, problem

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, -1.0, 1.5, 2**70, 1e300, "", "1", "a/b~c", "é"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "a/b", "~0", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(["a", "b", "c/~", ""]), VALUES, max_size=3)


@pytest.fixture
def free(serve: Serve) -> httpx.AsyncClient:
    """A client of a store whose items are any JSON objects."""
    return serve(model="any")


@settings(max_examples=150)
@given(old=BODIES, new=BODIES)
@example(old={"a": True}, new={"a": 1})
@example(old={"a": [1]}, new={"a": [1.0]})
@example(old={"a": [[0, False]]}, new={"a": [[False, 0.0]]})
@example(old={"a": [{"b": 1}, {"b": True}]}, new={"a": [{"b": True}, {"b": 1.0}]})
@example(old={"a": 1, "b": True}, new={"b": 1, "a": True})
def test_a_diff_applied_to_the_old_body_gives_the_new(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    """Exactly: 1, 1.0 and true are three values, which Python takes for one."""

    async def ask() -> httpx.Response:
        app = create_app(Settings(model="any"), redis=FakeAsyncRedis(server=FakeServer()))
        async with client_of(app) as client:
            await client.put("/items/foo", json=old)
            await client.put("/items/foo", json=new)
            return await client.get("/items/foo/versions/2/diff")

    answer = asyncio.run(ask())
    assert answer.headers["content-type"] == "application/json-patch+json"
    patched = jsonpatch.apply_patch(old, answer.json())
    assert json.dumps(patched, sort_keys=True) == json.dumps(new, sort_keys=True)


NUMBERS = list(range(60_000))
DEEPER = json.loads("[" * 190 + json.dumps(NUMBERS) + "]" * 190)
LONG_NAMES = {"k" * 5000: {f"m{n}": 0 for n in range(999)}}


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (NUMBERS, [-1, *NUMBERS], 1),
        (NUMBERS, NUMBERS[:500] + NUMBERS[501:], 1),
        (NUMBERS, NUMBERS[::-1], 1),
        ([0] * 150_000, [1] * 150_000, 1),
        ({f"k{n}": n for n in range(40_000)}, {f"k{n}": n + 1 for n in range(40_000)}, 1),
        ({f"k{n}": n for n in range(40_000)}, {f"k{n}": n + (n < 999) for n in range(40_000)}, 999),
        ([[]] * 100_000, [[[]]] * 100_000, 1),
        (DEEPER, [DEEPER], 1),
        ([{"id": n, "tags": ["a"]} for n in range(9_000)],
         [{"id": n, "tags": ["a"]} for n in range(9_000) if n % 9_000], 1),
        (LONG_NAMES, {name: dict.fromkeys(inner, 1) for name, inner in LONG_NAMES.items()}, 1),
    ],
)  # fmt: skip
async def test_a_diff_of_large_versions_is_short_and_right(
    free: httpx.AsyncClient, old: Any, new: Any, count: int
) -> None:
    """In linear time, and with no more operations than PATCH takes: a part is replaced then."""
    await free.put("/items/foo", json={"a": old})
    await free.put("/items/foo", json={"a": new})
    began = time.perf_counter()

    patch = (await free.get("/items/foo/versions/2/diff")).json()

    assert time.perf_counter() - began < 20  # it was 30 to 90 s, for each of them
    assert len(patch) == count
    assert carried_out({"a": copy.deepcopy(old)}, operations(patch), 0) == {"a": new}


async def test_a_diff_is_a_patch_that_the_store_takes(free: httpx.AsyncClient) -> None:
    """Sent back as a PATCH of the old body, it makes the new one."""
    await free.put("/items/foo", json={"list": [1, 2, 3], "a/b": {"~": True}})
    await free.put("/items/foo", json={"list": [3, 1.0, True], "c": None})
    diff = await free.get("/items/foo/versions/2/diff")
    await free.post("/items/foo/revert", json={"version": 1})
    headers = {"content-type": diff.headers["content-type"]}
    answer = await free.patch("/items/foo", content=diff.content, headers=headers)
    assert answer.text == '{"list":[3,1.0,true],"c":null}'


async def test_any_two_versions_can_be_compared(changed: httpx.AsyncClient) -> None:
    """In either direction, and with themselves; for ever, as neither changes."""
    answer = await changed.get("/items/foo/versions/4/diff?from=1")
    assert answer.json() == [{"op": "replace", "path": "/size", "value": 4}]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    backwards = await changed.get("/items/foo/versions/1/diff?from=4")
    assert backwards.json() == [{"op": "replace", "path": "/size", "value": 1}]
    assert (await changed.get("/items/foo/versions/2/diff?from=2")).json() == []


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("versions/1/diff", 422, "invalid-parameter"),
        ("versions/1/diff?from=0", 422, "invalid-parameter"),
        ("versions/1/diff?from=x", 422, "invalid-parameter"),
        ("versions/1/diff?from_=1", 422, "invalid-parameter"),
        ("versions/3/diff", 404, "item-deleted"),
        ("versions/4/diff", 404, "item-deleted"),
        ("versions/4/diff?from=9", 404, "version-not-found"),
        ("versions/9/diff?from=1", 404, "version-not-found"),
    ],
)
async def test_what_can_t_be_compared_is_refused(
    changed: httpx.AsyncClient, path: str, status: int, slug: str
) -> None:
    """The first version without `from`, a deleted one, one that is not there."""
    problem(await changed.get(f"/items/foo/{path}"), status, slug)


async def test_the_first_version_needs_another_to_be_compared_with(
    changed: httpx.AsyncClient,
) -> None:
    """The problem names the parameter that is missing."""
    answer = await changed.get("/items/foo/versions/1/diff")
    [error] = problem(answer, 422, "invalid-parameter")["errors"]
    assert error["parameter"] == "from"
