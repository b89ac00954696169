"""What the archive of a store, or of one of its partitions, has; what would be trimmed."""

from __future__ import annotations

from typing import Any

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Archiving
from itemstore.archive.trimming import held_by_engine
from itemstore.domain.positions import START
from itemstore.eventlog.keys import Keys
from itemstore.store.archive_progress import archive_progress
from itemstore.store.archiver import kept_of, logs_of
from itemstore.store.store import Store


async def archive_facts(store: Store, archive: Archive) -> dict[str, Any]:
    """The facts by name, as JSON has them; positions are START for none.

    Raises PastUnavailable, PastDamaged, LogUnavailable and LogBroken.
    """
    manifest = await archive.refreshed()
    found = await archive_progress(store)
    assert found is not None  # as there is an archive
    noted = found.standing
    return {
        "archive": archive.place,
        "archive_id": None if manifest is None else manifest.archive,
        "manifest": None if manifest is None else manifest.number,
        "segments": 0 if manifest is None else len(manifest.segments),
        "indexes": 0 if manifest is None else len(manifest.indexes),
        "bytes": 0 if manifest is None else manifest.size,
        "events": 0 if manifest is None else manifest.events,
        "first": START if manifest is None else manifest.first,
        "last": START if manifest is None else manifest.last,
        "not_archived": found.events,
        "not_archived_seconds": round(found.seconds, 1),
        "trimmed_up_to": noted.border,
    } | await to_trim(store, archive)


async def to_trim(store: Store, archive: Archive) -> dict[str, Any]:
    """What trimming would take out of the engine now: how many events, up to which position if any.

    Raises as `archive_facts` does.
    """
    logs = logs_of(store)
    position = await Archiving(logs, archive).border_for(kept_of(store.settings))
    if position is None:
        return {"to_trim": 0, "to_trim_up_to": None}
    counts = [await _trimmed_at(store, log, position) for log in await logs.keys()]
    return {"to_trim": sum(counts), "to_trim_up_to": position}


async def _trimmed_at(store: Store, log: Keys, position: str) -> int:
    """How many events a log loses where it is trimmed up to a position: its last one stays."""
    partition = store.partition
    assert partition.past is not None
    held = await held_by_engine(partition.client, [log])
    trimmed = held.counted - held.events
    count = await partition.past.count(log.collection, position) - trimmed
    return max(0, min(count, held.events - 1))
