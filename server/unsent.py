"""Answers that clients have not taken yet: how many bytes there may be, and which are cut first."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

SILENT = 2.0
"""Seconds without taking a byte after which a client makes room for others."""


class Untaken(Protocol):
    """A connection to which an answer is under way."""

    def cut(self) -> None:
        """Closes it at once."""


class Unsent:
    """The bytes that wait in one process for their clients, at most `most` of them.

    A connection counts from the moment its client falls behind, with all that is kept for it.
    """

    def __init__(self, most: int, on_full: Callable[[], None]) -> None:
        """`on_full` is called where clients are cut because of it."""
        self.bytes = 0
        self._most = most
        self._on_full = on_full
        # The one that has taken nothing for the longest time comes first.
        self._kept: dict[Untaken, tuple[int, float]] = {}

    def keep(self, connection: Untaken, size: int) -> None:
        """Counts what is kept for a connection now. Others are cut where it is too much in all."""
        before, since = self._kept.get(connection, (0, monotonic()))
        self._kept[connection] = size, since
        self.bytes += size - before
        if self.bytes > self._most:
            self._cut_down_to(self._most, monotonic())

    def take_note(self, connection: Untaken) -> None:
        """Notes that its client has just taken something."""
        if connection in self._kept:
            size, _ = self._kept.pop(connection)
            self._kept[connection] = size, monotonic()

    def release(self, connection: Untaken) -> None:
        """Ends the count: all is taken, or lost."""
        size, _ = self._kept.pop(connection, (0, 0.0))
        self.bytes -= size

    def has_room(self, size: int) -> bool:
        """Whether `size` bytes more may be made. Silent clients are cut where that helps."""
        if self.bytes + size > self._most:
            self._cut_down_to(self._most - size, monotonic() - SILENT)
        return self.bytes == 0 or self.bytes + size <= self._most

    def _cut_down_to(self, most: int, until: float) -> None:
        for connection, (_, since) in tuple(self._kept.items()):
            if self.bytes <= most or since > until:
                return
            self.release(connection)
            self._on_full()
            connection.cut()
