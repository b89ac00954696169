"""The newest events of a feed, in memory and in the form in which followers send them on."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.engine.steps import steps

KEPT_EVENTS = 10_000
KEPT_BYTES = 64 * 1024 * 1024
PAGE = 200

MOST_PIECES = 1000

PIECE_BYTES = 64 * 1024
"""About how much a follower gets at once: what it does not take stays in memory, for each."""

Encode = Callable[[RecordedEvent, str], bytes]
"""Makes the text of an event out of it and the cursor after it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event in the form that followers send on, and where a reader is after it.

    It is made once for all who are there.
    """

    cursor: str
    type: str
    item: str
    text: bytes
    collection: str

    @classmethod
    def of(cls, event: RecordedEvent, cursor: str, encode: Encode) -> Encoded:
        """The event as it is sent on."""
        return cls(cursor, event.type, event.item, encode(event, cursor), event.collection)


@dataclass(frozen=True, slots=True)
class Coming:
    """Events, and the cursor up to which there are no others.

    `is_shared` where the very same are kept for all followers.
    """

    cursor: str
    events: Sequence[Encoded] = ()
    is_shared: bool = False


class LiveEvents(Protocol):
    """The newest events, for followers who are each at a cursor.

    Its kinds: OrderedEvents of one partition, and `live_partitions.py`.
    """

    newest: str
    """The cursor after all of them: what is up to there is in the log."""

    @abstractmethod
    def holds(self, cursor: str) -> bool:
        """Whether all that comes after the cursor is, or will be, among them."""

    @abstractmethod
    def add(self, recorded: Sequence[RecordedEvent]) -> None:
        """Puts new events to them; the oldest go where there are too many."""

    @abstractmethod
    def after(self, cursor: str) -> Coming | None:
        """The next of them after a cursor that they hold, None after the last one."""


class OrderedEvents(LiveEvents):
    """Those of one partition, by their positions; `newest` is where they begin."""

    def __init__(self, newest: str, encode: Encode) -> None:
        self.newest = newest
        self._encode = encode
        self._kept: list[Encoded] = []
        self._keys: list[tuple[int, int]] = []
        self._bytes = 0
        self._floor = key_of(newest)
        self._pieces: dict[str, Coming | None] = {}  # by the cursor of the followers that asked

    def holds(self, cursor: str) -> bool:
        """Whether all that comes after the position is, or will be, among them."""
        return key_of(cursor) >= self._floor

    def add(self, recorded: Sequence[RecordedEvent]) -> None:
        """Puts new events to them; the oldest go where there are too many."""
        for each in recorded:
            encoded = Encoded.of(each, each.position, self._encode)
            self._kept.append(encoded)
            self._keys.append(key_of(encoded.cursor))
            self._bytes += len(encoded.text)
            self.newest = encoded.cursor
        dropped = 0
        while len(self._kept) - dropped > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept[dropped].text)
            self._floor = self._keys[dropped]
            dropped += 1
        del self._kept[:dropped], self._keys[:dropped]
        self._pieces.clear()

    def after(self, cursor: str) -> Coming | None:
        """The next of them after a position that they hold, None after the last one."""
        # Nearly all followers are at the same place: what comes next is looked up once for them.
        try:
            return self._pieces[cursor]
        except KeyError:
            pass
        if len(self._pieces) > MOST_PIECES:
            self._pieces.clear()
        piece = piece_at(self._kept, bisect_right(self._keys, key_of(cursor)))
        self._pieces[cursor] = piece
        return piece


def piece_at(kept: Sequence[Encoded], index: int) -> Coming | None:
    """What a follower gets at once of what is kept from an index on."""
    pieces = steps(kept[index : index + PAGE], bytes_of, most=PAGE, most_bytes=PIECE_BYTES)
    piece = next(pieces, None)
    return Coming(piece[-1].cursor, piece, is_shared=True) if piece else None


def bytes_of(event: Encoded) -> int:
    """How large an event is that is sent on."""
    return len(event.text)
