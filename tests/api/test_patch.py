"""PATCH: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from itemstore.api.app import ItemStore
from itemstore.domain.evolve import Item
from tests.api.conftest import SEVERAL, Events, Serve, problem
from tests.conftest import Unchanged

pytestmark = pytest.mark.partitions(1, SEVERAL)


MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


async def patch(
    client: httpx.AsyncClient, document: Any, media_type: str = MERGE_PATCH, **headers: str
) -> httpx.Response:
    """A PATCH of the item `foo`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.patch(
        "/items/foo", content=json.dumps(document), headers=named | {"Content-Type": media_type}
    )


@pytest.fixture
async def anything(serve: Serve) -> httpx.AsyncClient:
    """A client of a store that takes any JSON object."""
    return serve(model="any")


async def test_a_patch_updates_the_item(client: httpx.AsyncClient, events: Events) -> None:
    """200, the patched item, and an ItemUpdated with the whole of it."""
    await client.put("/items/foo", json={"name": "Foo", "size": 1})

    answer = await patch(client, {"size": 2})

    assert (answer.status_code, answer.json()) == (200, {"name": "Foo", "size": 2})
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["content-location"] == "/items/foo"
    assert "location" not in answer.headers
    updated = (await events())[-1]
    assert (answer.headers["event-id"], updated.type) == (updated.id, "ItemUpdated")
    assert (await client.get("/items/foo")).json() == {"name": "Foo", "size": 2}


# Appendix A of RFC 7396, those whose target and result are objects.
@pytest.mark.parametrize(
    ("target", "document", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
async def test_the_examples_of_rfc_7396(
    anything: httpx.AsyncClient, target: dict[str, Any], document: Any, result: dict[str, Any]
) -> None:
    """A merge patch does what the RFC's own examples say."""
    await anything.put("/items/foo", json=target)

    answer = await patch(anything, document)

    assert (answer.status_code, answer.json()) == (200, result)


@pytest.mark.parametrize("document", [["c"], None, "bar", 6])
async def test_a_merge_patch_that_makes_something_else_of_the_item_is_refused(
    anything: httpx.AsyncClient, unchanged: Unchanged, document: Any
) -> None:
    """RFC 7396 then replaces the whole target, which is no item any more: 422."""
    await anything.put("/items/foo", json={"a": "b"})

    async with unchanged():
        answer = await patch(anything, document)

    problem(answer, 422, "invalid-item")


# After appendix A of RFC 6902.
@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        (
            {"foo": "bar"},
            [{"op": "add", "path": "/baz", "value": "qux"}],
            {"foo": "bar", "baz": "qux"},
        ),
        (
            {"foo": ["bar", "baz"]},
            [{"op": "add", "path": "/foo/1", "value": "qux"}],
            {"foo": ["bar", "qux", "baz"]},
        ),
        ({"foo": ["a"]}, [{"op": "add", "path": "/foo/-", "value": ["b"]}], {"foo": ["a", ["b"]]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/b"}],
         {"a": {}, "c": {"b": 1}}),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a": 1}, [{"op": "add", "path": "/b", "value": 2, "xyz": 3}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
        ({"a": 1}, [{"op": "add", "path": "", "value": {}}], {}),
        ({"": 1}, [{"op": "replace", "path": "/", "value": 2}], {"": 2}),
        ({"a": 1}, [], {"a": 1}),
    ],
)  # fmt: skip
async def test_each_operation_of_rfc_6902(
    anything: httpx.AsyncClient, target: Any, operations: list[Any], result: dict[str, Any]
) -> None:
    """add, remove, replace, move, copy and test do what the RFC says."""
    await anything.put("/items/foo", json=target)

    answer = await patch(anything, operations, JSON_PATCH)

    assert (answer.status_code, answer.json()) == (200, result)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": "1"},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/none", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "add", "path": "/none/b", "value": 1},
        {"op": "add", "path": "/list/5", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "remove", "path": "/list/-"},
        {"op": "remove", "path": ""},
        {"op": "move", "from": "/none", "path": "/b"},
        {"op": "move", "from": "/object", "path": "/object/inside"},
        {"op": "copy", "from": "/none", "path": "/b"},
    ],
)
async def test_an_operation_that_does_not_fit_the_item_is_a_conflict(
    anything: httpx.AsyncClient, unchanged: Unchanged, operation: dict[str, Any]
) -> None:
    """A failed test, or a path that is not there: 409, and which operation it was."""
    await anything.put("/items/foo", json={"a": 1, "list": [], "object": {"x": 1}})

    async with unchanged():
        answer = await patch(
            anything, [{"op": "add", "path": "/done", "value": 1}, operation], JSON_PATCH
        )

    assert problem(answer, 409, "patch-conflict")["operation"] == 1


