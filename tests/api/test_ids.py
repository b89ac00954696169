"""Ids: any text of 1 to 512 bytes, percent-encoded in the path (RFC 3986 §2)."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from itemstore.api.app import ItemStore
from tests.api.conftest import Events, problem, sent_by
from tests.conftest import Unchanged

NOT_IN_A_URL = b'a>" <\\^`{|}\xc3\xa9'


@dataclass(frozen=True)
class RawAnswer:
    """What the app sent: the status, the headers and the JSON of the body."""

    status: int
    headers: dict[bytes, bytes]
    content: Any


async def put_raw(app: ItemStore, raw_path: bytes) -> RawAnswer:
    """A PUT of `{}` to a path that no client would send in this form, byte for byte."""
    start, body = await sent_by(app, "PUT", raw_path)
    return RawAnswer(start["status"], dict(start["headers"]), json.loads(body["body"]))


async def refused(app: ItemStore, raw_path: bytes) -> None:
    """Asserts that the path holds no id."""
    answer = await put_raw(app, raw_path)
    assert (answer.status, answer.content["type"]) == (422, "/problems/invalid-item-id")


@pytest.mark.parametrize("character", sorted(set(string.printable) - set("\t\n\r\x0b\x0c")))
async def test_every_printable_character_makes_the_round_trip(
    client: httpx.AsyncClient, events: Events, character: str
) -> None:
    """Percent-encoded it is itself, in the middle of an id and alone."""
    for name in {f"a{character}b", character} - {"."}:
        path = f"/items/{percent_encoded(name)}"

        put = await client.put(path, json={"name": name})

        assert (put.status_code, put.headers["location"]) == (201, path)
        assert (await client.get(path)).json()["name"] == name
        assert (await events())[-1].item == name
        assert name in [item["id"] for item in (await client.get("/items")).json()["items"]]
        assert (await client.delete(path)).status_code == 204


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b", None),
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("%2F", "/"),
        ("%2F%2F", "//"),
        ("a%2F..%2Fb", "a/../b"),
        ("%252F", "%2F"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("%252e%252e", "%2e%2e"),
        ("a%20b", "a b"),
        ("%20", " "),
        ("a+b", "a+b"),
        ("...", "..."),
        (".a", ".a"),
        ("a.", "a."),
        ("..a", "..a"),
        ("%C3%A9", "é"),
        ("%c3%a9", "é"),
        ("e%CC%81", "e\u0301"),
        ("%F0%9F%98%80", "😀"),
        ("%EF%BF%BD", "\ufffd"),
        ("%E2%80%AE", "\u202e"),
        ("*", "*"),
        ("%7Bid%7D", "{id}"),
        ("a%3Fb%23c", "a?b#c"),
        ("a;b=c", "a;b=c"),
        ("%61", "a"),
        ("%7E", "~"),
        ("events", "events"),
        ("versions%2F1", "versions/1"),
    ],
)
async def test_an_id_is_what_the_path_decodes_to(
    client: httpx.AsyncClient, events: Events, path: str, name: str | None
) -> None:
    """Decoded once and never again; a slash only as `%2F`."""
    answer = await client.put(f"/items/{path}", json={})

    if name is None:
        problem(answer, 404, "not-found")
    else:
        assert answer.status_code == 201
    assert [event.item for event in await events()] == ([] if name is None else [name])


async def test_two_spellings_of_one_path_are_one_item(client: httpx.AsyncClient) -> None:
    """An escaped letter is that letter (RFC 3986 §6.2.2.2), and hex digits have no case."""
    await client.put("/items/%C3%A9t%61", json={})

    answer = await client.put("/%69tems/%c3%a9ta", json={})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


async def test_two_forms_of_a_letter_are_two_items(client: httpx.AsyncClient) -> None:
    """Ids are not normalised: a precomposed é is not e with an accent."""
    for path in ("/items/%C3%A9", "/items/e%CC%81"):
        assert (await client.put(path, json={})).status_code == 201


@pytest.mark.parametrize("segment", [b".", b"..", b"%2e", b"%2E", b"%2e%2E", b".%2e", b"%2E."])
async def test_dots_are_no_id(app: ItemStore, unchanged: Unchanged, segment: bytes) -> None:
    """`.` and `..` are normalised away on the way, so they are refused however spelled."""
    async with unchanged():
        await refused(app, b"/items/" + segment)


@pytest.mark.parametrize("control", [*range(0x20), *range(0x7F, 0xA0)])
async def test_control_characters_are_no_part_of_an_id(
    app: ItemStore, unchanged: Unchanged, control: int
) -> None:
    """Neither those of ASCII nor those of Latin-1."""
    async with unchanged():
        await refused(app, f"/items/a{quote(chr(control))}b".encode())


@pytest.mark.parametrize(
    "segment",
    [b"%FF", b"a%C3", b"%C0%AF", b"%ED%A0%80", b"%F5%80%80%80", b"%80", b"\xff", b"a\xc3(b"],
)
async def test_what_is_not_utf8_is_no_id(
    app: ItemStore, unchanged: Unchanged, segment: bytes
) -> None:
    """Cut short, overlong, a surrogate, beyond Unicode, or Latin-1."""
    async with unchanged():
        await refused(app, b"/items/" + segment)


@pytest.mark.parametrize("segment", [b"%", b"a%2", b"%zz", b"%2", b"%%41"])
async def test_a_percent_sign_that_escapes_nothing_is_refused(
    app: ItemStore, unchanged: Unchanged, segment: bytes
) -> None:
    """It is no path (RFC 3986 §2.1), and its Location would be no URL."""
    async with unchanged():
        await refused(app, b"/items/" + segment)


async def test_utf8_that_was_not_encoded_is_taken(app: ItemStore, events: Events) -> None:
    """Some clients send it; the Location is a proper URL all the same."""
    answer = await put_raw(app, "/items/é b".replace(" ", "%20").encode())

    assert (answer.status, answer.headers[b"location"]) == (201, b"/items/%C3%A9%20b")
    assert [event.item for event in await events()] == ["é b"]


@pytest.mark.parametrize("name", ["x" * 512, "é" * 256, "😀" * 128, "/" * 512])
async def test_an_id_may_have_512_bytes(client: httpx.AsyncClient, name: str) -> None:
    """Bytes of UTF-8, not characters, and not those of its encoded form."""
    answer = await client.put(f"/items/{quote(name, safe='')}", json={})

    assert answer.status_code == 201


@pytest.mark.parametrize("name", ["x" * 513, "é" * 257, "é" * 256 + "x", "😀" * 128 + "x"])
async def test_an_id_may_not_have_513_bytes(
    client: httpx.AsyncClient, unchanged: Unchanged, name: str
) -> None:
    """422, and the sentence says how many there are."""
    async with unchanged():
        answer = await client.put(f"/items/{quote(name, safe='')}", json={})

    length = str(len(name.encode()))
    assert length in problem(answer, 422, "invalid-item-id")["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def test_every_method_refuses_what_is_no_id(
    client: httpx.AsyncClient, unchanged: Unchanged, method: str
) -> None:
    """422 before anything is looked up."""
    types = {"PATCH": "application/merge-patch+json"}
    headers = {"Content-Type": types.get(method, "application/json")}

    async with unchanged():
        answer = await client.request(method, "/items/%00", content=b"{}", headers=headers)

    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/items/", "/items//", "/items//a", "/items/a/", "/Items/a"])
async def test_a_path_without_an_id_is_no_item(
    client: httpx.AsyncClient, unchanged: Unchanged, path: str
) -> None:
    """404, and no redirect to something else."""
    async with unchanged():
        answer = await client.put(path, json={})

    problem(answer, 404, "not-found")


@pytest.mark.parametrize("path", ["/items%2Ffoo", "/items%2Ffoo%2Fevents", "/%2Fitems/foo"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_escaped_slash_never_separates(
    client: httpx.AsyncClient, unchanged: Unchanged, method: str, path: str
) -> None:
    """`/items%2Ffoo` is one segment that is nothing here, not the item foo."""
    async with unchanged():
        answer = await client.request(method, path, json={})

    problem(answer, 404, "not-found")


def percent_encoded(name: str) -> str:
    """The name with all but letters, digits and `-._~` escaped."""
    return quote(name, safe="")


@pytest.mark.parametrize("root", ["", "/store", "/gr\u00f6\u00dfe >"])
async def test_no_character_of_a_path_ends_a_url_in_a_header(
    app: ItemStore, events: Events, root: str
) -> None:
    """Raw ones that some clients send are escaped, in Link, Location and `instance` alike."""
    raw = quote(root).encode() + b"/items/" + NOT_IN_A_URL
    for _ in range(2):
        [put, _] = await sent_by(app, "PUT", raw, root=root)
    assert put["status"] == 200
    location = dict(put["headers"])[b"content-location"].decode()
    [start, _] = await sent_by(app, "GET", raw + b"/events", query=b"limit=1", root=root)
    link = dict(start["headers"])[b"link"].decode()
    assert link.startswith(f"<{quote(root)}/items/a%3E%22%20%3C%5C%5E%60%7B%7C%7D%C3%A9/events?")
    assert (link.count("<"), link.count(">"), link.count('"')) == (1, 1, 2)
    [_, body] = await sent_by(app, "GET", raw + b"%zz", root=root)
    instance = json.loads(body["body"])["instance"]
    assert instance == link[1:].partition("/events")[0] + "%25zz"
    assert location == instance.removesuffix("%25zz")
    assert len(await events()) == 2
