"""The answers that queries have to have: those of the library, asked about each item by itself.

`python -m tests.queries.oracle` asks 2,000 random queries about 5,000 random items, of SQLite and
of PostgreSQL, while nothing is written and while much is, and tells what differs. The items are in
one partition, or in several.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, cast

import jsonpath_rfc9535

from itemstore.domain.cursors import cursor_at
from itemstore.domain.partitions import partition_of
from itemstore.eventlog.reader import Entry
from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import Declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.queries.order import Order
from itemstore.projections.queries.paths import Path as JsonPath
from itemstore.projections.queries.paths import path_of
from itemstore.projections.queries.planning import Limits
from itemstore.projections.queries.query import Found, Place, Plan, Query
from itemstore.projections.queries.ranking import Rank, rank_of
from itemstore.projections.queries.running import found
from itemstore.projections.queries.search import Search
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.database import Connection, Database, Row, Value
from itemstore.projections.sql.postgres import postgres_database
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.sql.tables import create_tables
from itemstore.projections.sql.writing import Writing
from tests.postgresql import postgres_directory, running_postgresql
from tests.queries.random_items import (
    INDEXABLE,
    RandomQuery,
    random_body,
    random_id,
    random_query,
)

COLLECTION = "items"

NARROW = Limits(300, counted_rows=50)
"""With these, some queries are refused, and pages end early."""

LIMITS = (
    *(Limits(100_000), Limits(100_000), Limits(100_000, counted_rows=100)),
    *(Limits(100_000, page_bytes=200_000), NARROW),
)

MOST_PAGES = 3

PARTITIONS = (1, 3, 16)
"""How many there are, one round after the other."""

KEPT = 100
"""Positions as of which it is known which items there were."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item as it has to be found, and its body's value."""

    id: str
    version: int
    position: str
    created: str
    body: bytes
    value: Any


Items = Mapping[str, Known]


def random_declared(random: Random) -> Declared:
    """Some indexes, and maybe a text."""
    paths = [path_of(each, "indexes") for each in random.sample(INDEXABLE, random.randrange(5))]
    text = [path_of(each, "text") for each in random.sample(INDEXABLE, random.choice((0, 2)))]
    return Declared((*paths,), (*text,))


class Wrong(AssertionError):
    """What was found is not what had to be."""


class Writer:
    """Writes random events to the tables of some databases, and knows what items there are then.

    `wholes` are the items as of a cursor, for each of the last ones at which the tables were.
    """

    def __init__(
        self, databases: Sequence[Database], random: Random, has: Declared, partitions: int = 1
    ) -> None:
        self._random = random
        self._partitions = partitions
        self._positions = ["0-0"] * partitions
        self._connections = [database.writing() for database in databases]
        self._number = 0
        self._versions: Counter[str] = Counter()
        for connection in self._connections:
            create_tables(connection, [COLLECTION], partitions)
            for number in range(partitions):
                at = Checkpoint(f"log {number}", partition=number, partitions=partitions)
                begin(connection, COLLECTION, at)
            making = Making({COLLECTION: has}, partitions)
            while making.work(connection):
                pass
        self.wholes: dict[str, Items] = {"0-0": {}}
        self._items: dict[str, Known] = {}

    def create(self, count: int) -> None:
        """Creates so many items."""
        ids: set[str] = set()
        while len(ids) < count:
            ids.add(random_id(self._random))
        self._apply([self._put(each) for each in sorted(ids)])

    def write(self) -> None:
        """Writes some events: items come, change and go."""
        entries = []
        for _ in range(self._random.randrange(1, 8)):
            kind = self._random.randrange(6)
            if kind < 1 or not self._items:
                entries.append(self._put(random_id(self._random)))
            elif kind < 5:
                entries.append(self._put(self._random.choice([*self._items])))
            else:
                entries.append(self._delete(self._random.choice([*self._items])))
        self._apply(entries)

    def close(self) -> None:
        """Ends it."""
        for connection in self._connections:
            connection.close()

    def _apply(self, entries: Sequence[Entry]) -> None:
        """Lets the tables have the entries, those of one partition after the other."""
        whole = dict([*self.wholes.values()][-1])
        for number in range(self._partitions):
            own = [each for each in entries if self._number_of(each) == number]
            if not own:
                continue
            for item in {each[1][3].decode() for each in own}:
                whole.pop(item, None)
                if item in self._items:
                    whole[item] = self._items[item]
            self._positions[number] = own[-1][0].decode()
            self.wholes[cursor_at(self._positions)] = dict(whole)
            self._apply_in(number, own)
        for old in [*self.wholes][:-KEPT]:
            del self.wholes[old]

    def _number_of(self, entry: Entry) -> int:
        return partition_of(entry[1][3].decode(), self._partitions)

    def _apply_in(self, number: int, entries: Sequence[Entry]) -> None:
        for connection in self._connections:
            at = checkpoint(connection, COLLECTION, number)
            assert at is not None
            writing = Writing(connection, COLLECTION, keys_of, texts, number)
            assert writing.apply(entries, at)

    def _put(self, item: str) -> Entry:
        body = json.dumps(random_body(self._random), ensure_ascii=self._random.random() < 0.5)
        kind = "ItemUpdated" if item in self._items else "ItemCreated"
        position = self._next()
        created = self._items[item].created if item in self._items else position
        self._versions[item] += 1
        self._items[item] = Known(
            item, self._versions[item], position, created, body.encode(), json.loads(body)
        )
        return self._entry(kind, item, body.encode())

    def _delete(self, item: str) -> Entry:
        self._next()
        self._versions[item] += 1
        del self._items[item]
        return self._entry("ItemDeleted", item, b"")

    def _next(self) -> str:
        self._number += 1
        return f"1700000000000-{self._number}"

    def _entry(self, kind: str, item: str, body: bytes) -> Entry:
        version = str(self._versions[item]).encode()
        fields = (b"type", kind.encode(), b"item", item.encode(), b"version", version)
        position = f"1700000000000-{self._number}".encode()
        return position, [*fields, b"data", body, b"meta", b"{}"]


