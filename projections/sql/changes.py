"""What a batch of events makes of the items that it is about: the last event of each is enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from itemstore.eventlog.codec import without_meta
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import Columns, columns_of

_CREATED, _DELETED = b"ItemCreated", b"ItemDeleted"


class Change(NamedTuple):
    """An item after a batch. `created` is the position of its creation, if that is in the batch.

    The body is empty where the item was deleted.
    """

    id: str
    version: int
    position: str
    created: str | None
    body: bytes


class Updates(NamedTuple):
    """Many items after a batch that did not create them, by columns in the same order.

    Nearly all changes are of this kind, and an object for each would take as long as its row.
    """

    ids: Sequence[str]
    versions: Sequence[int]
    positions: Sequence[str]
    bodies: Sequence[bytes]

    def each(self) -> Iterator[Change]:
        """The same, one by one."""
        for item, version, position, body in zip(*self, strict=True):
            yield Change(item, version, position, None, body)


_NO_UPDATES = Updates((), (), (), ())


@dataclass(frozen=True, slots=True)
class Changes:
    """The items of a batch, by what has to be done: each of them once.

    `new` are those that the batch creates, and may all the same have been there before;
    `updated` exist before it, or should, and `deleted` exist no more.
    """

    new: Sequence[Change] = ()
    updated: Updates = _NO_UPDATES
    deleted: Sequence[Change] = ()

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Those of all items that exist after the batch, by id."""
        yield from ((each.id, each.body) for each in self.new)
        yield from zip(self.updated.ids, self.updated.bodies, strict=True)


def changes_of(entries: Sequence[Entry]) -> Changes:
    """What the entries make of the items. Those that are no events change nothing."""
    columns = _columns_of_events(entries)
    if columns is None:
        return Changes()
    types, items = columns.types, columns.items
    last = dict(zip(items, range(len(items)), strict=True))
    created: dict[bytes, int] = {}
    if _CREATED in types:
        created = {items[i]: i for i, kind in enumerate(types) if kind == _CREATED}
    deleted: dict[bytes, int] = {}
    if _DELETED in types:
        deleted = {item: i for item, i in last.items() if types[i] == _DELETED}
    new = {item: last[item] for item in created if item not in deleted}
    updated = last
    if new or deleted:
        updated = {item: i for item, i in last.items() if item not in new and item not in deleted}
    return Changes(
        _changes_at(new, columns, created),
        _updates_at(updated, columns),
        _changes_at(deleted, columns, created),
    )


def _columns_of_events(entries: Sequence[Entry]) -> Columns | None:
    """Those of the entries that are events, None where none is."""
    columns = columns_of(entries) if entries else None
    if columns is not None:
        return columns
    events = [entry for entry in entries if without_meta(*entry) is not None]
    return columns_of(events) if events else None


def _changes_at(
    places: Mapping[bytes, int], columns: Columns, created: Mapping[bytes, int]
) -> list[Change]:
    """Items whose last events are at these places."""
    positions = columns.positions
    return [
        Change(
            item.decode(),
            int(columns.versions[i]),
            positions[i].decode(),
            positions[created[item]].decode() if item in created else None,
            columns.bodies[i],
        )
        for item, i in places.items()
    ]


def _updates_at(places: Mapping[bytes, int], columns: Columns) -> Updates:
    """The same of those that the batch did not create."""
    at = places.values()
    return Updates(
        [item.decode() for item in places],
        [int(columns.versions[i]) for i in at],
        [columns.positions[i].decode() for i in at],
        [columns.bodies[i] for i in at],
    )
