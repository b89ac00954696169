"""Queries that can't be answered: which part of them is wrong, where in it, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from itemstore.api.app import ItemStore
from itemstore.api.resources import item_queries
from itemstore.projections.queries.errors import QueryTooExpensive, TooManyQueries
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.store.read_model import ReadModel
from tests.api.conftest import SEVERAL, Events, Serve, problem, sent_by
from tests.api.test_metrics import value

pytestmark = pytest.mark.partitions(1, SEVERAL)

WRONG: list[tuple[str, str, int, str]] = [
    ("where", "@.size <", 8, "'@.size <'"),
    ("where", "@.size < && @.name", 9, "'@.size < →&& @.name'"),
    ("where", "", 0, "''"),
    ("where", "@.size =< 3", 7, "'@.size →=< 3'"),
    ("order", "size,,name", 5, "'size,→,name'"),
    ("order", "size,@.a[*]", 5, "'size,→@.a[*]'"),
    ("fields", "name,@..x", 5, "'name,→@..x'"),
]


async def test_what_is_wrong_is_shown_at_its_place(client: httpx.AsyncClient) -> None:
    """The parameter, how much of it is right, and the text with the place marked."""
    for parameter, text, place, marked in WRONG:
        answer = await client.get("/items", params={parameter: text})
        said = problem(answer, 422, "invalid-query")
        assert (said["parameter"], said["place"]) == (parameter, place)
        assert said["detail"].startswith(f"{parameter}: ")
        assert marked in said["detail"]


async def test_a_long_text_is_shown_around_the_place(client: httpx.AsyncClient) -> None:
    """And on one line, whatever is in it."""
    where = " || ".join(["@.size == 1"] * 20) + " || @.size ==\n\u202e || " + "@.name || " * 20
    said = problem(await client.get("/items", params={"where": where}), 422, "invalid-query")
    assert said["place"] == where.index("\u202e")
    assert "…" in said["detail"]
    assert "→\\u202e" in said["detail"]
    assert len(said["detail"]) < 250


async def test_a_position_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    """In the parameter as in the header field, where blanks around it don't count."""
    for text in ("", "1", "1-", "x", "1-2-3", "-1-0", "9" * 40 + "-0", "1-0 "):
        answer = await client.get("/items", params={"min_position": text})
        said = problem(answer, 422, "invalid-query")
        assert (said["parameter"], said["place"]) == ("min_position", None)
        if text == text.strip():
            answer = await client.get("/items", headers={"if-position": text})
            problem(answer, 400, "malformed-header")


async def test_a_search_without_a_declaration_is_refused(client: httpx.AsyncClient) -> None:
    """With the setting that would declare it."""
    said = problem(await client.get("/items?search=fox"), 422, "invalid-query")
    assert said["parameter"] == "search"
    assert "ITEMSTORE_TEXT" in said["detail"]


@pytest.mark.parametrize(
    ("indexes", "setting"),
    [
        (None, "items=size"),
        ("name", "items=name,size"),
        ("name,@.other", "items=name,@.other,size"),
    ],
)
async def test_a_query_that_looks_at_too_much_names_the_index_to_declare(
    serve: Serve, indexes: str | None, setting: str
) -> None:
    """And what to write, with what is declared already; the rows are a setting."""
    client = serve(query_rows=2, indexes=indexes)
    for number in range(3):
        await client.put(f"/items/{number}", json={"size": number})
    said = problem(await client.get("/items?where=@.size==1"), 422, "query-too-expensive")
    assert said["index"] == "size"
    assert said["setting"] == f"ITEMSTORE_INDEXES={setting}"
    assert said["setting"] in said["detail"]
    declared = serve(query_rows=2, indexes=setting)
    assert (await declared.get("/items?where=@.size==1")).json()["total"] == 1


