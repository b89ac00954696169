"""The moments of a partition's events, and what bounds them.

The events of a transaction have one moment. Moments are counted from 0 in the order of the log; -1
is before the first of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.torture.history import NEVER, LogEntry, Operation, by_partition
from tests.torture.rules import exists
from tests.torture.violation import Violation


@dataclass(frozen=True, slots=True)
class Bound:
    """A time, and which client says that an event was not before it, or not after it."""

    time: float
    operation: Operation | None = None
    entry: LogEntry | None = None


NOT_BEFORE, NOT_AFTER = Bound(-NEVER), Bound(NEVER)


class Timeline:
    """What there was after each moment, and between which times that moment was."""

    def __init__(self, log: Sequence[LogEntry]) -> None:
        self.log = log
        self.moment = list[int]()
        """Of each event of the log."""
        self.places: dict[str, list[int]] = defaultdict(list)
        """Where in the log the events of an item are."""
        self._moments: dict[str, list[int]] = defaultdict(list)
        """The moments of the events of an item."""
        for place, entry in enumerate(log):
            is_next = not place or not entry.tag or entry.tag != log[place - 1].tag
            self.moment.append(self.moment[-1] + is_next if place else 0)
            self.places[entry.item].append(place)
            self._moments[entry.item].append(self.moment[-1])
        count = self.moment[-1] + 1 if log else 0
        self._not_before = [NOT_BEFORE] * count
        self._not_after = [NOT_AFTER] * count
        self._earliest: list[float] = []
        self._latest: list[float] = []

    def had_happened(self, place: int, operation: Operation) -> None:
        """The event at a place had, when the operation returned."""
        moment = self.moment[place]
        if operation.returned < self._not_after[moment].time:
            self._not_after[moment] = Bound(operation.returned, operation, self.log[place])

    def had_not_happened(self, place: int, operation: Operation) -> None:
        """The event at a place had not, when the operation was called."""
        moment = self.moment[place]
        if operation.called > self._not_before[moment].time:
            self._not_before[moment] = Bound(operation.called, operation, self.log[place])

    def lasted(self, item: str, version: int) -> bool:
        """Whether there was a moment after which an item was at this version; 0: at none yet."""
        moments = self._moments.get(item, [])
        return not 0 < version < len(moments) or moments[version - 1] < moments[version]

    def state(self, item: str, moment: int) -> LogEntry | None:
        """What an item's last event was after a moment."""
        number = bisect_right(self._moments.get(item, []), moment)
        return self.log[self.places[item][number - 1]] if number else None

    def settle(self) -> Iterator[Violation]:
        """Finds the earliest and the latest time of each moment, and what contradicts itself."""
        bound = NOT_BEFORE
        for not_before, not_after in zip(self._not_before, self._not_after, strict=True):
            if not_before.time > bound.time:
                bound = not_before
            if bound.time > not_after.time:
                yield _contradiction(bound, not_after)
                bound = replace(bound, time=not_after.time)
            self._earliest.append(bound.time)
        self._latest = [bound.time for bound in self._not_after]
        for moment in range(len(self._latest) - 2, -1, -1):
            self._latest[moment] = min(self._latest[moment], self._latest[moment + 1])

    def during(self, operation: Operation) -> range:
        """The moments after which an operation can have been; once all is settled."""
        first = max(-1, bisect_left(self._latest, operation.called) - 1)
        return range(first, bisect_right(self._earliest, operation.returned))


class Timelines:
    """That of each partition: moments of two of them are in no order."""

    def __init__(self, log: Sequence[LogEntry]) -> None:
        self.each = {number: Timeline(part) for number, part in by_partition(log).items()}
        self._of = {item: timeline for timeline in self.each.values() for item in timeline.places}

    def of(self, *items: str) -> Timeline:
        """That of the partition which some items are in; any where none of them ever was."""
        known = (self._of[item] for item in items if item in self._of)
        return next(known, None) or next(iter(self.each.values()), Timeline([]))

    def settle(self) -> Iterator[Violation]:
        """Finds the times of all moments, and what contradicts itself."""
        for timeline in self.each.values():
            yield from timeline.settle()


def _contradiction(not_before: Bound, not_after: Bound) -> Violation:
    late, early = not_before.operation, not_after.operation
    assert late is not None
    assert early is not None
    if (late.is_write and late.is_refusal) or (early.is_write and early.is_refusal):
        name = "wrong refusal"
    elif not late.is_write:
        deleted = not_before.entry is not None and not exists(not_before.entry)
        name = "resurrected item" if deleted else "stale read"
    elif not early.is_write:
        name = "read from the future"
    else:
        name = "order not kept"
    return Violation(
        name,
        f"{not_before.entry} was not before {not_before.time:.6f}, by {late}; "
        f"{not_after.entry} not after {not_after.time:.6f}, by {early}",
    )
