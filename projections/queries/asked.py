"""What a query asks for, read: the condition that items have to meet, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from itemstore.domain.prefixes import collapsed
from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.expressions import (
    And,
    Comparison,
    Exists,
    Matches,
    Not,
    Or,
    Selection,
    Test,
    Value,
)
from itemstore.projections.queries.order import Order
from itemstore.projections.queries.paths import Path
from itemstore.projections.queries.query import Place, Query
from itemstore.projections.queries.ranges import ranges_of
from itemstore.projections.queries.ranking import Rank, rank_of
from itemstore.projections.queries.search import Search
from itemstore.projections.queries.walks import EVERY_ID, IdSpan
from itemstore.projections.queries.where import Where

LAST_CHARACTER = chr(0x10FFFF)

SURROGATES = (0xD800, 0xDFFF)
"""They are no characters, and stand between the others."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query whose parts are read. `text` are the paths whose words are searched."""

    where: Where | None
    search: Search | None
    text: Sequence[Path]
    order: Order
    prefixes: tuple[str, ...]
    after: Place | None
    limit: int

    @classmethod
    def of(cls, query: Query, text: Sequence[Path]) -> Asked:
        """What a query asks for. Raises InvalidQuery."""
        where = None if query.where is None else Where.of(query.where)
        search = None if query.search is None else Search.of(query.search)
        if search is not None and not text:
            raise InvalidQuery(
                "search",
                f"no text of {query.collection} is declared to be searched (ITEMSTORE_TEXT)",
            )
        order = Order(()) if query.order is None else Order.of(query.order)
        after = query.after
        if after is not None and not _can_be_of_an_id(after.id):
            raise InvalidQuery("after", "It is no place in a list")
        if after is not None and len(after.keys) != len(order.by):
            raise InvalidQuery("after", "It is of a list in another order")
        prefixes = collapsed(each for each in query.prefixes if _can_be_of_an_id(each))
        return cls(where, search, text, order, prefixes, after, query.limit)

    @property
    def has_every_id(self) -> bool:
        """Whether it is asked of all ids."""
        return self.prefixes == ("",)

    @property
    def ids(self) -> tuple[IdSpan, ...]:
        """The spans of ids that begin with one of the prefixes."""
        if self.has_every_id:
            return EVERY_ID
        return tuple((prefix, _end_of(prefix)) for prefix in self.prefixes)

    @property
    def helpful_paths(self) -> Iterator[Path]:
        """The paths of which an index would leave fewer rows to look at."""
        if self.where is not None:
            for path in dict.fromkeys(_paths_in(self.where.test)):
                if ranges_of(self.where, path) is not None:
                    yield path

    def matches(self, value: Any) -> bool:
        """Whether it is asked for an item with this body, if its id begins as it should."""
        return (self.where is None or self.where.matches(value)) and (
            self.search is None or self.search.matches(value, self.text)
        )

    def place_of(self, id_: str, value: Any) -> Place:
        """The place of an item in the order."""
        return Place(self.order.keys(value), id_)

    def rank_of(self, place: Place) -> Rank:
        """What the place sorts by."""
        return rank_of(place, [each.descending for each in self.order.by])


def _paths_in(test: Test) -> Iterator[Path]:
    """The paths of single values that are compared, looked for or matched."""
    match test:
        case And(tests) | Or(tests):
            for each in tests:
                yield from _paths_in(each)
        case Not(inner):
            yield from _paths_in(inner)
        case Comparison(left, _, right):
            yield from _paths_of(left, right)
        case Exists(selection):
            yield from _paths_of(selection)
        case Matches(text):
            yield from _paths_of(text)


def _paths_of(*operands: Value) -> Iterator[Path]:
    for each in operands:
        if isinstance(each, Selection) and each.steps is not None:
            yield Path(each.steps)


def _can_be_of_an_id(text: str) -> bool:
    """Whether an id may have this in it. What databases take for no text is in none."""
    return "\0" not in text and not any(
        SURROGATES[0] <= ord(each) <= SURROGATES[1] for each in text
    )


def _end_of(prefix: str) -> str | None:
    """What comes right after all that begins with a prefix; None where nothing does."""
    kept = prefix.rstrip(LAST_CHARACTER)
    if not kept:
        return None
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(SURROGATES[1] + 1 if SURROGATES[0] <= code <= SURROGATES[1] else code)
