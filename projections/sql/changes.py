"""What a batch of events makes of the items that it is about: the last event of each is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from itemstore.eventlog.codec import without_meta
from itemstore.eventlog.reader import Entry
from itemstore.projections.columns import columns_of

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


@dataclass(frozen=True, slots=True)
class Changes:
    """The items of a batch, by what has to be done: each of them once.

    `new` are those whose first event in the batch creates them, `changed` those that exist before
    it, or should, and `deleted` those that exist no more.
    """

    new: Sequence[Change]
    changed: Sequence[Change]
    deleted: Sequence[Change]


def changes_of(entries: Sequence[Entry]) -> Changes:
    """What the entries make of the items. Those that are no events change nothing."""
    new: list[Change] = []
    changed: list[Change] = []
    deleted: list[Change] = []
    columns = columns_of(entries) if entries else None
    if columns is None:
        entries = [entry for entry in entries if without_meta(*entry) is not None]
        columns = columns_of(entries) if entries else None
        if columns is None:
            return Changes(new, changed, deleted)
    positions, types, items, versions, bodies, _ = columns
    count = len(items)
    first = dict(zip(reversed(items), range(count - 1, -1, -1), strict=True))
    created = {items[i]: i for i, kind in enumerate(types) if kind == _CREATED}
    for item, i in dict(zip(items, range(count), strict=True)).items():
        at = created.get(item)
        change = Change(
            item.decode(),
            int(versions[i]),
            positions[i].decode(),
            None if at is None else positions[at].decode(),
            bodies[i],
        )
        if types[i] == _DELETED:
            deleted.append(change)
        elif types[first[item]] == _CREATED:
            new.append(change)
        else:
            changed.append(change)
    return Changes(new, changed, deleted)
