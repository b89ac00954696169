"""Words are kept beside the rows, and found, on both databases alike."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis.strategies import text

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.indexes import slices, texts
from itemstore.projections.queries.indexes.bodies import words_of_body
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.search import Search
from itemstore.projections.queries.words import LONGEST, MOST_BYTES
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.tables import create_tables, short_name
from tests.queries.rows import ITEMS, put, remove

TITLE, TAGS = path_of("title", "text"), path_of("tags", "text")

ALPHABET = ["blue", "Blau", "ÜBER", "uber", "東京", "a_b", "A", "32", "x" * 100, "ß", "हिन्दी", "ﬁt"]

BODIES: dict[str, dict[str, Any]] = {
    "both": {"title": "Blue Jeans", "tags": ["sale", {"in": "Town"}]},
    "phrase": {"title": "jeans, blue", "tags": "jeans"},
    "none": {"size": 3},
    "number": {"title": 5},
    "quotes": {"title": "it's \"quoted\" \\ 'x' & y | !z <-> w:* NEAR(a) -b ^c"},
    "wide": {"title": "東京タワー Straße ΌΔΟΣ a_b"},
    "long": {"title": "y" * (LONGEST + 10)},
}


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A database with a collection that has items."""
    connection = database.writing()
    create_tables(connection, [ITEMS])
    for item, body in BODIES.items():
        put(connection, item, body)
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_ROWS", 2)


def finish(connection: Connection, *, of: str = ITEMS) -> int:
    """Does all that is left to do; how many steps that were."""
    steps = 0
    while texts.step(connection, of):
        steps += 1
    return steps


def text_of(connection: Connection) -> texts.Text:
    """The text that there is."""
    text = texts.text_of(connection, ITEMS)
    assert text is not None
    return text


def found(connection: Connection, search: str) -> list[str]:
    """The ids that SQL narrows it to."""
    condition = text_of(connection).words.condition(Search.of(search))
    sql = f'SELECT id FROM "{ITEMS}" WHERE {condition.sql} ORDER BY id'  # noqa: S608 - our own
    return [item for (item,) in connection.rows(sql, condition.parameters)]


def kept(connection: Connection) -> dict[str, frozenset[str]]:
    """The words that are kept of each item."""
    return dict(text_of(connection).words.rows(connection))


def expected(connection: Connection) -> dict[str, frozenset[str]]:
    """Those that should be."""
    rows = [*connection.rows(f'SELECT id, body FROM "{ITEMS}"')]  # noqa: S608 - our own
    paths = text_of(connection).paths
    return {item: frozenset(words_of_body(body, paths)) for item, body in rows}


def test_a_text_is_filled_in_steps(connection: Connection) -> None:
    """And complete when all rows are."""
    texts.settle(connection, ITEMS, [TITLE, TAGS])
    assert not text_of(connection).is_complete
    assert finish(connection) == 5, "four slices, and the end"
    assert text_of(connection).is_complete
    assert kept(connection) == expected(connection)
    texts.settle(connection, ITEMS, [TITLE, TAGS])
    assert finish(connection) == 0


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("blue", ["both", "phrase"]),
        ("JEANS town", ["both"]),
        ("to*", ["both"]),
        ("j* s*", ["both"]),
        ("bl* jeans", ["both", "phrase"]),
        ('"blue jeans"', ["both", "phrase"]),
        ("5", []),
        ("quoted", ["quotes"]),
        ("x&y|!z", ["quotes"]),
        ("'x' <-> w:*", ["quotes"]),
        ("near OR", []),
        ("NEAR(a b)", ["quotes"]),
        ("京 東", ["wide"]),
        ("京*", ["wide"]),
        ("strasse οδος", ["wide"]),
        ("οδ*", ["wide"]),
        ("a_b", ["wide"]),
        ("a_*", ["wide"]),
        ("a", ["quotes"]),
        ("y" * LONGEST, ["long"]),
        ("y" * 80, ["long"]),
        ("yyyy*", ["long"]),
        ("yyyy", []),
    ],
)
def test_words_and_beginnings_are_found(
    connection: Connection, search: str, ids: list[str]
) -> None:
    """By SQL, which knows no phrases, and takes nothing for an operator."""
    texts.settle(connection, ITEMS, [TITLE, TAGS])
    finish(connection)
    assert found(connection, search) == ids


def test_what_changes_meanwhile_is_right(connection: Connection) -> None:
    """Before and behind the place where the filling is, and afterwards."""
    texts.settle(connection, ITEMS, [TITLE])
    texts.step(connection, ITEMS)
    put(connection, "both", {"title": "new"})
    put(connection, "a", {"title": "first"})
    put(connection, "z", {"title": "last"})
    remove(connection, "wide")
    remove(connection, "long")
    remove(connection, "was never there")
    finish(connection)
    assert kept(connection) == expected(connection)
    assert found(connection, "new") == ["both"]
    put(connection, "both", {"title": "newer"})
    put(connection, "both", {"title": "newer"})
    put(connection, "wide", {"title": "back"})
    remove(connection, "z")
    assert kept(connection) == expected(connection)
    assert (found(connection, "new"), found(connection, "newer")) == ([], ["both"])
    assert (found(connection, "last"), found(connection, "back")) == ([], ["wide"])


