"""Bodies: which are taken, and that they come back as what they were (RFC 8259)."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from tests.api.conftest import Events, Serve, problem
from tests.conftest import Unchanged

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def anything(serve: Serve) -> httpx.AsyncClient:
    """A client of a store that takes any JSON object."""
    return serve(model="any")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"name": "a",}',
        b"{'name': 'a'}",
        b'{"name": "a"} {}',
        b'{"name": "a"}x',
        b'{"size": NaN}',
        b'{"size": Infinity}',
        b'{"size": -Infinity}',
        b'{"size": 1e999}',
        b'{"size": 01}',
        b'{"size": +1}',
        b'{"size": .5}',
        b'{"size": 0x10}',
        b'{"size": ' + b"1" * 5000 + b"}",
        b'{"name": "a", "name": "b"}',
        b'{"name": "a", "na\\u006de": "b"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udc00\\ud800"}',
        b'{"\\ud800": "a"}',
        b'{"name": "\\u12"}',
        b'{"name": "a\nb"}',
        b'{"name": "\x00"}',
        b'{"name": "\xff"}',
        b'{"name": "\xc0\xaf"}',
        b'{"name": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "é"}'.encode("latin-1"),
        '{"name": "a"}'.encode("utf-16"),
        b"nul",
        b"// a comment\n{}",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("model", [None, "any"])
async def test_what_is_not_json_is_refused(
    serve: Serve, unchanged: Unchanged, body: bytes, model: str | None
) -> None:
    """Not JSON, not UTF-8, a lone surrogate, NaN, a key twice, nothing at all: 400."""
    async with unchanged():
        answer = await serve(model=model).put("/items/foo", content=body, headers=JSON)

    assert problem(answer, 400, "malformed-json")["detail"].startswith("The body is not JSON: ")


async def test_a_byte_order_mark_is_named(client: httpx.AsyncClient) -> None:
    """It can't be seen, and JSON has none (RFC 8259 §8.1)."""
    answer = await client.put("/items/foo", content=b"\xef\xbb\xbf{}", headers=JSON)
    assert "byte order mark" in problem(answer, 400, "malformed-json")["detail"]


async def test_a_key_that_stands_twice_is_named(client: httpx.AsyncClient) -> None:
    """The sentence says which key, however deep it is."""
    body = b'{"name": {"a": [{"twice": 1, "twice": 2}]}}'

    answer = await client.put("/items/foo", content=body, headers=JSON)

    assert "'twice'" in problem(answer, 400, "malformed-json")["detail"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"colour": "red"}, ["/colour"]),
        ({"name": 1}, ["/name"]),
        ({"size": "6"}, ["/size"]),
        ({"size": 6.5}, ["/size"]),
        ({"size": True}, ["/size"]),
        ({"name": [], "size": {}}, ["/name", "/size"]),
        ({"a/b": 1, "c~d": 2}, ["/a~1b", "/c~0d"]),
        ({"": 1}, ["/"]),
        ([], [""]),
        ("text", [""]),
        (None, [""]),
        (6, [""]),
    ],
)
async def test_json_that_the_model_refuses_is_pointed_at(
    client: httpx.AsyncClient, unchanged: Unchanged, body: Any, pointers: list[str]
) -> None:
    """Each error has a JSON Pointer (RFC 6901) to its place: 422."""
    async with unchanged():
        answer = await client.put("/items/foo", content=json.dumps(body), headers=JSON)

    errors = problem(answer, 422, "invalid-item")["errors"]
    assert [error["pointer"] for error in errors] == pointers
    assert all(error["detail"] for error in errors)


@pytest.mark.parametrize("body", [[], "text", None, 6, 1.5, True])
async def test_any_json_object_means_an_object(
    anything: httpx.AsyncClient, unchanged: Unchanged, body: Any
) -> None:
    """Without a model too, an item is an object."""
    async with unchanged():
        answer = await anything.put("/items/foo", content=json.dumps(body), headers=JSON)

    problem(answer, 422, "invalid-item")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None, "size": None},
        {"name": "Foo"},
        {"size": 0},
        {"size": -1},
        {"size": 12345678901234567890, "name": "é😀"},
        {"size": 10**400},
        {"name": ""},
        {"name": '\x00\x1f"\\/\u2028\ud7ff\uffff'},
        {"name": "e\u0301"},
    ],
)
async def test_an_item_comes_back_as_it_went_in(
    client: httpx.AsyncClient, body: dict[str, Any], events: Events
) -> None:
    """The same JSON value in the answer, by GET, in the list and in the log."""
    put = await client.put("/items/foo", json=body)
    got = await client.get("/items/foo")
    listed = await client.get("/items")
    [event] = await events()

    expected = {"name": None, "size": None} | body
    assert put.json() == got.json() == expected
    assert put.content == got.content == event.event.body  # type: ignore[union-attr]
    assert listed.json()["items"][0]["item"] == expected