class Listening:
    """A connection that notes the statements that are sent, and does something before each."""

    def __init__(self, connection: Connection, before: Callable[[], None] = lambda: None) -> None:
        self.sent: set[str] = set()
        self._connection = connection
        self._before = before

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """What the statement finds."""
        self.sent.add(sql)
        self._before()
        return self._connection.rows(sql, parameters)

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """The first row of it."""
        self.sent.add(sql)
        self._before()
        return self._connection.one(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        """All else is as it is there."""
        return getattr(self._connection, name)


@dataclass
class Oracle:
    """What one random query has to find. The library is asked once about each state of an item."""

    query: RandomQuery
    text: Sequence[JsonPath]
    partitions: int = 1
    _is_found: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reads the query."""
        text = self.query.filter
        self._compiled = None if text is None else jsonpath_rfc9535.compile(f"$[?{text}]")
        search = self.query.search
        self._search = None if search is None else Search.of(search)
        order = self.query.order
        self._order = Order(()) if order is None else Order.of(order)

    def found(self, items: Items) -> list[tuple[Rank, Known]]:
        """All that has to be found of the items, in order, with what it sorts by."""
        places = (
            (self.rank(self.place(item)), item) for item in items.values() if self.is_found(item)
        )
        return sorted(places, key=lambda each: each[0])

    def is_found(self, item: Known) -> bool:
        """Whether an item has to be found."""
        if item.position not in self._is_found:
            self._is_found[item.position] = (
                item.id.startswith(self.query.prefixes)
                and (self._compiled is None or bool(self._compiled.find([item.value])))
                and (self._search is None or self._search.matches(item.value, self.text))
            )
        return self._is_found[item.position]

    def place(self, item: Known) -> Place:
        """The item's place in the order."""
        return Place(self._order.keys(item.value), item.id)

    def rank(self, place: Place) -> Rank:
        """What a place sorts by."""
        return rank_of(place, [each.descending for each in self._order.by])


def pages_of(
    oracle: Oracle, connection: Connection, wholes: Mapping[str, Items], limits: Limits, limit: int
) -> Iterator[Found]:
    """All pages of a query, each held against the items as of its position. Raises Wrong."""
    asked, after = oracle.query, None
    is_over = False
    while not is_over:
        query = Query(
            *(COLLECTION, asked.where, asked.order, asked.search, asked.prefixes, after, limit),
            partitions=oracle.partitions,
        )
        page = found(connection, query, limits)
        right = oracle.found(wholes[page.position])
        _check_page(oracle, page, right, after, limits, limit)
        yield page
        after, is_over = page.next, page.next is None


def _check_page(  # noqa: PLR0917 - all of it says what is right
    oracle: Oracle,
    page: Found,
    right: Sequence[tuple[Rank, Known]],
    after: Place | None,
    limits: Limits,
    limit: int,
) -> None:
    start = None if after is None else oracle.rank(after)
    rest = [item for rank, item in right if start is None or start < rank]
    got = [(each.id, each.version, each.position, each.created, each.body) for each in page.items]
    want = [
        (each.id, each.version, each.position, each.created, each.body) for each in rest[: len(got)]
    ]
    _must(got == want, f"{got} are not the first of the rest, {want}")
    _must(len(got) <= limit, f"{len(got)} items on a page of {limit}")
    if page.next is None:
        _must(len(got) == len(rest), f"the last page has {len(got)} of {len(rest)}")
    else:
        end = oracle.rank(page.next)
        beyond = [rank for rank, _ in right if start is None or start < rank][len(got) :]
        _must(start is None or start < end, "the next page begins where this one did")
        _must(not beyond or end < beyond[0], "the next page begins after what was not shown")
        size = sum(len(each.body or b"") for each in page.items)
        next_size = len(rest[len(got)].body) if len(got) < len(rest) else 0
        is_full = len(got) == limit or size + next_size > limits.page_bytes
        _must(is_full or page.plan.looked_at >= limits.rows, "it ends without reason")
    if page.total_is_exact:
        _must(page.total == len(right), f"{page.total} are said to be there, of {len(right)}")
    else:
        _must(page.total <= len(right), f"{page.total} are said to be there, of {len(right)}")


def _must(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - as assert has it
    if not is_so:
        raise Wrong(otherwise[:2_000])


@dataclass
class Tally:
    """What was done."""

    queries: int = 0
    pages: int = 0
    refused: int = 0
    plans: Counter[str] = field(default_factory=Counter)

    def add(self, plan: Plan) -> None:
        """Counts a page."""
        self.pages += 1
        rows = "all" if plan.index is None else "some"
        self.plans[f"{rows} rows, order by {plan.order}"] += 1


def compare(
    databases: Sequence[Database], seed: str, *, items: int, queries: int, partitions: int = 1
) -> Tally:
    """Asks random queries about random items, with random indexes, in so many partitions.

    Each database is asked all of them, when nothing is written and while something is. Raises
    Wrong.
    """
    random, of_writes = Random(seed), Random(f"writes of {seed}")
    has = random_declared(random)
    tally = Tally()
    with closing(Writer(databases, of_writes, has, partitions)) as writer:
        writer.create(items)

        def write() -> None:
            if of_writes.random() < 0.08:
                writer.write()

        for _ in range(queries):
            asked = random_query(random, with_search=bool(has.text))
            oracle = Oracle(asked, has.text, partitions)
            count = len(oracle.found([*writer.wholes.values()][-1]))
            limit = max(oracle.query.limit, count // MOST_PAGES)
            limits = random.choice(LIMITS)
            tally.queries += 1
            for database in databases:
                for before in (lambda: None, write):
                    with closing(Listening(database.reading(), before)) as listening:
                        connection = cast("Connection", listening)
                        try:
                            for page in pages_of(oracle, connection, writer.wholes, limits, limit):
                                tally.add(page.plan)
                        except QueryTooExpensive:
                            _must(limits is NARROW, f"{oracle.query} was refused")
                            tally.refused += 1
                        except Exception as error:
                            error.add_note(f"{database} {oracle.query} {limit} {limits} {has}")
                            raise
    return tally


def main() -> None:
    """Runs what the command line asks for. Raises Wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.queries.oracle", description=__doc__)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=20, help="with other items and indexes")
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with (
        tempfile.TemporaryDirectory() as directory,
        postgres_directory() as place,
        running_postgresql(place) as server,
    ):
        for number in range(options.rounds):
            begun = time.monotonic()
            server.empty()
            tally = compare(
                (SqliteDatabase(Path(directory) / f"{number}"), postgres_database(server.url)),
                f"{options.seed}-{number}",
                items=options.items,
                queries=options.queries // options.rounds,
                partitions=PARTITIONS[number % len(PARTITIONS)],
            )
            print(f"{number}: {time.monotonic() - begun:.0f} s: {tally}", flush=True)


if __name__ == "__main__":
    main()
