"""What several partitions gave for one step of a reader, put together in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from itemstore.domain.cursors import cursor_at
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.eventlog.codec import decode_flat
from itemstore.eventlog.reader import Entry, Part, Within, size_of

LEAST_BYTES = 16 * 1024
"""What each partition is asked for at least, however many share a step."""

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MergedPart(Part):
    """Entries of several partitions: `partitions` says which one each is of.

    The reader began after `begin` in each of the partitions, and is at the cursor `position` now.
    """

    partitions: Sequence[int] = ()
    begin: Sequence[str] = ()

    def events(self) -> list[RecordedEvent]:
        """The entries as events. Raises MalformedEntry."""
        whose = zip(self.entries, self.collections, self.partitions, strict=True)
        return [
            decode_flat(position, fields, collection, partition)
            for (position, fields), collection, partition in whose
        ]

    def events_and_cursors(self) -> list[tuple[RecordedEvent, str]]:
        """Each event, and where a reader is after it. Raises MalformedEntry."""
        places = map(cursor_at, self._places(len(self.entries)))
        return [*zip(self.events(), places, strict=True)]

    def cursor_after(self, count: int) -> str:
        """Where a reader is that takes the first entries only, at least one."""
        *_, last = self._places(count)
        return cursor_at(last)

    def _places(self, count: int) -> Iterator[list[str]]:
        """The positions in all partitions after each of the first entries: one list, changed."""
        positions = [*self.begin]
        for (position, _), partition in zip(self.entries[:count], self.partitions, strict=False):
            positions[partition] = position.decode()
            yield positions


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry that a partition gave."""

    key: Key
    partition: int
    entry: Entry
    collection: str

    @property
    def place(self) -> tuple[Key, int]:
        """What entries are sorted by."""
        return self.key, self.partition


def share_of(within: Within, partitions: int) -> Within:
    """What each of so many partitions is asked for: together about twice of what is wanted.

    They are not equally full, and what one has after the horizon is for a later step.
    """
    if partitions == 1:
        return within
    return replace(
        within,
        entries=-(-2 * within.entries // partitions),
        bytes=max(LEAST_BYTES, 2 * within.bytes // partitions),
    )


def merged(positions: Sequence[str], parts: Mapping[int, Part], within: Within) -> MergedPart:
    """What the partitions of these numbers gave to a reader who is at these positions.

    There is nothing from after the horizon, up to which each partition was looked through: what
    comes later in one may be before it in another. What is left out comes with the next step.
    """
    found = _in_order(parts)
    horizon = min((key_of(each.position) for each in parts.values() if not each.is_end), default=())
    taken = [each for each in found if not horizon or each.key <= horizon]
    fitting = _fitting(taken, within)
    if fitting < len(taken):
        del taken[fitting:]
        horizon = taken[-1].key
    left = {each.partition: each for each in reversed(found[len(taken) :])}
    ends = [*positions]
    for each in taken:
        ends[each.partition] = each.entry[0].decode()
    for number, part in parts.items():
        if number not in left:
            ends[number] = part.position
        elif left[number].key > horizon > key_of(ends[number]):
            ends[number] = "{}-{}".format(*horizon)
    return MergedPart(
        [each.entry for each in taken],
        cursor_at(ends),
        sum(part.looked for part in parts.values()),
        not left and all(part.is_end for part in parts.values()),
        [each.collection for each in taken],
        partitions=[each.partition for each in taken],
        begin=positions,
    )


def _in_order(parts: Mapping[int, Part]) -> list[_Found]:
    found = [
        _Found(key_of(entry[0].decode()), number, entry, collection)
        for number, part in parts.items()
        for entry, collection in zip(part.entries, part.collections, strict=True)
    ]
    return sorted(found, key=lambda each: each.place)


def _fitting(found: Sequence[_Found], within: Within) -> int:
    """How many of the first are within the bounds: at least one, if there is any."""
    size = 0
    for count, each in enumerate(found[: within.entries]):
        size += size_of((each.entry,))
        if size > within.bytes and count:
            return count
    return min(len(found), within.entries)
