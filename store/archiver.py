"""What archives a store, as its settings say, and how far that is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from itemstore.archive.archiving import Logs
from itemstore.archive.belonging import complaint_about
from itemstore.archive.standing import Progress, progress
from itemstore.archive.trimming import Keep
from itemstore.archive.work import InThisProcess, Terms
from itemstore.store.known_collections import known_names
from itemstore.store.store import Store


def archiving_of(store: Store) -> InThisProcess:
    """The work of archiving a store that has an archive, for this process."""
    assert store.archive is not None
    settings = store.settings
    keep = Keep(settings.keep_events, settings.keep_bytes)
    terms = Terms(settings.archive_seconds, keep)
    return InThisProcess(logs_of(store), store.archive, terms, store.disk)


def logs_of(store: Store) -> Logs:
    """The logs that are archived: of all collections that the store has ever had."""
    client, keys = store.partition.client, store.keys

    async def names() -> Sequence[str]:
        return sorted({*store.collections, *await known_names(client, keys)})

    return Logs(client, keys, names)


async def archive_progress(store: Store) -> Progress | None:
    """How far the store's archive is, None where it has none. Raises LogUnavailable, LogBroken."""
    logs = logs_of(store)
    found = await progress(logs.client, await logs.keys())
    if store.archive is not None:
        return replace(found, complaint=store.archive.complaint)
    return None if found.standing.archive is None else found


async def look_at_archive(store: Store, seconds: float) -> None:
    """Has what is wrong with the archive's place noted, where that answers in so many seconds.

    Raises LogUnavailable and LogBroken.
    """
    archive = store.archive
    if archive is None:
        return
    try:
        async with asyncio.timeout(seconds):
            partition = store.partition
            archive.complaint = await complaint_about(partition.client, partition.keys, archive)
    except TimeoutError:
        archive.complaint = f"The archive {archive.place} gives no answer within {seconds:.0f} s."
