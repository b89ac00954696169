"""Items of several partitions as one list in id order, read piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush

from itemstore.domain.evolve import Item


class MergedItems:
    """A page of at most `limit` items and `most_bytes` bytes, or of one item.

    Others may follow the last item that was read of a partition, with any id after that, so the
    page is sure only up to the least of these ids.
    """

    def __init__(self, limit: int, most_bytes: int) -> None:
        self.items: list[Item] = []
        self._limit = limit
        self._bytes_left = most_bytes
        self._is_full = False
        self._waiting: dict[int, deque[Item]] = {}  # read of each partition, and not taken
        self._next: list[tuple[str, int]] = []  # a heap: the first id of what waits of each
        self._last: dict[int, str] = {}  # that was read, of the partitions that have more
        self._dry: list[int] = []  # the partitions that have more, and nothing waits of them

    def add(self, number: int, items: Sequence[Item], *, more: bool) -> None:
        """Takes the next items of a partition of which nothing waits; with `more` others follow."""
        self._waiting[number] = deque(items)
        if number in self._dry:
            self._dry.remove(number)
        if items:
            heappush(self._next, (items[0].id, number))
        if more:
            self._last[number] = items[-1].id
        else:
            self._last.pop(number, None)

    def wanted(self) -> list[tuple[int, str]]:
        """The partitions to ask for more, and after which id; none once the page is complete."""
        while self._next and not (self._is_full or self._dry):
            self._take()
        return [] if self._is_full else [(number, self._last[number]) for number in self._dry]

    @property
    def more(self) -> bool:
        """Whether others follow the page."""
        return bool(self._next or self._last)

    def _take(self) -> None:
        """Takes the item with the least id of all."""
        _, number = self._next[0]
        waiting = self._waiting[number]
        size = len(waiting[0].body or b"")
        if self.items and size > self._bytes_left:
            self._is_full = True
            return
        heappop(self._next)
        self.items.append(waiting.popleft())
        if waiting:
            heappush(self._next, (waiting[0].id, number))
        elif number in self._last:
            self._dry.append(number)
        self._bytes_left -= size
        self._is_full = len(self.items) == self._limit
