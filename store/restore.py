"""Restoring a store from an archive, from what is asked for to a complete store.

One of several partitions is restored partition by partition, each from the archive of its own. The
first is begun before any other and ends after all of them: until then nothing works on the store.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.manifest import Manifest
from itemstore.archive.whole import division_at, id_of_whole
from itemstore.domain.positions import key_of
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.log_id import known_identity
from itemstore.projections.progress import Progress, Report
from itemstore.store.beginning import begin as begin_store
from itemstore.store.known_collections import known_names
from itemstore.store.restore_end import Ends, last_event, names_in
from itemstore.store.restore_section import Ids, RestoreRefused, SectionRestore, manifest_of
from itemstore.store.restoring import Restore, begun
from itemstore.store.store import Store


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was restored: its last position, its events, those in the engine, its items."""

    position: str
    events: int
    in_engine: int
    items: int


async def restored(store: Store) -> Restored:
    """What the store has now. Raises LogUnavailable and LogBroken."""
    in_engine = trimmed = items = 0
    names = await known_names(store.partition.client, store.keys)
    for section in store.sections:
        client = section.partition.client
        for name in names:
            keys = section.keys.collection(name)
            with translated():
                in_engine += await client.xlen(keys.events)
                trimmed += int(await client.get(keys.trimmed) or 0)
                items += await client.zcard(keys.ids)
    positions = [await last_position(section.partition) for section in store.sections]
    return Restored(max(positions, key=key_of), in_engine + trimmed, in_engine, items)


async def restore(
    store: Store, source: Archive, at: str | None, report: Report
) -> AsyncGenerator[Restore, None]:
    """Makes a store of an archive in an engine that has none, as of its end, a position or a time.

    The store has one partition, and so has the archive. It says after each step how far it is, and
    can be done again after it ended at any of them. Raises RestoreRefused, NoSuchEnd and Outrun
    before anything is written; LogMoved, LogFull, LogUnavailable, LogBroken, PastUnavailable and
    PastDamaged.
    """
    [manifest] = await manifests_of([source])
    if id_of_whole(manifest.archive) != manifest.archive:
        message = (
            f"{source.place} has the archive of one of several partitions: name the place that has "
            "all of them."
        )
        raise RestoreRefused(message)

    async def end_of(manifest: Manifest) -> str:
        return await last_event(ArchivedPast(source), manifest, at)

    only = SectionRestore(store, source, manifest, at, end_of)
    noted = await begun(store.partition)
    if noted is None:
        noted = await only.prepared()
        await only.begin(noted)
        yield noted
    else:
        await only.check_same(noted)
    async with aclosing(only.steps(noted, report)) as steps:
        async for step in steps:
            yield step


async def restore_all(
    store: Store, sources: Sequence[Archive], at: str | None, report: Report
) -> AsyncGenerator[Restore, None]:
    """The same of a store of several partitions, from the archives of as many.

    `at` is a time, or a cursor.
    """
    manifests = await manifests_of(sources)
    ends = Ends([ArchivedPast(source) for source in sources], manifests, at)
    await ends.check()
    first = await begun(store.partition)
    own_id = await _own_id(store) if first is None else id_of_whole(first.archive)
    log = secrets.token_hex(8) if first is None else first.log
    restores = [
        SectionRestore(
            section,
            sources[number],
            manifests[number],
            at,
            ends.of(number),
            Ids(f"{own_id}-{number}" if own_id else "", _log_of(log, number)),
        )
        for number, section in enumerate(store.sections)
    ]
    if first is None:
        prepared = [await each.prepared() for each in restores]
        await _begin_own(store, own_id)
        await begin_store(store)
        for each, noted in zip(restores, prepared, strict=True):
            await each.begin(noted)
            yield noted
    else:
        await restores[0].check_same(first)
        await _begin_own(store, own_id)
    names = sorted({name for manifest in manifests for name in names_in(manifest)})
    of_all = _Together(report, [each.events for each in manifests])
    for number in [*range(1, len(restores)), 0]:
        async with aclosing(_one(restores[number], of_all.of(number), names)) as steps:
            async for step in steps:
                yield step


async def manifests_of(sources: Sequence[Archive]) -> Sequence[Manifest]:
    """The newest manifest of the archive of each partition, or of the only one.

    Raises RestoreRefused where there is none with events, or where that of a partition is damaged,
    is missing, or is of another store; PastUnavailable and PastDamaged.
    """
    found = [await manifest_of(source) for source in sources]
    manifests = [each for each in found if each is not None]
    if len(sources) > 1:
        _check_complete(sources, found)
    if not any(each.segments for each in manifests):
        whole = sources[0].whole or sources[0]
        message = f"There is no archive in {whole.place}, or it has no event yet."
        raise RestoreRefused(message)
    return manifests


async def has_same_archive(own: Archive, source: Archive) -> bool:
    """Whether a store goes on with the very archive that it was restored from.

    Raises PastUnavailable and PastDamaged.
    """
    manifest, there = await source.current(), await own.current()
    return manifest is not None and there is not None and manifest.archive == there.archive


async def _one(
    one: SectionRestore, report: Report, names: Sequence[str]
) -> AsyncGenerator[Restore, None]:
    """The steps of one partition, of which none is left where it was restored already."""
    noted = await begun(one.store.partition)
    if noted is None:
        assert one.ids is not None
        if await known_identity(one.store.partition) == one.ids.log:
            return
        noted = await one.prepared()  # the one before was killed while it began
        await one.begin(noted)
        yield noted
    async with aclosing(one.steps(noted, report, names)) as steps:
        async for step in steps:
            yield step


def _check_complete(sources: Sequence[Archive], found: Sequence[Manifest | None]) -> None:
    """Raises RestoreRefused where an archive lacks a partition, or has that of another store."""
    for source, manifest in zip(sources, found, strict=True):
        if manifest is None:
            message = (
                f"{source.place} has no manifest, and each partition has one: put it back from a "
                "copy. What the other partitions have can be read without it: `itemstore export "
                "--from` each of them, and `itemstore import` that."
            )
            raise RestoreRefused(message)
    ids = {id_of_whole(each.archive) for each in found if each is not None}
    if len(ids) > 1:
        message = (
            f"The folders of {sources[0].whole and sources[0].whole.place} are of several stores' "
            f"archives ({', '.join(sorted(ids))}): put those of one there."
        )
        raise RestoreRefused(message)


async def _own_id(store: Store) -> str:
    """The id of the whole archive that the store goes on with, empty for none."""
    archive = store.sections[0].archive
    if archive is None or archive.whole is None:
        return ""
    there = await division_at(archive.whole.objects)
    return secrets.token_hex(8) if there is None else there.archive


async def _begin_own(store: Store, own_id: str) -> None:
    """Puts what says how many partitions the store's own archive has. Raises PastUnavailable."""
    archive = store.sections[0].archive
    if archive is not None and archive.whole is not None:
        await archive.whole.begun(own_id)


def _log_of(first: str, number: int) -> str:
    """The id that a partition's log gets, by that of the first one's."""
    if number == 0:
        return first
    return hashlib.sha256(f"{first} {number}".encode()).hexdigest()[: len(first)]


class _Together:
    """Reports of partitions, one after the other, as those of all of them."""

    def __init__(self, report: Report, events: Sequence[int]) -> None:
        self._report = report
        self._events = events

    def of(self, number: int) -> Report:
        """What one of them reports to: the first comes last."""
        before = sum(self._events[1:number] if number else self._events[1:])
        total = sum(self._events)

        def report(one: Progress) -> None:
            self._report(replace(one, events=before + one.events, total=total))

        return report