async def test_a_failed_test_says_where_and_not_what_python_calls_it(
    anything: httpx.AsyncClient,
) -> None:
    """The path, for a value that is another and for one that is not there."""
    await anything.put("/items/foo", json={"a": {"b": 1}})
    for path, reason in (
        ("/a", "what is there is not what the test wants"),
        ("/none", "the item has no member 'none'"),
    ):
        answer = await patch(anything, [{"op": "test", "path": path, "value": 1}], JSON_PATCH)
        detail = problem(answer, 409, "patch-conflict")["detail"]
        assert detail == f"Operation 0 (test '{path}') does not fit the item: {reason}."


@pytest.mark.parametrize(
    "document",
    [
        {},
        "text",
        None,
        [1],
        [[]],
        [{}],
        [{"op": "add"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "add", "path": "/~2", "value": 1}],
        [{"op": "add", "path": 1, "value": 1}],
        [{"op": "spam", "path": "/a"}],
        [{"op": ["add"], "path": "/a"}],
        [{"op": "move", "path": "/a"}],
        [{"op": "copy", "path": "/a"}],
        [{"op": "copy", "path": "/a", "from": "b"}],
        [{"op": "copy", "path": "/a", "from": None}],
        [{"op": "move", "path": "/a", "from": {}}],
        [{"op": "test", "path": "/a"}],
        [{"op": "test", "path": "/a", "value": 1}] * 1001,
    ],
)
async def test_a_json_patch_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, document: Any
) -> None:
    """JSON, but no list of operations: 400."""
    await client.put("/items/foo", json={"size": 1})

    async with unchanged():
        answer = await patch(client, document, JSON_PATCH)

    problem(answer, 400, "malformed-patch")


@pytest.mark.parametrize("media_type", [MERGE_PATCH, JSON_PATCH])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'[{"op": "add", "op": "test"}]',
        b"\xff",
        b'{"name": "\\ud800"}',
        b'{"size": NaN}',
    ],
)
async def test_a_patch_that_is_not_json_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, media_type: str, body: bytes
) -> None:
    """400, as for a PUT."""
    await client.put("/items/foo", json={"size": 1})

    async with unchanged():
        answer = await client.patch(
            "/items/foo", content=body, headers={"Content-Type": media_type}
        )

    problem(answer, 400, "malformed-json")


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({"size": "large"}, MERGE_PATCH),
        ({"colour": "red"}, MERGE_PATCH),
        ([{"op": "add", "path": "/colour", "value": "red"}], JSON_PATCH),
        ([{"op": "replace", "path": "", "value": []}], JSON_PATCH),
        ([{"op": "replace", "path": "", "value": None}], JSON_PATCH),
    ],
)
async def test_a_result_that_the_model_refuses_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, document: Any, media_type: str
) -> None:
    """422, with pointers into the patched item."""
    await client.put("/items/foo", json={"size": 1})

    async with unchanged():
        answer = await patch(client, document, media_type)

    assert problem(answer, 422, "invalid-item")["errors"]


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
async def test_another_media_type_is_told_those_that_are_read(
    client: httpx.AsyncClient, unchanged: Unchanged, media_type: str
) -> None:
    """415 with Accept-Patch (RFC 5789 §2.2)."""
    await client.put("/items/foo", json={"size": 1})

    async with unchanged():
        answer = await patch(client, {}, media_type)

    problem(answer, 415, "unsupported-media-type")
    assert answer.headers["accept-patch"] == f"{MERGE_PATCH}, {JSON_PATCH}"


