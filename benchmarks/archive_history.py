"""A history of any length that nobody has to remember: each event is computed from its number.

The items take turns: in each round every item gets an event, in an order that is the round's own.
So the version of an item is the round, and it is as easy to say which event made a version, or
which version was current at a time, as to make the next event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from math import gcd
from typing import NamedTuple

from itemstore.eventlog.importing import BATCH, Step

BEGINNING = 1_760_000_000_000
"""The time of the first event, in milliseconds since 1970."""

EVERY = 10
"""Milliseconds from one event to the next."""

FIELDS = 5
"""How many arguments of the import's script an event takes."""


class Event(NamedTuple):
    """One event; its body is empty on a delete."""

    position: str
    type: str
    item: str
    version: int
    body: bytes


@dataclass(frozen=True)
class History:
    """The first `events` events of `items` items."""

    items: int
    events: int

    def event(self, number: int) -> Event:
        """The event of a number, from 0."""
        turn, place = divmod(number, self.items)
        factor, shift = self._order(turn)
        item, version = (factor * place + shift) % self.items, turn + 1
        if _deletes(item, version):
            return Event(self.position(number), "ItemDeleted", f"item-{item}", version, b"")
        is_new = version == 1 or _deletes(item, version - 1)
        body = b'{"name":"item %d, version %d","size":%d}' % (item, version, number)
        kind = "ItemCreated" if is_new else "ItemUpdated"
        return Event(self.position(number), kind, f"item-{item}", version, body)

    @staticmethod
    def position(number: int) -> str:
        """Where the event of a number is in the log."""
        return f"{BEGINNING + EVERY * number}-0"

    def number(self, item: int, version: int) -> int:
        """The number of the event that made a version of an item; it may not be there yet."""
        factor, shift = self._order(version - 1)
        place = (item - shift) * pow(factor, -1, self.items) % self.items
        return (version - 1) * self.items + place

    def versions(self, item: int) -> int:
        """How many versions an item has."""
        whole = self.events // self.items
        return whole + (self.number(item, whole + 1) < self.events)

    def version_at(self, item: int, second: int) -> int:
        """The version of an item at the end of a second since 1970, 0 before its first."""
        last = min((second * 1000 + 999 - BEGINNING) // EVERY, self.events - 1)
        if last < 0:
            return 0
        turn = last // self.items
        return turn + (self.number(item, turn + 1) <= last)

    def steps(self, first: int, last: int) -> Iterator[Step]:
        """Events from a number up to, and without, another, as an import writes them."""
        for start in range(first, last, BATCH):
            end = min(start + BATCH, last)
            arguments: list[str | bytes] = []
            for number in range(start, end):
                position, kind, item, _, body = self.event(number)
                arguments += (position, kind, item, body, b"{}")
            yield Step(end - start, end, ("items",), "", arguments)

    def _order(self, turn: int) -> tuple[int, int]:
        """How the places of a round are those of the items: by a factor, and from where."""
        factors = _factors(self.items)
        return factors[turn % len(factors)], turn * 7919 % self.items


def _deletes(item: int, version: int) -> bool:
    """Whether a version of an item is a deletion: now and then, and never two in a row."""
    return version % 7 == 0 and (item + version) % 4 == 0


@cache
def _factors(items: int) -> tuple[int, ...]:
    """Numbers that have no divisor in common with the number of items."""
    return tuple(islice((each for each in count(7919, 2) if gcd(each, items) == 1), 64))