async def test_with_queries_off_lists_go_on(serve: Serve) -> None:
    """What asks for a query is told who turned them off."""
    client = serve(sql_url="off")
    await client.put("/items/a", json={"size": 1})
    for params in ({"where": "@.size"}, {"order": "size"}, {"min_position": "0-0"}, {"search": ""}):
        said = problem(await client.get("/items", params=params), 422, "queries-off")
        assert "ITEMSTORE_SQL_URL" in said["detail"]
    problem(await client.get("/items", headers={"if-position": "0-0"}), 422, "queries-off")
    page = (await client.get("/items?fields=size&prefix=a&limit=5")).json()
    assert page["items"][0]["item"] == {"size": 1}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Lets the read model fail with an error."""

    def fail(error: Exception) -> None:
        async def find(*_: Any) -> None:
            raise error

        monkeypatch.setattr(ReadModel, "find", find)

    return fail


async def test_a_database_that_is_away_is_503(
    client: httpx.AsyncClient, failing: Callable[[Exception], None]
) -> None:
    """With the time after which to try again; lists and items are answered."""
    failing(SqlUnavailable("The database is away."))
    answer = await client.get("/items?where=@.size")
    assert problem(answer, 503, "read-model-unavailable")["detail"] == "The database is away."
    assert answer.headers["retry-after"] == "1"
    assert (await client.get("/items")).status_code == 200


async def test_too_many_queries_are_overload(
    client: httpx.AsyncClient, failing: Callable[[Exception], None]
) -> None:
    """503, as where anything else is too much; lists have places of their own."""
    failing(TooManyQueries("Too many queries are waiting."))
    answer = await client.get("/items?where=@.size")
    assert problem(answer, 503, "overloaded")["retry_after"] == 1
    assert answer.headers["retry-after"] == "1"
    assert (await client.get("/items")).status_code == 200


async def test_a_query_ends_when_its_client_leaves(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And makes place for others; it is counted among the reads while it goes on."""
    seen: list[object] = []

    async def find(*_: Any) -> None:
        try:
            seen.append(app.admission.reading)
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    monkeypatch.setattr(ReadModel, "find", find)
    monkeypatch.setattr(item_queries, "LOOK", 0.01)
    messages = [{"type": "http.request"}] * 3 + [{"type": "http.disconnect"}]
    assert await sent_by(app, "GET", b"/items", *messages, query=b"where=@.a") == []
    await asyncio.sleep(0)
    assert seen == [1, "ended"]
    assert app.admission.reading == 0


async def test_an_error_without_an_index_names_none(
    client: httpx.AsyncClient, failing: Callable[[Exception], None]
) -> None:
    """One that took too long, say."""
    failing(QueryTooExpensive("It takes longer than it may."))
    said = problem(await client.get("/items?where=@.size"), 422, "query-too-expensive")
    assert said["index"] is None
    assert "setting" not in said


async def test_an_index_that_is_being_made_is_not_to_be_declared_again(
    serve: Serve, failing: Callable[[Exception], None]
) -> None:
    """It takes a while."""
    failing(QueryTooExpensive("An index on size would help.", "size"))
    answer = await serve(indexes="size").get("/items?where=@.size")
    said = problem(answer, 422, "query-too-expensive")
    assert said["index"] == "size"
    assert "setting" not in said
    assert said["detail"].endswith("It is declared, and is still being made.")


async def test_queries_are_counted(
    client: httpx.AsyncClient, failing: Callable[[Exception], None]
) -> None:
    """Answered and refused, with their time, and with what they looked at."""
    for number in range(3):
        await client.put(f"/items/{number}", json={"size": number})
    await client.get("/items?where=@.size>0")
    await client.get("/items?where=@.size>1&order=size")
    await client.get("/items?where=@.size>")
    await client.get("/items")
    failing(QueryTooExpensive("It takes longer than it may."))
    await client.get("/items?where=@.size")

    async def count(outcome: str) -> float | None:
        return await value(client, "itemstore_queries_total", collection="items", outcome=outcome)

    assert await count("answered") == 2
    assert await count("invalid-query") == await count("query-too-expensive") == 1
    assert await value(client, "itemstore_query_rows_total", collection="items") == 6
    assert await value(client, "itemstore_query_duration_seconds_count") == 4
    assert 0 < (await value(client, "itemstore_query_duration_seconds_sum") or 0) < 60


