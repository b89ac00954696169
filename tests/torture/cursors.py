"""Where a reader is in each partition, by the documented forms of cursors.

No code of the store is in it. With one partition it is a position. With several, such a position
in each of them, or the ids of the last events read, with commas in between; and what the store
itself gives out.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator

from tests.torture.history import LogEntry, place_of

Places = dict[int | None, tuple[int, int]]
"""The place in each partition, by its number; under None that in those which are not named."""

START = (0, 0)


def places_of(cursor: str) -> Places:
    """What a cursor says."""
    if cursor.startswith("v"):
        return dict(enumerate(_unpacked(cursor[1:])))
    if "@" not in cursor:
        return {None: place_of(cursor)}
    places: Places = {None: START}
    for each in cursor.split(","):
        partition = int(each.partition("@")[2])
        places[partition] = max(places.get(partition, START), place_of(each))
    return places


def place_in(cursor: Places, partition: int) -> tuple[int, int]:
    """Where a reader is in one partition."""
    return cursor.get(partition, cursor.get(None, START))


def last_of_each(entries: Iterable[LogEntry | str]) -> str:
    """The cursor of one who has read these events, or events of these ids, in this order."""
    last: dict[str, str] = {}
    for each in entries:
        name = each if isinstance(each, str) else each.position
        partition = name.partition("@")[2]
        if partition not in last or place_of(last[partition]) < place_of(name):
            last[partition] = name
    return ",".join(last.values()) or "0-0"


def _unpacked(text: str) -> Iterator[tuple[int, int]]:
    """What stands behind the `v`: numbers of seven bits a byte, the lowest of them first.

    They are how many partitions there are, the latest time, and for each how much earlier its own
    is, and its number.
    """
    numbers, number, shift = list[int](), 0, 0
    for byte in urlsafe_b64decode(text + "=" * (-len(text) % 4)):
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            numbers.append(number)
            number = shift = 0
    for earlier, count in zip(numbers[2::2], numbers[3::2], strict=True):
        yield numbers[1] - earlier, count
