"""The newest events of several partitions, in the order in which this process got them.

That order is a choice of this process, and so are the cursors after each event in it. Followers who
are at one of those share what is made for all. One who comes from elsewhere has maybe got more of
one partition and less of another: it gets what it lacks with cursors of its own, and is at one of
the shared ones then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from itemstore.domain.cursors import cursor_at, positions_of
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.eventlog.live_events import (
    KEPT_BYTES,
    KEPT_EVENTS,
    MOST_PIECES,
    PAGE,
    PIECE_BYTES,
    Coming,
    Encode,
    Encoded,
    LiveEvents,
    piece_at,
)

Again = Callable[[bytes, str], bytes]
"""Makes the text of an event for a reader who is at another cursor after it."""


class PartitionedEvents(LiveEvents):
    """Those of several partitions; `newest` is the cursor at which they begin."""

    def __init__(self, newest: str, partitions: int, encode: Encode, again: Again) -> None:
        self.newest = newest
        self._encode = encode
        self._again = again
        self._kept: list[Encoded] = []
        self._positions: list[tuple[int, str]] = []  # of those: the partition and the position
        self._bytes = 0
        self._dropped = 0  # events that are not kept any more: with these they have numbers
        self._ends = positions_of(newest, partitions)
        self._floor = [*map(key_of, self._ends)]
        self._lowest = newest
        self._numbers = {newest: 0}  # by shared cursor: that of the event after it
        self._keys: list[list[tuple[int, int]]] = [[] for _ in self._ends]
        self._numbers_of: list[list[int]] = [[] for _ in self._ends]
        self._pieces: dict[str, Coming | None] = {}

    def holds(self, cursor: str) -> bool:
        """Whether all that comes after the cursor is, or will be, among them."""
        if cursor in self._numbers:
            return True
        positions = self._positions_of(cursor)
        pairs = zip(map(key_of, positions), self._floor, strict=True)
        return all(key >= floor for key, floor in pairs)

    def add(self, recorded: Sequence[RecordedEvent]) -> None:
        """Puts new events to them; the oldest go where there are too many."""
        for event in recorded:
            partition = event.partition or 0
            self._ends[partition] = event.position
            self.newest = cursor_at(self._ends)
            encoded = Encoded.of(event, self.newest, self._encode)
            self._keys[partition].append(key_of(event.position))
            self._numbers_of[partition].append(self._dropped + len(self._kept))
            self._kept.append(encoded)
            self._positions.append((partition, event.position))
            self._bytes += len(encoded.text)
            self._numbers[self.newest] = self._dropped + len(self._kept)
        self._drop()
        self._pieces.clear()

    def after(self, cursor: str) -> Coming | None:
        """The next of them after a cursor that they hold, None after the last one."""
        number = self._numbers.get(cursor)
        if number is None:
            return self._lacking(cursor)
        try:
            return self._pieces[cursor]
        except KeyError:
            pass
        if len(self._pieces) > MOST_PIECES:
            self._pieces.clear()
        piece = self._pieces[cursor] = piece_at(self._kept, number - self._dropped)
        return piece

    def _lacking(self, cursor: str) -> Coming | None:
        """The next ones for a follower who is not at a shared cursor, until it is at one."""
        positions = self._positions_of(cursor)
        keys = [*map(key_of, positions)]
        found: list[Encoded] = []
        size = 0
        for index in range(self._first_after(keys), len(self._kept)):
            partition, position = self._positions[index]
            key = key_of(position)
            if key <= keys[partition]:
                continue
            keys[partition], positions[partition] = key, position
            cursor, kept = cursor_at(positions), self._kept[index]
            if found and size + len(kept.text) > PIECE_BYTES:
                break
            text = self._again(kept.text, cursor)
            found.append(replace(kept, cursor=cursor, text=text))
            size += len(text)
            if cursor == kept.cursor or len(found) == PAGE:
                break
        return Coming(found[-1].cursor, found) if found else None

    def _first_after(self, keys: Sequence[tuple[int, int]]) -> int:
        """The place among those that are kept of the first that comes after its partition's key."""
        firsts = [
            numbers[index]
            for key, of_partition, numbers in zip(keys, self._keys, self._numbers_of, strict=True)
            if (index := bisect_right(of_partition, key)) < len(numbers)
        ]
        return min(firsts, default=self._dropped + len(self._kept)) - self._dropped

    def _positions_of(self, cursor: str) -> list[str]:
        return positions_of(cursor, len(self._floor))

    def _drop(self) -> None:
        """Lets go of the oldest until the others are within the bounds."""
        dropped = 0
        of_each = [0] * len(self._floor)
        while len(self._kept) - dropped > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            event, (partition, position) = self._kept[dropped], self._positions[dropped]
            self._bytes -= len(event.text)
            self._floor[partition] = key_of(position)
            del self._numbers[self._lowest]
            self._lowest = event.cursor
            of_each[partition] += 1
            dropped += 1
        if dropped:
            del self._kept[:dropped], self._positions[:dropped]
            for partition, count in enumerate(of_each):
                del self._keys[partition][:count], self._numbers_of[partition][:count]
            self._dropped += dropped
