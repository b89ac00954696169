"""Only some parts of a body."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from itemstore.projections.queries.paths import MISSING, Path, listed, read_path, value_at

Steps = tuple[str | int, ...]
"""The way to a value, with indexes from the beginning."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Paths to what is wanted of each body.

    It stays where it is: `@.address.city` leaves `{"address":{"city":"Oslo"}}`. The order is the
    body's. Of an array the wanted elements are left, so `@.tags[-1]` leaves an array of one. What a
    body does not have is left out, with what would be empty without it.
    """

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, text: str) -> Fields:
        """The fields that a text names: `title,@.address.city`. Raises InvalidQuery."""
        return cls(tuple(listed(text, "fields", read_path)))

    def projected(self, body: bytes) -> bytes:
        """The body with these fields only, `{}` where it has none.

        Raises ValueError for a body that is not JSON.
        """
        try:
            value = json.loads(body)
            found = {steps for path in self.paths if (steps := _located(path, value)) is not None}
            if () in found:
                return body
            return _written(_left(value, found) if found else {})
        except RecursionError:
            raise ValueError("it is nested too deep") from None


def _located(path: Path, value: Any) -> Steps | None:
    """The way to what is at the path, None if nothing is."""
    steps: list[str | int] = []
    for step in path.steps:
        inner = value_at(Path((step,)), value)
        if inner is MISSING:
            return None
        steps.append(step + len(value) if isinstance(step, int) and step < 0 else step)
        value = inner
    return tuple(steps)


def _left(value: Any, wanted: Collection[Steps]) -> Any:
    """What is left of a value where the rest of it goes; all that is wanted is there."""
    ways = {steps[:size] for steps in wanted for size in range(1, len(steps) + 1)}

    def left(value: Any, steps: Steps) -> Any:
        if steps in wanted:
            return value
        if isinstance(value, dict):
            inner = {name: (*steps, name) for name in value}
            return {name: left(value[name], way) for name, way in inner.items() if way in ways}
        places = ((*steps, place) for place in range(len(value)))
        return [left(value[way[-1]], way) for way in places if way in ways]

    return left(value, ())


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which somebody has written into the log by hand
        return json.dumps(value, separators=(",", ":")).encode()
