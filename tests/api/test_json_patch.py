"""JSON Patch (RFC 6902): the suite of its authors, patches that go wrong, and what is said then."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import httpx
import jsonpatch
import jsonpointer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.api.http.json_patch import carried_out, operations
from itemstore.api.http.problems import Problem
from itemstore.projections.current_items import CurrentItems
from tests.api.conftest import Events, Serve, problem
from tests.conftest import Unchanged

DATA = Path(__file__).parents[3] / "shared" / "data"

JSON_PATCH = {"content-type": "application/json-patch+json"}
MERGE_PATCH = {"content-type": "application/merge-patch+json"}


@pytest.fixture
def anything(serve: Serve) -> httpx.AsyncClient:
    """A client of a store that takes any JSON object."""
    return serve(model="any")


def patched(value: Any, patch: Any) -> Any:
    """What the patch makes of a copy of the value. Raises Problem."""
    return carried_out(copy.deepcopy(value), operations(patch), limit=1_000_000)


@pytest.mark.parametrize("name", ["json-patch-tests.json", "json-patch-spec-tests.json"])
def test_the_suite_of_json_patch(name: str) -> None:
    """Each case gives what it says, or is refused where it says so."""
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not beside this checkout")
    cases = json.loads((DATA / name).read_text())
    for case in cases:
        if case.get("disabled") or "patch" not in case:
            continue
        if "error" in case:
            with pytest.raises(Problem):
                patched(case["doc"], case["patch"])
        else:
            result = patched(case["doc"], case["patch"])
            assert result == case.get("expected", result), case


KEYS = st.sampled_from(["a", "b", "", "~", "/", "0", "-"])
VALUES = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
POINTERS = st.lists(KEYS | st.sampled_from(["1", "2", "01", "-1"]), max_size=3).map(
    lambda parts: jsonpointer.JsonPointer.from_parts(parts).path
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "replace", "remove", "move", "copy", "test"]),
            "path": POINTERS,
            "from": POINTERS,
            "value": VALUES,
        }
    ),
    max_size=4,
)


@settings(max_examples=400)
@given(value=VALUES, patch=OPERATIONS)
def test_what_another_library_makes_of_it_is_made_here(value: Any, patch: Any) -> None:
    """Where jsonpatch refuses, it is refused; but for its ways with `-` and with the root."""
    before = copy.deepcopy(patch)
    try:
        result = patched(value, patch)
    except Problem:
        for number in range(1, len(patch) + 1):  # the operation that is refused, and no other
            try:
                patched(value, patch[:number])
            except Problem:
                break
        last = patch[number - 1]
        reads_end = last["from"].endswith("/-") or last["path"].endswith("/-")
        if not (reads_end or (last["op"] == "remove" and last["path"] == "")):
            with pytest.raises((jsonpatch.JsonPatchException, jsonpointer.JsonPointerException)):
                jsonpatch.apply_patch(value, before[:number])
    else:
        assert result == jsonpatch.apply_patch(value, before)
    assert patch == before


LONG = "x" * 10_000
DEEP: Any = json.loads("[" * 198 + "]" * 198)

CONFLICTS: list[tuple[Any, list[dict[str, Any]], int, str]] = [
    ({"foo": ["bar"]}, [{"op": "copy", "from": "/foo/-", "path": "/z"}], 0,
     "copy '/z': - is after the last element of what is at '/foo', and nothing is there"),
    ({"a": 1}, [{"op": "replace", "path": "", "value": [1]},
                {"op": "copy", "from": "/-", "path": ""}], 1,
     "copy '': - is after the last element of the item, and nothing is there"),
    ({"iban": "DE00 1234"}, [{"op": "copy", "from": "/nope", "path": "/x"}], 0,
     "copy '/x': the item has no member 'nope'"),
    ({"a": None}, [{"op": "add", "path": "/a/b/c", "value": 1}], 0,
     "add '/a/b/c': what is at '/a' is neither an object nor a list"),
    ({"a": {}}, [{"op": "move", "from": "/a", "path": "/a/b"}], 0,
     "move '/a/b': it would move what is at '/a' into itself"),
    ({"a": {}}, [{"op": "move", "from": "", "path": "/a"}], 0,
     "move '/a': it would move the item into itself"),
    ({"a": [1]}, [{"op": "remove", "path": "/a/" + "9" * 5000}], 0,
     f"remove '/a/{'9' * 57}…': '{'9' * 60}…' is no index, and what is at '/a' is a list"),
    ({"a": [1]}, [{"op": "replace", "path": "/a/1", "value": 1}], 0,
     "replace '/a/1': what is at '/a' has 1 elements, and 1 is after them"),
    ({"a": [1]}, [{"op": "test", "path": "/a/00", "value": 1}], 0,
     "test '/a/00': '00' is no index, and what is at '/a' is a list"),
    ({"a": [1]}, [{"op": "test", "path": "/a/\u0661", "value": 1}], 0,
     "test '/a/\u0661': '\u0661' is no index, and what is at '/a' is a list"),
    ({"a": 1}, [{"op": "remove", "path": ""}], 0,
     "remove '': an item can't be without a body; DELETE deletes it"),
    ({"a": 1}, [{"op": "test", "path": "", "value": {"a": True}}], 0,
     "test '': what is there is not what the test wants"),
    ({LONG: 1}, [{"op": "add", "path": f"/{LONG}/x", "value": 1}], 0,
     f"add '/{'x' * 59}…': what is at '/{'x' * 59}…' is neither an object nor a list"),
]  # fmt: skip


@pytest.mark.parametrize("conflict", CONFLICTS, ids=lambda conflict: conflict[3][:30])
async def test_a_conflict_says_which_operation_and_what_is_missing(
    anything: httpx.AsyncClient, unchanged: Unchanged, conflict: tuple[Any, Any, int, str]
) -> None:
    """409 in one short line: no value of the item, and none of Python's words."""
    item, patch, number, sentence = conflict
    await anything.put("/items/foo", json=item)

    async with unchanged():
        answer = await anything.patch("/items/foo", content=json.dumps(patch), headers=JSON_PATCH)

    content = problem(answer, 409, "patch-conflict")
    assert content["operation"] == number
    operation, _, reason = sentence.partition(": ")
    expected = f"Operation {number} ({operation}) does not fit the item: {reason}."
    assert content["detail"] == expected


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (1, "it is not an object"),
        ({"op": "spam", "path": ""}, "op must be one of add, copy, move, remove, replace, test"),
        ({"op": [], "path": ""}, "op must be one of add, copy, move, remove, replace, test"),
        ({"op": "remove"}, "remove needs path"),
        ({"op": "add", "path": ""}, "add needs value"),
        ({"op": "copy", "path": ""}, "copy needs from"),
        ({"op": "copy", "path": "", "from": 1}, "from must be a JSON Pointer"),
        ({"op": "remove", "path": None}, "path must be a JSON Pointer"),
        ({"op": "remove", "path": "a"}, "path must be a JSON Pointer"),
        ({"op": "remove", "path": "/~"}, "path must be a JSON Pointer"),
        ({"op": "remove", "path": "/~2" * 10_000}, "path must be a JSON Pointer"),
    ],
)
async def test_an_operation_that_can_t_be_read_is_named(
    anything: httpx.AsyncClient, unchanged: Unchanged, operation: Any, reason: str
) -> None:
    """400 with its number, and what it lacks."""
    await anything.put("/items/foo", json={"a": 1})
    patch = [{"op": "test", "path": "/a", "value": 1}, operation]

    async with unchanged():
        answer = await anything.patch("/items/foo", content=json.dumps(patch), headers=JSON_PATCH)

    detail = problem(answer, 400, "malformed-patch")["detail"]
    assert detail.startswith(f"Operation 1 can't be read: {reason}")
    assert len(detail) < 200