@pytest.mark.parametrize("deleted", [False, True])
async def test_there_is_nothing_to_patch_where_there_is_no_item(
    client: httpx.AsyncClient, unchanged: Unchanged, *, deleted: bool
) -> None:
    """404, and nothing is created."""
    if deleted:
        await client.put("/items/foo", json={})
        await client.delete("/items/foo")

    async with unchanged():
        answer = await patch(client, {"size": 2})

    problem(answer, 404, "item-deleted" if deleted else "item-not-found")


async def test_a_patch_without_the_demanded_condition_is_refused(
    client: httpx.AsyncClient, serve: Serve, unchanged: Unchanged
) -> None:
    """428, and with the condition 200."""
    await client.put("/items/foo", json={})
    strict = serve(require_conditions=True)

    async with unchanged():
        answer = await patch(strict, {"size": 2})

    problem(answer, 428, "precondition-required")
    assert (await patch(strict, {"size": 2}, if_match='"1"')).status_code == 200


async def test_copies_of_copies_end_at_the_largest_body(
    anything: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """Forty doublings, which would be a terabyte, are stopped: 413."""
    await anything.put("/items/foo", json={"a": ["x"]})
    double = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40

    async with unchanged():
        answer = await asyncio.wait_for(patch(anything, double, JSON_PATCH), timeout=5)

    problem(answer, 413, "content-too-large")


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({"b": "x" * 60}, MERGE_PATCH),
        ([{"op": "add", "path": "/b", "value": "x" * 40}], JSON_PATCH),
    ],
)
async def test_a_patched_item_is_no_larger_than_a_body_may_be(
    serve: Serve, unchanged: Unchanged, document: Any, media_type: str
) -> None:
    """What PUT would not take, PATCH does not make: 413."""
    client = serve(model="any", max_body=100)
    await client.put("/items/foo", json={"a": "x" * 60})

    async with unchanged():
        answer = await patch(client, document, media_type)

    assert problem(answer, 413, "content-too-large")["limit"] == 100


@pytest.fixture
def interrupted(app: ItemStore, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer comes between the first read of a PATCH and its append."""
    assert app.context is not None
    read, waiting = type(app.context.store.collections["items"].items).get, [{"name": "Other"}]

    async def get(self: Any, item: str) -> Item | None:
        found: Item | None = await read(self, item)
        if waiting:
            await client.put("/items/foo", json=waiting.pop())
        return found

    monkeypatch.setattr(type(app.context.store.collections["items"].items), "get", get)


@pytest.mark.usefixtures("interrupted")
async def test_a_patch_begins_again_when_another_writer_came_between(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The other's change is not lost: the patch is made on what the item is then."""
    await client.put("/items/foo", json={"name": "Foo", "size": 1})

    answer = await patch(client, {"size": 2})

    assert (answer.status_code, answer.json()) == (200, {"name": "Other", "size": 2})
    assert [event.version for event in await events()] == [1, 2, 3]


@pytest.mark.usefixtures("interrupted")
async def test_a_patch_with_if_match_does_not_begin_again(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The caller said which version it means: 412 with the version that is there."""
    await client.put("/items/foo", json={"name": "Foo", "size": 1})

    answer = await patch(client, {"size": 2}, if_match='"1"')

    assert problem(answer, 412, "unexpected-version")["version"] == 2
    assert [event.version for event in await events()] == [1, 2]


async def test_concurrent_patches_all_take_effect(
    client: httpx.AsyncClient, serve: Serve, events: Events
) -> None:
    """Twenty patches of twenty members at once: none overwrites another."""
    anything = serve(model="any")
    await client.put("/items/foo", json={})

    answers = await asyncio.gather(*(patch(anything, {f"m{n}": n}) for n in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    members = (await client.get("/items/foo")).json()
    assert {name: members[name] for name in members if name.startswith("m")} == {
        f"m{n}": n for n in range(20)
    }
    assert len(await events()) == 21