REFUSED = [
    ("where=@.a&where=@.b", "invalid-parameter"),
    ("where=%FF", "invalid-parameter"),
    ("where=%ED%A0%80", "invalid-parameter"),
    ("order=%C3", "invalid-parameter"),
    ("wher=@.a", "invalid-parameter"),
    ("where=@.a&limit=0", "invalid-parameter"),
    ("where=@.a%00", "invalid-query"),
    ("where=@.a+b", "invalid-query"),
    ("order=%00", "invalid-query"),
    ("fields=%00", "invalid-query"),
    ("search=%00", "invalid-query"),
    ("order=", "invalid-query"),
    ("fields=", "invalid-query"),
    ("search=", "invalid-query"),
    ("min_position=", "invalid-query"),
    ("where=" + "(" * 300 + "@.a" + ")" * 300, "invalid-query"),
]


async def test_text_of_any_kind_is_read_or_refused(
    client: httpx.AsyncClient, events: Events
) -> None:
    """And nothing is changed."""
    await client.put("/items/a", json={})
    for query, slug in REFUSED:
        problem(await client.get(f"/items?{query}"), 422, slug)
    assert len(await events()) == 1


MEGABYTES = [
    b"where=" + b"@.a||" * 300_000 + b"@.a",
    b"where=" + b"[" * 1_000_000,
    b"order=" + b"a," * 500_000 + b"b",
    b"fields=" + b"a," * 500_000 + b"b",
    b"search=" + b"a+" * 500_000,
    b"min_position=" + b"1" * 1_000_000,
    b"after=" + b"A" * 1_000_000 + b"&where=@.a",
]


async def test_a_megabyte_of_it_is_refused(app: ItemStore) -> None:
    """Our own server takes no such URL, others may."""
    for query in MEGABYTES:
        messages = [
            {"type": "http.request"}
        ] * 20  # it is asked now and then whether it still waits
        start, body = await sent_by(app, "GET", b"/items", *messages, query=query)
        assert start["status"] in {400, 422}, query[:20]
        assert len(body["body"]) < 2000


DECODED = [
    ("where=@.name%3D%3D%22a+b%22", ["blank"]),
    ("where=@.name%3D%3D%22a%20b%22", ["blank"]),
    ("where=@.name%3D%3D%22a%2Bb%22", ["plus"]),
    ("where=@.name==%22a%2Bb%22", ["plus"]),
    ("where=@.name==%22%C3%A9%F0%9F%98%80%22", ["smile"]),
    ("where=@.name==%22%5Cu00e9%5Cud83d%5Cude00%22", ["smile"]),
    ("where=@.name%26%26@.size", ["blank", "plus", "smile"]),
    ("where=%20%09@.size%0A==%201", ["smile"]),
]


async def test_a_query_is_percent_decoded_as_forms_are(client: httpx.AsyncClient) -> None:
    """A plus is a blank; what the text is then is for the expression to say."""
    for name, text in (("blank", "a b"), ("plus", "a+b"), ("smile", "é😀")):
        await client.put(f"/items/{name}", json={"name": text, "size": int(name == "smile")})
    for query, ids in DECODED:
        answer = await client.get(f"/items?{query}")
        assert answer.status_code == 200, answer.text
        assert [each["id"] for each in answer.json()["items"]] == ids


async def test_an_unescaped_ampersand_is_explained(client: httpx.AsyncClient) -> None:
    """It is the most frequent mistake, and the name of the parameter is a riddle."""
    answer = await client.get("/items?where=@.size>1&&@.name")
    said = problem(answer, 422, "invalid-parameter")
    assert said["detail"].startswith("@.name: ")
    assert "%26%26" in said["detail"]
