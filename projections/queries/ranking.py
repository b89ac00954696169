"""The order of what is found, where memory sorts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Generic, TypeVar

from itemstore.projections.queries.query import Place

T = TypeVar("T")

Rank = tuple[object, ...]
"""What sorts as the items do: for each path whether there is no value, and its key; then the id."""


@total_ordering
@dataclass(frozen=True, slots=True)
class _Descending:
    key: bytes

    def __lt__(self, other: _Descending) -> bool:
        return other.key < self.key


def rank_of(place: Place, descending: Sequence[bool]) -> Rank:
    """The rank of an item at a place; `descending` says it of each path that is ordered by.

    What has no value comes last in both directions, and ids always go up.
    """
    keys = (
        (key is None, _Descending(key) if key is not None and is_down else key or b"")
        for key, is_down in zip(place.keys, descending, strict=True)
    )
    return (*keys, place.id)


class Lowest(Generic[T]):
    """Those of the lowest ranks, so many of them, of all that were added."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[Rank, T]] = []
        self._highest: Rank | None = None

    def add(self, rank: Rank, value: T) -> None:
        """Adds one. No two have the same rank."""
        if self._highest is None or rank < self._highest:
            self._kept.append((rank, value))
            if len(self._kept) >= 2 * self._most + 100:
                self._shrink()

    def __iter__(self) -> Iterator[T]:
        """Those that are lowest, in order."""
        self._shrink()
        return (value for _, value in self._kept)

    def _shrink(self) -> None:
        self._kept.sort(key=lambda each: each[0])
        del self._kept[self._most :]
        if len(self._kept) == self._most:
            self._highest = self._kept[-1][0]