@pytest.mark.parametrize(
    ("patch", "fits"),
    [
        ([{"op": "add", "path": "/a", "value": DEEP}], True),
        ([{"op": "add", "path": "/a", "value": DEEP}, {"op": "add", "path": "/b", "value": []},
          {"op": "move", "from": "/a", "path": "/b/0"}], True),
        ([{"op": "add", "path": "/a", "value": DEEP}, {"op": "add", "path": "/b", "value": [[]]},
          {"op": "move", "from": "/a", "path": "/b/0/0"}], False),
        ([{"op": "add", "path": "/a", "value": DEEP}, {"op": "copy", "from": "", "path": "/b"}],
         True),
        ([{"op": "add", "path": "/a", "value": DEEP}, {"op": "copy", "from": "", "path": "/b"},
          {"op": "copy", "from": "", "path": "/c"}], False),
        ([{"op": "copy", "from": "", "path": "/b"}] * 14, True),
        ([{"op": "copy", "from": "", "path": "/b"},
          {"op": "replace", "path": "", "value": {}}] * 400, True),
    ],
)  # fmt: skip
async def test_a_patched_item_is_no_deeper_than_a_body_may_be(
    anything: httpx.AsyncClient, unchanged: Unchanged, patch: Any, *, fits: bool
) -> None:
    """422 that names the limit, whichever operation went past it."""
    await anything.put("/items/foo", json={})
    if fits:
        answer = await anything.patch("/items/foo", content=json.dumps(patch), headers=JSON_PATCH)
        assert answer.status_code == 200
        return

    async with unchanged():
        answer = await anything.patch("/items/foo", content=json.dumps(patch), headers=JSON_PATCH)

    assert "more than 200 levels" in problem(answer, 422, "invalid-item")["detail"]


