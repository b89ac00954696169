"""Whether there are moments at which everything can have happened.

The log is the order of all writes, so the question, which is hard in general, is easy here. Each
event happened at some moment. An acknowledged write bounds it by its call and its return. So does
what was read: it had happened when the read returned, and what comes after it had not happened
when the read was called. A refusal is a read of the state that it names. The history is
linearizable, over all items together, if there are moments within all these bounds that go up
along the log; and there are if the earliest ones that do are early enough.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.torture.history import NEVER, Answer, LogEntry, Operation
from tests.torture.rules import exists, is_admitted
from tests.torture.violation import Violation


@dataclass(frozen=True, slots=True)
class Bound:
    """A moment, and which client says that an event was not before it, or not after it."""

    time: float
    operation: Operation | None = None
    entry: LogEntry | None = None


NOT_BEFORE, NOT_AFTER = Bound(-NEVER), Bound(NEVER)


class Moments:
    """The bounds of each event's moment, by its place in the log, and what contradicts them."""

    def __init__(self, history: Sequence[Operation], log: Sequence[LogEntry]) -> None:
        self._log = log
        self._states: dict[str, list[int]] = defaultdict(list)
        """Where in the log the events of an item are."""
        for place, entry in enumerate(log):
            self._states[entry.item].append(place)
        self._not_before = [NOT_BEFORE] * len(log)
        self._not_after = [NOT_AFTER] * len(log)
        self._history = history

    def violations(self) -> Iterator[Violation]:
        """All that is wrong with the order of things."""
        self._bound_by_writes()
        absences, lists = [], []
        for operation in self._history:
            if operation.answer is None or operation.answer.status not in {200, 304, 404, 412}:
                continue
            if operation.is_acknowledged:
                continue
            if operation.method == "LIST":
                lists.append((operation, seen := self._seen(operation.answer)))
                yield from self._bound_by_list(operation, seen)
            elif operation.answer.status == 412 and operation.answer.version is None:
                absences.append(operation)
            else:
                yield from self._bound_by_read(operation, operation.answer)
        earliest: list[float] = []
        yield from self._contradictions(earliest)
        latest = [bound.time for bound in self._not_after]
        for place in range(len(latest) - 2, -1, -1):
            latest[place] = min(latest[place], latest[place + 1])
        yield from self._wrong_absences(absences, earliest, latest)
        yield from self._torn_lists(lists, earliest, latest)

    def _bound_by_writes(self) -> None:
        asked = {operation.tag: operation for operation in self._history}
        for place, entry in enumerate(self._log):
            if operation := asked.get(entry.tag):
                self._not_before[place] = Bound(operation.called, operation, entry)
                if operation.is_acknowledged:
                    self._not_after[place] = Bound(operation.returned, operation, entry)

    def _bound_by_read(self, operation: Operation, answer: Answer) -> Iterator[Violation]:
        """What was read had happened at the return; what comes after it had not at the call."""
        version = answer.version or 0
        states = self._states.get(operation.item, [])
        if version > len(states):
            yield Violation("read of what never was", f"{operation}; versions end at {len(states)}")
            return
        entry = self._log[states[version - 1]] if version else None
        if reason := _untrue(operation, answer, entry):
            yield Violation(reason, f"{operation} {answer.body}; the log has {entry}")
            return
        if version:
            place = states[version - 1]
            if operation.returned < self._not_after[place].time:
                self._not_after[place] = Bound(operation.returned, operation, entry)
        is_immutable = operation.method == "VERSION" and answer.problem != "version-not-found"
        if version < len(states) and not (version and is_immutable):
            place = states[version]
            if operation.called > self._not_before[place].time:
                self._not_before[place] = Bound(operation.called, operation, self._log[place])

    def _seen(self, answer: Answer) -> dict[str, int] | None:
        """Where in the log the states are that a list shows; None where one of them never was."""
        places = {}
        for listed in json.loads(answer.body)["items"]:
            states = self._states.get(listed["id"], [])
            if listed["version"] > len(states):
                return None
            place = places[listed["id"]] = states[listed["version"] - 1]
            if self._log[place].body != json.dumps(listed["item"], separators=(",", ":")):
                return None
        return places

    def _span(self, seen: Mapping[str, int]) -> tuple[int, int]:
        """The last event that a list shows, and the first of the same items that it does not."""
        following = [
            self._states[item][self._log[place].version]
            for item, place in seen.items()
            if self._log[place].version < len(self._states[item])
        ]
        return max(seen.values(), default=-1), min(following, default=len(self._log))

    def _bound_by_list(
        self, operation: Operation, seen: Mapping[str, int] | None
    ) -> Iterator[Violation]:
        """All that it shows had happened at the return; the next had not at the call."""
        if seen is None:
            yield Violation("read of what never was", f"{operation}: {operation.answer}"[:3000])
            return
        last, following = self._span(seen)
        if last >= 0 and operation.returned < self._not_after[last].time:
            self._not_after[last] = Bound(operation.returned, operation, self._log[last])
        if following < len(self._log) and operation.called > self._not_before[following].time:
            entry = self._log[following]
            self._not_before[following] = Bound(operation.called, operation, entry)

    def _torn_lists(
        self,
        lists: Iterable[tuple[Operation, Mapping[str, int] | None]],
        earliest: Sequence[float],
        latest: Sequence[float],
    ) -> Iterator[Violation]:
        """There is one place in the log at which all is as a list says, what it leaves out too."""
        for operation, seen in lists:
            if seen is None:
                continue
            last, following = self._span(seen)
            first = max(last, bisect_left(latest, operation.called) - 1)
            end = min(following, bisect_right(earliest, operation.returned))
            others = [name for name in self._states if name.startswith(operation.item)]
            others = [name for name in others if name not in seen]
            is_whole = any(
                not any(self._is_there(name, place) for name in others)
                for place in range(first, end)
            )
            if not is_whole:
                yield Violation("torn list", f"{operation}: {operation.answer}"[:3000])

    def _is_there(self, item: str, place: int) -> bool:
        """Whether the item exists after the event at a place in the log."""
        states = self._states[item]
        number = bisect_right(states, place)
        return number > 0 and exists(self._log[states[number - 1]])

    def _contradictions(self, earliest: list[float]) -> Iterator[Violation]:
        bound = NOT_BEFORE
        for not_before, not_after in zip(self._not_before, self._not_after, strict=True):
            if not_before.time > bound.time:
                bound = not_before
            if bound.time > not_after.time:
                yield _contradiction(bound, not_after)
                bound = replace(bound, time=not_after.time)
            earliest.append(bound.time)

    def _wrong_absences(
        self,
        absences: Iterable[Operation],
        earliest: Sequence[float],
        latest: Sequence[float],
    ) -> Iterator[Violation]:
        """A refusal that says that there is no item was true at some moment."""
        for operation in absences:
            places = self._states.get(operation.item, [])
            begins = [-NEVER, *(earliest[place] for place in places)]
            ends = [*(latest[place] for place in places), NEVER]
            was_absent = any(
                begin <= operation.returned and end >= operation.called
                for version, (begin, end) in enumerate(zip(begins, ends, strict=True))
                if not exists(self._log[places[version - 1]] if version else None)
            )
            if not was_absent or is_admitted(operation.headers, None):
                yield Violation("wrong refusal", f"{operation}; the item was there all the time")


def _untrue(operation: Operation, answer: Answer, entry: LogEntry | None) -> str | None:
    """The name of what is wrong with a read or a refusal, beside the state that it speaks of."""
    if answer.status == 412:
        is_true = exists(entry) and not is_admitted(operation.headers, entry)
    elif answer.problem == "item-deleted":
        is_true = entry is not None and not exists(entry)
    elif answer.problem == "item-not-found":
        is_true = entry is None
    elif answer.problem == "version-not-found":
        is_true = entry is not None
    else:
        is_true = exists(entry) and answer.body == (entry.body if entry and answer.body else "")
        if entry is not None and not exists(entry):
            return "resurrected item"
    if is_true:
        return None
    return "wrong refusal" if operation.is_write else "read of what never was"


def _contradiction(not_before: Bound, not_after: Bound) -> Violation:
    late, early = not_before.operation, not_after.operation
    assert late is not None
    assert early is not None
    if (late.is_write and late.is_refusal) or (early.is_write and early.is_refusal):
        name = "wrong refusal"
    elif not late.is_write:
        deleted = not_before.entry is not None and not_before.entry.type == "ItemDeleted"
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
