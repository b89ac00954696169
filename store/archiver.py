"""What archives a store, as its settings say, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.archive.archiving import Logs
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
    client, namespace = store.partition.client, store.settings.namespace

    async def names() -> Sequence[str]:
        return sorted({*store.collections, *await known_names(client, namespace)})

    return Logs(client, namespace or "", names)


async def archive_progress(store: Store) -> Progress | None:
    """How far the store's archive is, None where it has none. Raises LogUnavailable, LogBroken."""
    logs = logs_of(store)
    found = await progress(logs.client, await logs.keys())
    return None if store.archive is None and found.standing.archive is None else found