async def test_without_a_model_bodies_come_back_byte_for_byte(
    anything: httpx.AsyncClient, events: Events
) -> None:
    """Compact JSON of any depth, with empty lists and exact numbers, is not touched at all."""
    body = (
        '{"a":[],"b":{},"c":[[],[{}],[[[]]]],"d":"","e":null,"f":true,"z":false,'
        '"int":12345678901234567890123456789,"neg":-1.5,"float":0.1,"tiny":5e-324,'
        '"large":1.7976931348623157e308,"text":"é😀\\"\\\\\\u0001","":{"":[]},"a b":1}'
    ).encode()

    put = await anything.put("/items/foo", content=body, headers=JSON)
    got = await anything.get("/items/foo")

    for found in (put.content, got.content, (await events())[0].event.body):  # type: ignore[union-attr]
        assert exactly(found) == exactly(body)


async def test_deep_nesting_comes_back(anything: httpx.AsyncClient) -> None:
    """A list in a list, as deep as is allowed."""
    body = b'{"deep":' + b"[" * 199 + b"]" * 199 + b"}"

    put = await anything.put("/items/foo", content=body, headers=JSON)

    assert (put.status_code, put.content) == (201, body)


@pytest.mark.parametrize("depth", [200, 250, 1000, 10_000])
async def test_nesting_too_deep_is_refused(
    anything: httpx.AsyncClient, unchanged: Unchanged, depth: int
) -> None:
    """What can't be read is said to be so, and is no error of the server."""
    body = b'{"deep":' + b"[" * depth + b"]" * depth + b"}"

    async with unchanged():
        answer = await anything.put("/items/foo", content=body, headers=JSON)

    assert "more than 200 levels" in problem(answer, 400, "malformed-json")["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty."),
        (b'{"size": 1', "Expecting ',' delimiter (line 1, column 11)."),
        (b'{"name": "\xff"}', "it is not UTF-8 at byte 10."),
        (b'{"size": -' + b"1" * 4301 + b"}", "an integer has more than 4300 digits."),
        (b'{"size": 1' + b"0" * 999 + b".5}", f"1{'0' * 39} is too large for a number."),
        (b'{"a":1,"b":1,"a":2}', "the key 'a' appears twice in one object."),
        (b'{"\\u202e' + b"b" * 99 + b'":1,"\\u202e' + b"b" * 99 + b'":2}',
         f"the key '\\u202e{'b' * 59}…' appears twice in one object."),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_text_is_said_in_plain_words(
    client: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    """Short, with nothing that only Python's users know, and nothing that can't be printed."""
    answer = await client.put("/items/foo", content=body, headers=JSON)

    detail = problem(answer, 400, "malformed-json")["detail"]
    assert detail == f"The body is not JSON: {reason}"


async def test_a_doubled_key_among_many_is_found_in_one_look(anything: httpx.AsyncClient) -> None:
    """It took twenty seconds to find it at the end of 40,000 keys, and nothing else was done."""
    keys = b",".join(b'"k%d":1' % number for number in [*range(40_000), 39_999])
    began = time.perf_counter()

    answer = await anything.put("/items/foo", content=b"{%s}" % keys, headers=JSON)

    assert "'k39999'" in problem(answer, 400, "malformed-json")["detail"]
    assert time.perf_counter() - began < 2


async def test_of_many_errors_the_first_20_are_listed_and_all_are_counted(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A body of a megabyte does not get an answer of seven."""
    body = {f"k{number}": 1 for number in range(10_000)}

    async with unchanged():
        answer = await client.put("/items/foo", json=body)

    content = problem(answer, 422, "invalid-item")
    assert [error["pointer"] for error in content["errors"]] == [f"/k{n}" for n in range(20)]
    assert content["count"] == 10_000
    assert content["detail"].startswith("10000 values do not fit the model; the first is /k0: ")


async def test_errors_past_the_beginning_of_a_long_list_are_counted_and_not_looked_for(
    serve: Serve, unchanged: Unchanged
) -> None:
    """Collecting 300,000 errors took 0.3 s, in which nothing else was done."""

    class Numbers(BaseModel):
        first: int
        list: list[int]

    client, wrong = serve(model=Numbers), ["x"] * 20_000
    cases = [
        ({"first": "a", "list": wrong}, ["/first", *(f"/list/{n}" for n in range(19))], 20_001),
        ({"first": 1, "list": wrong}, [f"/list/{n}" for n in range(20)], 20_000),
        ({"list": wrong}, [f"/list/{n}" for n in range(20)], 20_001),
        ({"first": 1, "list": [*range(5000), *wrong]}, [""], 20_000),
    ]
    for body, pointers, count in cases:
        async with unchanged():
            answer = await client.put("/items/foo", json=body)
        content = problem(answer, 422, "invalid-item")
        assert [error["pointer"] for error in content["errors"]] == pointers
        assert content["count"] == count


async def test_a_pointer_ends_before_a_name_that_is_too_long(client: httpx.AsyncClient) -> None:
    """It then points to what has a member of that name."""
    answer = await client.put("/items/foo", json={"x" * 100_000: 1})

    assert problem(answer, 422, "invalid-item")["errors"][0]["pointer"] == ""
    assert len(answer.content) < 1000


async def test_the_order_of_members_is_kept(anything: httpx.AsyncClient) -> None:
    """Without a model, members come back in the order they were sent in."""
    body = b'{"z":1,"a":2,"m":3}'

    await anything.put("/items/foo", content=body, headers=JSON)

    assert (await anything.get("/items/foo")).content == body


async def test_members_that_have_a_default_are_stored_with_it(client: httpx.AsyncClient) -> None:
    """What is stored is the validated model, so a reader finds every member."""
    answer = await client.put("/items/foo", json={"size": 6})

    assert answer.content == b'{"name":null,"size":6}'


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/jsonp",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        'application/json; charset="utf-\\16"',
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=utf-16; charset=utf-8",
        "application/json; charset=",
        "application/json; charset",
        "application/json; charset = utf-8",
        'application/json; x="a',
        "application/json; x=a b",
        "application/json charset=utf-8",
        "application/json, application/json",
        "application/json; x=y, text/plain",
        "application/",
        "application",
        "*/*",
    ],
)
async def test_another_media_type_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, media_type: str | None
) -> None:
    """415, and Accept names what is read here (RFC 9110 §15.5.16)."""
    headers = {} if media_type is None else {"Content-Type": media_type}

    async with unchanged():
        answer = await client.put("/items/foo", content=b'{"size": 6}', headers=headers)

    problem(answer, 415, "unsupported-media-type")
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json ; charset=utf8",
        "application/json;",
        "application/json;; ;charset=utf-8",
        "application/json;Charset=Utf-8",
        r'application/json;charset="u\tf-8"',
        "application/json;charset=utf-8;charset=UTF-8",
        'application/json; x="a;charset=utf-16;b"',
        r'application/json; x="\";charset=utf-16"',
        'application/json; x="a, b"',
        "application/json;profile=https",
    ],
)
async def test_json_is_taken_however_its_type_is_written(
    client: httpx.AsyncClient, media_type: str
) -> None:
    """Media types have no case, and UTF-8 may be said (§8.3.1)."""
    answer = await client.put(
        "/items/foo", content=b'{"size": 6}', headers={"Content-Type": media_type}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["", "identity", "Identity", "identity, identity", ","])
async def test_a_body_without_a_coding_may_say_so(client: httpx.AsyncClient, coding: str) -> None:
    """`identity` is none (§8.4.1), and so is an empty list."""
    answer = await client.put("/items/foo", json={}, headers={"Content-Encoding": coding})

    assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "whatever"])
async def test_a_content_coding_is_refused(
    client: httpx.AsyncClient, unchanged: Unchanged, coding: str
) -> None:
    """415, and Accept-Encoding says that only the plain body is read (§12.5.3)."""
    async with unchanged():
        answer = await client.put("/items/foo", json={}, headers={"Content-Encoding": coding})

    problem(answer, 415, "unsupported-media-type")
    assert answer.headers["accept-encoding"] == "identity"


async def test_the_identity_coding_is_none(client: httpx.AsyncClient) -> None:
    """`Content-Encoding: identity` changes nothing."""
    answer = await client.put("/items/foo", json={}, headers={"Content-Encoding": "identity"})

    assert answer.status_code == 201


async def test_the_media_type_is_checked_before_the_body(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A form that is not JSON either is told its media type."""
    async with unchanged():
        answer = await client.put("/items/foo", data={"size": "6"})

    problem(answer, 415, "unsupported-media-type")


async def test_the_body_is_checked_before_the_conditions(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A bad body under a stale condition is told its body."""
    async with unchanged():
        answer = await client.put("/items/foo", json={"size": "x"}, headers={"If-Match": '"9"'})

    problem(answer, 422, "invalid-item")


def exactly(text: bytes) -> Any:
    """The JSON value with every number as the text that it was."""
    return json.loads(text, parse_int=str, parse_float=lambda number: repr(float(number)))
