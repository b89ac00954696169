"""The order in which items are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.paths import MISSING, Path, listed, read_path, value_at
from itemstore.projections.queries.scanner import Scanner
from itemstore.projections.queries.sort_keys import sort_key


@dataclass(frozen=True, slots=True)
class By:
    """A path that is ordered by, and whether the largest come first."""

    path: Path
    descending: bool


@dataclass(frozen=True, slots=True)
class Order:
    """Paths to order by, each where the ones before it are equal; then by id, ascending.

    Values are in the order of their sort keys (sort_keys.py): numbers, strings, false, true, null,
    arrays, objects; descending, the other way round. Items without the value are last in both.
    """

    by: tuple[By, ...]

    @classmethod
    def of(cls, text: str) -> Order:
        """The order that a text stands for: `-price_cents,title,@.address.city`.

        A `-` before a path is descending. Raises InvalidQuery with the place.
        """
        seen = set[Path]()

        def part(scanner: Scanner) -> By:
            place = scanner.place
            descending = bool(scanner.takes("-"))
            path = read_path(scanner)
            if path in seen:
                raise InvalidQuery("order", f"{path!s:.40} is there twice", place)
            seen.add(path)
            return By(path, descending)

        return cls(tuple(listed(text, "order", part)))

    def keys(self, body: Any) -> tuple[bytes | None, ...]:
        """The sort keys of a body, as json.loads gives it; None where it has no value."""
        values = (value_at(each.path, body) for each in self.by)
        return tuple(None if value is MISSING else sort_key(value) for value in values)
