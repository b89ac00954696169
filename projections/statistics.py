"""The statistics: how many items exist, and what happened when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from itemstore.domain.cursors import cursor_at, furthest
from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.positions import milliseconds_of
from itemstore.eventlog.partition import Partition
from itemstore.projections.columns import Columns
from itemstore.projections.counting import CountingProjection
from itemstore.projections.counts import Counts, MalformedCounts, all_counts

_DAY_MS = 24 * 60 * 60 * 1000

_TYPE_FIELDS = {kind: f"type:{kind.__name__}" for kind in (ItemCreated, ItemUpdated, ItemDeleted)}


def count(numbers: Counter[str], recorded: RecordedEvent) -> None:
    """Counts an event: its type, its day (UTC), its body's bytes, and what exists after it."""
    event = recorded.event
    numbers[_TYPE_FIELDS[type(event)]] += 1
    numbers[_day_field(milliseconds_of(recorded.position) // _DAY_MS)] += 1
    if isinstance(event, ItemDeleted):
        numbers["items"] -= 1
        return
    numbers["bytes"] += len(event.body)
    if isinstance(event, ItemCreated):
        numbers["items"] += 1


def count_page(numbers: Counter[str], columns: Columns) -> None:
    """Does the same for many events at once, in a tenth of the time."""
    types = columns.types
    totals = {kind: types.count(kind.__name__.encode()) for kind in _TYPE_FIELDS}
    numbers.update({_TYPE_FIELDS[kind]: total for kind, total in totals.items() if total})
    created, deleted = totals[ItemCreated], totals[ItemDeleted]
    if created or deleted:
        numbers["items"] += created - deleted
    if deleted < len(types):
        numbers["bytes"] += sum(map(len, columns.bodies))
    for field, total in _days(columns.positions):
        numbers[field] += total


def _days(positions: Sequence[bytes]) -> Iterable[tuple[str, int]]:
    """The days of positions in their order, with how many of them are in each."""
    if _day(positions[0]) == _day(positions[-1]):
        return ((_day(positions[0]), len(positions)),)
    return Counter(map(_day, positions)).items()


def _day(position: bytes) -> str:
    return _day_field(milliseconds_of(position.decode()) // _DAY_MS)


STATISTICS = CountingProjection("statistics", count, count_page)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the statistics say, up to `position`, which is a cursor where there are partitions.

    `items` exist; `events` are all there were, `types` and `days` (UTC) say of which type and
    when; `bytes` is the size of all bodies ever stored.
    """

    position: str
    events: int
    items: int
    bytes: int
    types: dict[str, int]
    days: dict[date, int]


async def read_statistics(partitions: Sequence[Partition]) -> list[Statistics]:
    """Those of each log as of their last update, of one engine as of one moment.

    Raises LogUnavailable, MalformedCounts.
    """
    return [_statistics(counts) for counts in await all_counts(partitions, STATISTICS.name)]


def of_a_collection(each: Sequence[Statistics]) -> Statistics:
    """What the statistics of a collection's partitions say together."""
    return each[0] if len(each) == 1 else _sum(each, cursor_at([one.position for one in each]))


def in_total(each: Sequence[Statistics], partitions: int = 1) -> Statistics:
    """What the statistics of collections say together, up to the last event that is in any."""
    return _sum(each, furthest((one.position for one in each), partitions))


def _sum(each: Sequence[Statistics], position: str) -> Statistics:
    days: Counter[date] = Counter()
    types: Counter[str] = Counter()
    for one in each:
        days.update(one.days)
        types.update(one.types)
    return Statistics(
        position,
        sum(one.events for one in each),
        sum(one.items for one in each),
        sum(one.bytes for one in each),
        dict(types),
        dict(sorted(days.items())),
    )


def _statistics(counts: Counts | MalformedCounts) -> Statistics:
    if isinstance(counts, MalformedCounts):
        raise counts
    numbers = counts.numbers
    days = {date.fromisoformat(day): total for day, total in _under(numbers, "day:").items()}
    return Statistics(
        counts.position,
        counts.events,
        numbers["items"],
        numbers["bytes"],
        _under(numbers, "type:"),
        dict(sorted(days.items())),
    )


def _under(numbers: Counter[str], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): number
        for name, number in numbers.items()
        if name.startswith(prefix)
    }


@lru_cache(maxsize=1024)
def _day_field(day: int) -> str:
    return f"day:{datetime.fromtimestamp(day * 86400, UTC).date()}"
