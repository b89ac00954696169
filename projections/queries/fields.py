"""Only some parts of a body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import Any

from itemstore.projections.queries.paths import MISSING, Path, listed, read_path

Tree = dict[str | int, Any]
"""What is wanted of a value: of which of its members and elements what. An empty one is all."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Paths to what is wanted of each body, as a tree.

    It stays where it is: `@.address.city` leaves `{"address":{"city":"Oslo"}}`. The order is the
    body's. Of an array the wanted elements are left, so `@.tags[-1]` leaves an array of one. What a
    body does not have is left out, with what would be empty without it.
    """

    wanted: Tree

    @classmethod
    def of(cls, text: str, parameter: str = "fields") -> Fields:
        """The fields that a text names: `title,@.address.city`. Raises InvalidQuery."""
        return cls(reduce(_both, map(_tree_of, listed(text, parameter, read_path))))

    def projected(self, body: bytes) -> bytes:
        """The body with these fields only, `{}` where it has none.

        Raises ValueError for a body that is not JSON.
        """
        try:
            value = json.loads(body)
            if not self.wanted:
                return body
            left = _left(value, self.wanted)
            return _written({} if left is MISSING else left)
        except RecursionError:
            raise ValueError("it is nested too deep") from None


def _tree_of(path: Path) -> Tree:
    tree: Tree = {}
    for step in reversed(path.steps):
        tree = {step: tree}
    return tree


def _both(one: Tree, other: Tree) -> Tree:
    """What is wanted by either."""
    if not one or not other:
        return {}
    both = dict(one)
    for step, tree in other.items():
        both[step] = _both(both[step], tree) if step in both else tree
    return both


def _left(value: Any, wanted: Tree) -> Any:
    """What is left of a value where the rest of it goes; MISSING if nothing is."""
    if not wanted:
        return value
    if isinstance(value, dict):
        names = (name for name in value if name in wanted)
        members = {name: _left(value[name], wanted[name]) for name in names}
        return {name: left for name, left in members.items() if left is not MISSING} or MISSING
    if isinstance(value, list):
        places = _from_the_beginning(wanted, len(value))
        elements = (_left(value[place], places[place]) for place in sorted(places))
        return [left for left in elements if left is not MISSING] or MISSING
    return MISSING


def _from_the_beginning(wanted: Tree, length: int) -> dict[int, Tree]:
    """What is wanted of the elements of an array that has so many, none of them counted twice."""
    places: dict[int, Tree] = {}
    for step, tree in wanted.items():
        if isinstance(step, str):
            continue
        place = step + length if step < 0 else step
        if 0 <= place < length:
            places[place] = _both(places[place], tree) if place in places else tree
    return places


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which somebody has written into the log by hand
        return json.dumps(value, separators=(",", ":")).encode()
