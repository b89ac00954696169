"""Where a reader is in a store: a position in each of its partitions.

With one partition a cursor is a position. With more its text is CURSOR and the positions packed
together, at most 2 kB for 64 partitions. Two other texts are taken for one: a position, which is
that in every partition; and the ids of events, `<ms>-<seq>@<p>` with commas in between, the last
that a reader has of each partition: of those that are not named it has none.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from itemstore.domain.positions import LARGEST, LAST_TIME, START, key_of, position_at, position_of

CURSOR = "v"
"""What the text of a cursor of several partitions begins with: no position does."""

_POSITION = "[0-9]{1,20}-[0-9]{1,20}"

PATTERN = f"^({_POSITION}(@[0-9]{{1,4}}(,{_POSITION}@[0-9]{{1,4}})*)?|{CURSOR}[A-Za-z0-9_-]+)$"
"""The form of what is taken for a cursor, for JSON Schema."""

ID_PATTERN = f"^{_POSITION}(@[0-9]{{1,4}})?$"
"""The form of an event's id, for JSON Schema."""

_ID = re.compile("([0-9]{1,20}-[0-9]{1,20})@(0|[1-9][0-9]{0,3})")


def cursor_of(text: str, partitions: int = 1) -> str | None:
    """The cursor that a text is in a store with so many partitions; None where it is none."""
    if partitions == 1:
        return position_of(text)
    positions = _read(text, partitions)
    return None if positions is None else cursor_at(positions)


def cursor_at(positions: Sequence[str]) -> str:
    """The cursor of a position in each of the partitions."""
    if len(positions) == 1:
        return positions[0]
    if len({*positions}) == 1:
        return positions[0]
    return _packed([key_of(each) for each in positions])


def positions_of(cursor: str, partitions: int = 1) -> list[str]:
    """The position in each of the partitions. Raises ValueError for a text that is no cursor."""
    if partitions == 1:
        return [cursor]
    positions = _read(cursor, partitions)
    if positions is None:
        message = f"{cursor!r} is no cursor of {partitions} partitions."
        raise ValueError(message)
    return positions


class InPartition(Protocol):
    """What happened at a position of a partition, whose number is None in a store of one."""

    @property
    def position(self) -> str:
        """Its place in the partition."""

    @property
    def partition(self) -> int | None:
        """The partition's number."""


def cursor_after(cursor: str, events: Sequence[InPartition], partitions: int = 1) -> str:
    """Where a reader is that was at a cursor and has got these events since, oldest first."""
    if not events:
        return cursor
    if partitions == 1:
        return events[-1].position
    positions = positions_of(cursor, partitions)
    for event in events:
        positions[event.partition or 0] = event.position
    return cursor_at(positions)


def furthest(cursors: Iterable[str], partitions: int = 1) -> str:
    """In each partition the latest position of any of the cursors; START for none."""
    if partitions == 1:
        return max(cursors, key=key_of, default=START)
    each = [positions_of(cursor, partitions) for cursor in cursors]
    if not each:
        return START
    return cursor_at([max(some, key=key_of) for some in zip(*each, strict=True)])


def nearest(cursor: str, other: str, partitions: int = 1) -> str:
    """In each partition the earlier position of the two cursors."""
    pairs = zip(positions_of(cursor, partitions), positions_of(other, partitions), strict=True)
    return cursor_at([min(pair, key=key_of) for pair in pairs])


def latest(cursor: str, partitions: int = 1) -> str:
    """The latest position that a cursor has in any of the partitions."""
    return max(positions_of(cursor, partitions), key=key_of)


def is_beyond(cursor: str, other: str, partitions: int = 1) -> bool:
    """Whether a cursor is after another in any of the partitions."""
    if partitions == 1:
        return key_of(cursor) > key_of(other)
    pairs = zip(positions_of(cursor, partitions), positions_of(other, partitions), strict=True)
    return any(key_of(one) > key_of(two) for one, two in pairs)


