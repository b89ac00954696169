"""Cursors of queries: opaque, exact, and of the one query that they came from."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.api.http.problems import Problem
from itemstore.api.resources.cursors import cursor_of
from itemstore.api.resources.query_cursors import (
    cursor_of_place,
    fingerprint_of,
    place_of_cursor,
)
from itemstore.domain import ids
from itemstore.projections.queries.query import Place, Query
from tests.api.conftest import SEVERAL, Serve, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

IDS = st.from_regex(ids.PATTERN, fullmatch=True).filter(lambda text: 0 < len(text.encode()) <= 512)
KEYS = st.lists(st.none() | st.binary(max_size=1100), max_size=8).map(tuple)
FINGERPRINT = b"12345678"


@given(IDS, KEYS)
def test_a_place_comes_back_exactly(item: str, keys: tuple[bytes | None, ...]) -> None:
    """Each key to the byte, one that is missing as missing, and the id."""
    place = Place(keys, item)
    cursor = cursor_of_place(place, FINGERPRINT)
    assert cursor.isascii()
    assert place_of_cursor(cursor, FINGERPRINT, len(keys)) == place


@given(st.binary(max_size=300), st.integers(0, 8), st.booleans())
def test_what_is_no_cursor_is_refused_in_words(raw: bytes, keys: int, is_marked: bool) -> None:  # noqa: FBT001
    """Whatever the bytes are: it is a place, or a problem, and nothing else."""
    if is_marked:
        raw = b"\xff" + FINGERPRINT + raw
    cursor = base64.urlsafe_b64encode(raw).decode()
    slug, place = None, None
    try:
        place = place_of_cursor(cursor, FINGERPRINT, keys)
    except Problem as error:
        slug = error.type.slug
    if place is None:
        assert slug == "malformed-cursor"
    else:
        assert is_marked
        assert len(place.keys) == keys
        assert ids.id_of(place.id.encode()) == place.id


def test_a_fingerprint_is_of_what_is_asked_and_nothing_else() -> None:
    """How long a page is, and where it begins, makes no other query of it."""
    query = Query("items", where="@.a", order="b", search="c")
    same = Query("items", "@.a", "b", "c", ("x", "y"), Place((b"",), "z"), 7)
    assert fingerprint_of(query, "p") == fingerprint_of(same, "p")
    others = [
        (Query("notes", "@.a", "b", "c"), "p"),
        (Query("items", None, "b", "c"), "p"),
        (Query("items", "@.a", None, "c"), "p"),
        (Query("items", "@.a", "b"), "p"),
        (query, "q"),
        (query, ""),
    ]
    prints = {fingerprint_of(*each) for each in others}
    assert len(prints) == len(others)
    assert fingerprint_of(query, "p") not in prints


ASKED = {"where": "@.size > 0", "order": "-size", "prefix": "i", "limit": "1"}


@pytest.fixture
async def three(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with three items."""
    for number in (1, 2, 3):
        await client.put(f"/items/i{number}", json={"size": number, "name": "x" * number})
    return client


CHANGES: list[dict[str, str | None]] = [
    {"where": "@.size > 1"},
    {"where": "@.size>0"},
    {"order": "size"},
    {"order": "-size,name"},
    {"prefix": ""},
    {"where": None},
    {"order": None},
]


async def test_a_cursor_of_another_query_is_refused(three: httpx.AsyncClient) -> None:
    """In words that say which parameters have to be the same; a list's own cursor is none here."""
    cursor = (await three.get("/items", params=ASKED)).json()["next"]
    for change in CHANGES:
        asked = {name: text for name, text in (ASKED | change).items() if text is not None}
        answer = await three.get("/items", params=asked | {"after": cursor})
        said = problem(answer, 400, "malformed-cursor")
        assert said["detail"].endswith(
            "is the `next` of a page of another query: where, order, search and prefix have to be "
            "what they were."
        )
        answer = await three.get("/items", params=asked | {"after": cursor_of("i1")})
        problem(answer, 400, "malformed-cursor")


async def test_a_cursor_of_a_query_is_none_of_a_plain_list(three: httpx.AsyncClient) -> None:
    """It begins with what no id has."""
    cursor = (await three.get("/items", params=ASKED)).json()["next"]
    problem(await three.get("/items", params={"after": cursor}), 400, "malformed-cursor")


async def test_the_next_page_may_have_another_length_and_other_fields(
    three: httpx.AsyncClient,
) -> None:
    """It is the same query."""
    cursor = (await three.get("/items", params=ASKED)).json()["next"]
    answer = await three.get(
        "/items", params=ASKED | {"after": cursor, "limit": "5", "fields": "size"}
    )
    assert [each["item"] for each in answer.json()["items"]] == [{"size": 2}, {"size": 1}]


async def test_text_that_is_no_cursor_is_refused(three: httpx.AsyncClient) -> None:
    """And told so."""
    for after in ("", "!", "é", "_w", "/w==", "x" * 5000, "\x00"):
        answer = await three.get("/items", params=ASKED | {"after": after})
        problem(answer, 400, "malformed-cursor")


VALUES: list[Any] = [0, -0.0, 1e300, 10**30, "", "é😀", "x" * 3000, True, False, None, [], {"a": 1}]


async def test_a_page_goes_on_after_any_value(serve: Serve) -> None:
    """Of the same value by id, and then to the next one."""
    client = serve(model="any")
    for number, value in enumerate(VALUES):
        for name in ("a", "b"):
            await client.put(f"/items/{number}-{name}", json={"v": value})
        await client.put(f"/items/{number}-d", json={})
        for order in ("v", "-v", "w,-v"):
            seen = await walked(client, {"order": order, "limit": "1", "prefix": f"{number}-"})
            assert seen == [f"{number}-{name}" for name in "abd"]


async def walked(client: httpx.AsyncClient, params: dict[str, str]) -> list[str]:
    """The ids on all pages."""
    seen: list[str] = []
    while True:
        page = (await client.get("/items", params=params)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            return seen
        params = params | {"after": page["next"]}


async def test_a_next_page_that_no_url_could_name_is_said_to_be_too_long(serve: Serve) -> None:
    """Ordered by long text, several times over; the last page needs none."""
    client = serve(model="any")
    for name in ("a", "b"):
        await client.put(f"/items/{name}", json=dict.fromkeys("cdefgh", "é" * 3000))
    answer = await client.get("/items?order=c,d,e,f,g,h&limit=1")
    said = problem(answer, 422, "invalid-query")
    assert (said["parameter"], said["place"]) == ("order", None)
    assert "8,000 bytes" in said["detail"]
    assert (await client.get("/items?order=c,d,e,f,g,h")).status_code == 200
