"""Queries with whatever text: an answer or a refusal, never a 500, and nothing is ever changed."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.api.app import create_app
from itemstore.api.resources import item_queries
from itemstore.store.settings import Settings
from tests.api.conftest import client_of

INJECTIONS = [
    "' OR '1'='1",
    "' OR 1=1--",
    "1; DROP TABLE items; --",
    '"; DROP TABLE "items"; --',
    "') UNION SELECT id, body FROM items --",
    "1) OR (SELECT COUNT(*) FROM sqlite_master) > 0 --",
    "'; ATTACH DATABASE '/tmp/x' AS x; --",
    "1 AND (SELECT 1 FROM pg_sleep(5))",
    "'||(SELECT pg_sleep(5))||'",
    "'; COPY items TO PROGRAM 'id'; --",
    "1' AND 1=CAST((SELECT version()) AS int)--",
    "x'; DELETE FROM itemstore_checkpoints; --",
    "\\'; PRAGMA writable_schema=1; --",
    "%' AND 1=1 AND '%'='",
    "?", ":1", "$1", "%s", "%(id)s", "{}", "k1", "body", "rowid", "NULL", "id DESC",
    "\x00", "a\x00b", "\u202e", "\ufeff", "`id`", "[id]", "/*", "*/", "--", "#", ";", "\\", "\n",
]  # fmt: skip
"""What sqlmap and its like try, and what means something to a driver."""

WORDS = [
    *("@", "@.a", "$", "@..", "[", "]", "(", ")", "!", "&&", "||", "==", "!=", "<", ">=", "=", ","),
    *("match(", "search(", "length(", "count(", "value(", "'", '"', "?@", "*", ":", "1", "-0"),
    *("1e400", "true", "null", "-", ".", " ", "a.b", "$['a']", "\\u0000", "\\ud800", ".*", "{9}"),
]

TEXTS = (
    st.text(max_size=60)
    | st.lists(st.sampled_from(WORDS), max_size=14).map("".join)
    | st.sampled_from(INJECTIONS)
)

PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "where": TEXTS,
        "order": TEXTS,
        "fields": TEXTS,
        "search": TEXTS,
        "after": TEXTS,
        "prefix": TEXTS,
        "min_position": TEXTS,
        "limit": st.sampled_from(["1", "2", "1000"]),
    },
)

STATUSES = {200, 400, 422}


def quoted(text: str) -> str:
    """The text as a string of a filter expression."""
    return json.dumps(text)


async def filled(**options: Any) -> httpx.AsyncClient:
    """A store that has an item for each of the texts, some of which are indexed."""
    app = create_app(Settings(model="any", **options), redis=FakeAsyncRedis(server=FakeServer()))
    client = client_of(app)
    for number, text in enumerate(INJECTIONS):
        body = {"a": text, "b": {text: number}, text: [text], "n": number}
        answer = await client.put(f"/items/i{number}", json=body)
        assert answer.status_code == 201
    return client


async def is_whole(client: httpx.AsyncClient) -> bool:
    """Whether every item is still found, with what it was."""
    answer = await client.get("/items?where=@.n>=0&order=n&limit=1000")
    plain = await client.get("/items?limit=1000")
    entries = answer.json()["items"]
    return [each["item"]["a"] for each in entries] == INJECTIONS and sorted(
        entries, key=lambda each: str(each["id"])
    ) == sorted(plain.json()["items"], key=lambda each: str(each["id"]))


def test_whatever_is_asked_is_answered_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every parameter, alone and with others."""
    monkeypatch.setattr(item_queries, "PATIENCE", 0.01)
    with asyncio.Runner() as runner:
        client = runner.run(filled(indexes="a,n", text="a"))

        @settings(max_examples=150)
        @given(PARAMETERS)
        def ask(parameters: dict[str, str]) -> None:
            answer = runner.run(client.get("/items", params=parameters))
            said = f"{answer.status_code} {answer.text[:500]} to {parameters}"
            assert answer.status_code in STATUSES or "position" in answer.text, said
            assert answer.status_code < 500 or "read-model-behind" in answer.text, said
            if answer.is_error:
                assert len(answer.content) < 12_000, said

        ask()
        assert runner.run(is_whole(client))


@pytest.mark.parametrize("options", [{}, {"indexes": "a,n"}], ids=["without", "with an index"])
async def test_text_of_an_attack_is_a_value_like_any_other(options: dict[str, str]) -> None:
    """It finds the item that has it, as a value, as a name and in an order; and is a text."""
    client = await filled(**options)
    for number, text in enumerate(INJECTIONS):
        string = quoted(text)
        for where in (
            f"@.a == {string}",
            f"@[{string}][0] == {string}",
            f"@.b[{string}] == {number}",
            f"@.a >= {string} && @.a <= {string}",
        ):
            answer = await client.get("/items", params={"where": where, "order": "-a"})
            assert answer.status_code == 200, (where, answer.text)
            assert [each["id"] for each in answer.json()["items"]] == [f"i{number}"], where
        for order in (f"$[{string}],n", f"-@[{string}],n"):
            answer = await client.get("/items", params={"order": order, "limit": "1"})
            assert answer.status_code == 200, (order, answer.text)
            assert answer.json()["items"][0]["id"] == f"i{number}", order
        params = {"fields": f"@[{string}]", "prefix": f"i{number}", "limit": "1"}
        answer = await client.get("/items", params=params)
        assert answer.json()["items"][0]["item"] == {text: [text]}
    assert await is_whole(client)


async def test_a_cursor_that_is_bent_is_refused_or_a_place() -> None:
    """Any byte of it changed, cut off or added: never more than a place in this query."""
    client = await filled(indexes="a,n")
    chance = random.Random(1)
    params = {"order": "a,-n", "limit": "1", "where": "@.n >= 0"}
    cursor = (await client.get("/items", params=params)).json()["next"]
    statuses = set()
    for _ in range(150):
        at = chance.randrange(len(cursor))
        bent = chance.choice(
            [
                cursor[:at] + chance.choice("AZaz09-_!=é") + cursor[at + 1 :],
                cursor[:at],
                cursor[:at] + cursor[at + chance.randrange(9) :],
                cursor + cursor[:at],
            ]
        )
        answer = await client.get("/items", params=params | {"after": bent})
        statuses.add(answer.status_code)
        assert answer.status_code in STATUSES, (bent, answer.text)
    assert statuses == {200, 400}
    assert await is_whole(client)