def test_other_paths_make_it_anew(connection: Connection) -> None:
    """And none take it away."""
    texts.settle(connection, ITEMS, [TITLE])
    finish(connection)
    texts.settle(connection, ITEMS, [TAGS, TITLE])
    assert not text_of(connection).is_complete
    finish(connection)
    assert kept(connection) == expected(connection)
    name = text_of(connection).words.name
    assert connection.has_table(name)
    texts.settle(connection, ITEMS, [])
    assert texts.text_of(connection, ITEMS) is None
    assert not connection.has_table(name)
    assert not texts.step(connection, ITEMS)


def test_a_cleared_collection_has_no_words(connection: Connection) -> None:
    """And gets those that come."""
    texts.settle(connection, ITEMS, [TITLE])
    finish(connection)
    with connection.transaction():
        connection.execute(f'DELETE FROM "{ITEMS}"')  # noqa: S608 - our own
        texts.clear(connection, ITEMS)
    assert text_of(connection).is_complete
    assert kept(connection) == {}
    put(connection, "both", BODIES["both"])
    assert found(connection, "blue") == ["both"]


def test_an_item_has_as_many_words_as_it_may(connection: Connection) -> None:
    """The most that are kept go into either database."""
    put(connection, "most", {"title": " ".join(f"{n:05x}" + "é" * 40 for n in range(30_000))})
    put(connection, "many", {"title": " ".join(f"{n:x}" for n in range(100_000))})
    texts.settle(connection, ITEMS, [TITLE])
    finish(connection)
    most = kept(connection)["most"]
    assert MOST_BYTES - 100 < sum(len(each.encode()) for each in most) <= MOST_BYTES
    assert found(connection, "0") == ["many"]
    assert found(connection, "00000e*") == ["most"]


def test_random_items_are_found_as_they_would_be_by_reading_all(connection: Connection) -> None:
    """The two databases answer alike, because each answers like Python."""
    chance = random.Random(20)
    texts.settle(connection, ITEMS, [TITLE, TAGS])
    values: dict[str, Any] = dict(BODIES)
    for _ in range(150):
        item = f"item-{chance.randrange(60)}"
        if chance.random() < 0.2:
            values.pop(item, None)
            remove(connection, item)
            continue
        words = [" ".join(chance.choices(ALPHABET, k=chance.randrange(4))) for _ in range(3)]
        values[item] = {"title": words[0], "tags": [words[1], {"x": words[2]}]}
        put(connection, item, values[item])
    finish(connection)
    assert kept(connection) == expected(connection)
    for _ in range(100):
        asked = " ".join(
            chance.choice(ALPHABET)[: chance.choice([1, 2, None])] + chance.choice(["", "", "*"])
            for _ in range(chance.randrange(1, 4))
        )
        search = Search.of(asked.replace("東京", "京"))
        if not search.has_phrases:
            truth = [
                item
                for item, value in values.items()
                if search.matches(json.loads(json.dumps(value)), [TITLE, TAGS])
            ]
            assert found(connection, asked.replace("東京", "京")) == sorted(truth), asked


@given(text(max_size=40))
@example("' OR 1=1; DROP TABLE x; --")
@example('"a" NEAR/2 *b -c {d} : ^e + (f')
@example("\\' & !a <-> 'b:*AB |")
@example("a\x00b\ud800c %s %(x)s $1 ?")
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_nothing_that_is_typed_is_taken_for_sql_or_an_operator(
    connection: Connection, typed: str
) -> None:
    """Any text has words or is refused, and finds the item that has it."""
    texts.settle(connection, ITEMS, [TITLE, TAGS])
    finish(connection)
    try:
        search = Search.of(typed)
    except InvalidQuery:
        return
    put(connection, "it", {"title": " ".join([*search.words, *search.beginnings])})
    assert "it" in found(connection, typed)
    remove(connection, "it")
    assert "it" not in found(connection, typed)


def test_a_collection_with_the_longest_name_has_words(database: Database) -> None:
    """PostgreSQL's names are shorter than ours may be."""
    connection = database.writing()
    names = ["a" * 63, "a" * 62 + "b"]
    create_tables(connection, names)
    for name in names:
        texts.settle(connection, name, [TITLE])
    assert len({short_name(f"itemstore_words_{name}") for name in names}) == 2
    assert finish(connection, of=names[0]) == 0
    connection.close()
