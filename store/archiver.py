"""What archives a store, as its settings say."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Logs
from itemstore.archive.trimming import Keep
from itemstore.archive.work import InThisProcess, Shared, Terms, Work
from itemstore.archive.work_of_all import OfAll, shared_by_all
from itemstore.domain.positions import START
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.all_logs import last_position
from itemstore.store.known_collections import known_names
from itemstore.store.settings import Settings
from itemstore.store.store import Store


def archiving_of(store: Store) -> Work:
    """The work of archiving a store that has an archive, for this process."""
    [first, *others] = store.sections
    if not others:
        return _work_on(first, Shared())
    shared = shared_by_all()
    return OfAll([_work_on(section, shared) for section in store.sections])


def _work_on(section: Store, shared: Shared) -> InThisProcess:
    assert section.archive is not None
    settings = section.settings
    terms = Terms(settings.archive_seconds, kept_of(settings))
    return InThisProcess(logs_of(section), section.archive, terms, section.disk, shared)


def kept_of(settings: Settings) -> Keep:
    """What stays in the engine of each partition: an equal share of what stays of the store."""
    partitions = settings.partitions or 1
    return Keep(
        max(1, settings.keep_events // partitions), max(1, settings.keep_bytes // partitions)
    )


def logs_and_archives(store: Store) -> Sequence[tuple[Logs, Archive]]:
    """The logs and the archive of each partition of a store that is archived."""
    return [(logs_of(each), each.archive) for each in store.sections if each.archive]


async def begin_all(store: Store) -> None:
    """Has the archives of all partitions begin with the first event of any of them.

    Raises PastUnavailable, PastDamaged, and what the engine raises.
    """
    whole = next((archive.whole for _, archive in logs_and_archives(store)), None)
    if whole is None:
        return
    for section in store.sections:
        with suppress(LogUnavailable):  # that is said where it is worked on
            if await last_position(section.partition) != START:
                await whole.begun()
                return


def logs_of(section: Store) -> Logs:
    """The logs that are archived, of a store's only partition or of one of several.

    Those of all collections that the store has ever had.
    """
    client, keys = section.partition.client, section.keys

    async def names() -> Sequence[str]:
        return sorted({*section.collections, *await known_names(client, keys)})

    return Logs(client, keys, names)