async def test_moves_that_make_an_item_very_deep_and_copy_that_are_refused(
    anything: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """Deeper than Python can go: 409, and no error of the server."""
    chain: list[Any] = [{"op": "add", "path": "/x", "value": DEEP}]
    for _ in range(60):
        chain += [
            {"op": "add", "path": "/y", "value": DEEP},
            {"op": "move", "from": "/x", "path": f"/y{'/0' * 197}/0"},
            {"op": "move", "from": "/y", "path": "/x"},
        ]
    chain.append({"op": "copy", "from": "/x", "path": "/z"})
    await anything.put("/items/foo", json={})

    async with unchanged():
        answer = await anything.patch("/items/foo", content=json.dumps(chain), headers=JSON_PATCH)

    assert answer.status_code in {409, 422}  # by how deep this Python can go
    assert "nested" in answer.json()["detail"]


@pytest.mark.parametrize("depth", [201, 970, 9900, 100_000])
@pytest.mark.parametrize("headers", [MERGE_PATCH, JSON_PATCH])
async def test_a_patch_is_no_deeper_than_a_body_may_be(
    anything: httpx.AsyncClient, unchanged: Unchanged, depth: int, headers: dict[str, str]
) -> None:
    """400 that names the limit, on every Python."""
    await anything.put("/items/foo", json={"a": 1})
    body = b'{"a":' * depth + b"1" + b"}" * depth
    if headers is JSON_PATCH:
        body = b'[{"op":"add","path":"/a","value":%s}]' % body

    async with unchanged():
        answer = await anything.patch("/items/foo", content=body, headers=headers)

    assert "more than 200 levels" in problem(answer, 400, "malformed-json")["detail"]


async def test_a_merge_patch_as_deep_as_a_body_may_be(anything: httpx.AsyncClient) -> None:
    """It is merged to its end, and once more onto what it made."""
    body = b'{"a":' * 200 + b"1" + b"}" * 200
    await anything.put("/items/foo", json={"a": 1})
    for _ in range(2):
        answer = await anything.patch("/items/foo", content=body, headers=MERGE_PATCH)
        assert (answer.status_code, answer.content) == (200, body)


async def test_a_patch_that_is_carried_out_again_begins_with_its_own_values(
    anything: httpx.AsyncClient, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an operation added, and a later one changed, is as it was sent, the second time too."""
    await anything.put("/items/foo", json={})
    read, waiting = CurrentItems.get, [{"other": True}]

    async def get(self: CurrentItems, item: str) -> Any:
        found = await read(self, item)
        if waiting:
            await anything.put("/items/foo", json=waiting.pop())
        return found

    monkeypatch.setattr(CurrentItems, "get", get)
    patch = [{"op": "add", "path": "/l", "value": []}, {"op": "add", "path": "/l/-", "value": 1}]

    answer = await anything.patch("/items/foo", content=json.dumps(patch), headers=JSON_PATCH)

    assert answer.json() == {"other": True, "l": [1]}
    assert len(await events()) == 3
