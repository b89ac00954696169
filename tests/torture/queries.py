"""What clients ask of the items of a collection, and what is right, without code of the store."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from urllib.parse import urlencode

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge
}  # fmt: skip

MEMBERS = ("size", "name")
"""Of each item: a number and a string."""


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: what is at a member, with a value of the same type."""

    member: str
    operator: str
    value: int | str

    def __str__(self) -> str:
        """As RFC 9535 writes it."""
        return f"@.{self.member} {self.operator} {json.dumps(self.value)}"

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether it does for a body: values of two types, or none, differ, and are in no order."""
        found = body.get(self.member)
        if type(found) is not type(self.value):
            return self.operator == "!="
        return OPERATORS[self.operator](found, self.value)


Place = tuple[str, dict[str, Any]]
"""The id and the body of the last item of a page."""


@dataclass(frozen=True, slots=True)
class Query:
    """A page of a collection's items: of those for which one of `where` holds as a whole.

    `order` are members, with a dash for descending ones; `fields` are members, none for all.
    """

    collection: str
    where: tuple[tuple[Term, ...], ...] = ()
    order: tuple[str, ...] = ()
    prefix: str = ""
    limit: int = 100
    fields: tuple[str, ...] = ()

    def path(self, **others: str | None) -> str:
        """The URL's path and query, with other parameters where they are something."""
        where = " || ".join(" && ".join(map(str, terms)) for terms in self.where)
        order, fields = ",".join(self.order), ",".join(self.fields)
        parameters = {"where": where, "order": order, "prefix": self.prefix, "fields": fields}
        named = parameters | {"limit": str(self.limit)} | others
        return f"/{self.collection}?{urlencode({k: v for k, v in named.items() if v})}"

    def found(self, bodies: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
        """All that it finds among bodies by id, in order."""
        some = (pair for pair in bodies.items() if self._is_asked_for(*pair))
        return sorted(some, key=lambda pair: self._key(*pair))

    def after(
        self, found: Sequence[tuple[str, dict[str, Any]]], place: Place | None
    ) -> list[tuple[str, dict[str, Any]]]:
        """Those of what it finds that come after a place."""
        if place is None:
            return list(found)
        last = self._key(*place)
        return [pair for pair in found if self._key(*pair) > last]

    def shown(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What an answer has of a body."""
        return {name: body[name] for name in body if not self.fields or name in self.fields}

    def _is_asked_for(self, item: str, body: dict[str, Any]) -> bool:
        holds = (all(term.holds(body) for term in terms) for terms in self.where)
        return item.startswith(self.prefix) and (not self.where or any(holds))

    def _key(self, item: str, body: Mapping[str, Any]) -> Any:
        return *(_key_at(member, body) for member in self.order), item.encode()

    def as_text(self) -> str:
        """All of it, for a history."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Query:
        """What `as_text` gave."""
        said = json.loads(text)
        where = tuple(tuple(Term(**term) for term in terms) for terms in said.pop("where"))
        order, fields = tuple(said.pop("order")), tuple(said.pop("fields"))
        return cls(where=where, order=order, fields=fields, **said)


RANKS: Mapping[type, int] = {int: 0, str: 1, type(None): 2}
"""Of the types of values that there are, in the order of them."""


def _key_at(member: str, body: Mapping[str, Any]) -> Any:
    """What a body is ordered by; one without the value is last, whichever way that is."""
    name = member.removeprefix("-")
    if name not in body:
        return (1,)
    found = body[name]
    value = RANKS[type(found)], 0 if found is None else found
    return 0, _Descending(value) if member.startswith("-") else value


@dataclass(frozen=True, slots=True)
class _Descending:
    """A value in the other order."""

    value: Any

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)


def a_query(chance: random.Random, collection: str, prefix: str, count: int) -> Query:
    """Any query, of a collection whose sizes go up to about a count."""
    where = tuple(
        tuple(_term(chance, count) for _ in range(chance.choice([1, 1, 2])))
        for _ in range(chance.choice([0, 1, 1, 2]))
    )
    order = chance.choice(
        [(), ("size",), ("-size",), ("name",), ("-size", "name"), ("size", "-name")]
    )
    return Query(
        collection,
        where,
        order if where or order else ("name",),  # else it would be a plain list
        chance.choice(["", prefix]),
        chance.choice([1, 3, 7, 100]),
        chance.choice([(), (), ("name",), ("size", "name")]),
    )


def _term(chance: random.Random, count: int) -> Term:
    operator = chance.choice([*OPERATORS, ">=", "<"])
    if chance.random() < 0.7:
        return Term("size", operator, chance.randint(0, count))
    return Term("name", operator, f"00-{chance.getrandbits(127):032x}")


def body_of(text: str) -> dict[str, Any]:
    """A body that the log has."""
    body: dict[str, Any] = json.loads(text)
    return body