def is_from_ahead(cursor: str, end: str, partitions: int = 1) -> bool:
    """Whether a cursor is of a store that came further in any partition than to this end.

    One of several partitions may have a time in it, before which no event is asked for: its number
    is one that no event has. A partition need not have come to that.
    """
    if partitions == 1:
        return key_of(cursor) > key_of(end)
    return partition_ahead(cursor, end, partitions) is not None


def partition_ahead(cursor: str, end: str, partitions: int) -> tuple[int, str, str] | None:
    """The first of several partitions that did not come as far as a cursor of another store.

    Its number, where the cursor is in it, and where it ends; see is_from_ahead.
    """
    pairs = zip(positions_of(cursor, partitions), positions_of(end, partitions), strict=True)
    for number, (one, two) in enumerate(pairs):
        milliseconds, count = key_of(one)
        is_time = count == LARGEST and milliseconds <= LAST_TIME
        if key_of(one) > key_of(two) and not is_time:
            return number, one, two
    return None


def event_id(position: str, partition: int | None) -> str:
    """What names an event in its collection: its position, and `@` its partition, if several."""
    return position if partition is None else f"{position}@{partition}"


def position_in(text: str, partition: int | None = None) -> str | None:
    """The position in an event's id, with a partition or without; None where a text is none.

    Where a partition is named, an id of another one is none.
    """
    if "@" not in text or (match := _ID.fullmatch(text)) is None:
        return position_of(text)
    return position_of(match[1]) if partition in (None, int(match[2])) else None


def _read(text: str, partitions: int) -> list[str] | None:
    """The positions that a text says of so many partitions; None where it says none."""
    if text.startswith(CURSOR):
        return _unpacked(text, partitions)
    if "@" in text:
        return _last_of_each(text.split(","), partitions)
    position = position_of(text)
    return None if position is None else [position] * partitions


def _last_of_each(ids: Sequence[str], partitions: int) -> list[str] | None:
    positions = [START] * partitions
    for each in ids:
        match = _ID.fullmatch(each)
        position = match and position_of(match[1])
        if match is None or position is None or int(match[2]) >= partitions:
            return None
        place = int(match[2])
        positions[place] = max(positions[place], position, key=key_of)
    return positions


def _packed(keys: Sequence[tuple[int, int]]) -> str:
    """The latest time, and for each partition how much earlier its own is, and its number."""
    latest = max(milliseconds for milliseconds, _ in keys)
    numbers = [len(keys), latest]
    for milliseconds, number in keys:
        numbers += (latest - milliseconds, number)
    packed = b"".join(map(_varint, numbers))
    return CURSOR + urlsafe_b64encode(packed).rstrip(b"=").decode()


def _unpacked(text: str, partitions: int) -> list[str] | None:
    packed = text[len(CURSOR) :]
    try:
        raw = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        numbers = [*_varints(raw)]
    except (Error, ValueError):
        return None
    if len(numbers) != 2 + 2 * partitions or numbers[0] != partitions:
        return None
    latest = numbers[1]
    pairs = zip(numbers[2::2], numbers[3::2], strict=True)
    keys = [(latest - earlier, number) for earlier, number in pairs]
    if any(not (0 <= one <= LARGEST and two <= LARGEST) for one, two in keys):
        return None
    return [position_at(*key) for key in keys]


_SEVEN_BITS, _GOES_ON = 0x7F, 0x80


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth."""
    made = bytearray()
    while number > _SEVEN_BITS:
        made.append(number & _SEVEN_BITS | _GOES_ON)
        number >>= 7
    made.append(number)
    return bytes(made)


def _varints(raw: bytes) -> Iterator[int]:
    """The numbers that these bytes are. Raises ValueError where they end within one."""
    number = shift = 0
    for byte in raw:
        number |= (byte & _SEVEN_BITS) << shift
        shift += 7
        if byte < _GOES_ON:
            yield number
            number = shift = 0
    if shift:
        message = "It ends within a number."
        raise ValueError(message)
