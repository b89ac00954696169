"""Restoring a store from an archive, from what is asked for to a complete store."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.forking import fork
from itemstore.archive.manifest import Manifest
from itemstore.domain.positions import START
from itemstore.engine.errors import NotEmpty
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastDamaged
from itemstore.projections.progress import Progress, Report
from itemstore.store.known_collections import known_names
from itemstore.store.restore_end import border_before, last_event, names_in
from itemstore.store.restoring import Restore, Restoring, begin, begun
from itemstore.store.store import Store


class RestoreRefused(Exception):
    """Nothing can be restored here as it was asked for; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A store that was restored: its events and those of them in the engine, and its items."""

    position: str
    events: int
    in_engine: int
    items: int


async def restored(store: Store) -> Restored:
    """What the store has now. Raises LogUnavailable and LogBroken."""
    client = store.partition.client
    in_engine = trimmed = items = 0
    for name in await known_names(client, store.keys):
        keys = store.keys.collection(name)
        with translated():
            in_engine += await client.xlen(keys.events)
            trimmed += int(await client.get(keys.trimmed) or 0)
            items += await client.zcard(keys.ids)
    position = await last_position(store.partition)
    return Restored(position, in_engine + trimmed, in_engine, items)


async def restore(
    store: Store, source: Archive, at: str | None, report: Report
) -> AsyncGenerator[Restore, None]:
    """Makes a store of an archive in an engine that has none, as of its end, a position or a time.

    It says after each step how far it is, and can be done again after it ended at any of them.
    Raises RestoreRefused, NoSuchEnd and Outrun before anything is written; LogMoved, LogFull,
    LogUnavailable, LogBroken, PastUnavailable and PastDamaged.
    """
    manifest = await source.refreshed()
    if manifest is None or not manifest.segments:
        message = f"There is no archive in {source.place}, or it has no event yet."
        raise RestoreRefused(message)
    if source.damage is not None:
        message = (
            f"{source.damage} Put a copy of it back. Where there is none, move it away: then what "
            "the manifest before it names is restored."
        )
        raise RestoreRefused(message)
    own = store.archive
    there = await own.refreshed() if own else None
    noted = await begun(store.partition)
    if noted is None:
        noted = await _begin(store, source, manifest, there, at)
        yield noted
    else:
        _check_same(noted, manifest, there, at, has_archive=own is not None)
    if own is not None:
        manifest = await _own(own, source, noted, there, report)
    used = own or source
    past = ArchivedPast(used)
    if not noted.up_to:
        up_to = manifest.last if own else await last_event(past, manifest, at)
        border = START
        if own is not None:
            keep = store.settings
            border = await border_before(past, manifest, up_to, keep.keep_events, keep.keep_bytes)
        noted = replace(noted, up_to=up_to, border=border)
    restoring = Restoring(store.partition, used, manifest, store.disk)
    async with aclosing(restoring.run(noted, report)) as steps:
        async for step in steps:
            yield step


async def has_same_archive(own: Archive, source: Archive) -> bool:
    """Whether a store goes on with the very archive that it was restored from.

    Raises PastUnavailable and PastDamaged.
    """
    manifest, there = await source.current(), await own.current()
    return manifest is not None and there is not None and manifest.archive == there.archive


def _check_same(
    noted: Restore,
    manifest: Manifest,
    there: Manifest | None,
    at: str | None,
    *,
    has_archive: bool,
) -> None:
    """Raises RestoreRefused where another restore was begun than this one."""
    if noted.source != manifest.archive or noted.at != (at or ""):
        up_to = f"with --at {noted.at}" if noted.at else "without --at"
        message = (
            f"A restore from the archive {noted.source} {up_to} was begun here: go on with that "
            "one, or empty the engine."
        )
        raise RestoreRefused(message)
    known = there.archive if there else noted.archive if has_archive else ""
    if has_archive != bool(noted.archive) or known != noted.archive:
        message = (
            "This restore was begun with another place for the store's own archive "
            "(ITEMSTORE_ARCHIVE, --archive): name that one, or empty the engine."
        )
        raise RestoreRefused(message)


async def _begin(
    store: Store, source: Archive, manifest: Manifest, there: Manifest | None, at: str | None
) -> Restore:
    """Notes what is restored, once nothing speaks against it."""
    names = {*names_in(manifest), *store.collections}
    names.update(await known_names(store.partition.client, store.keys))
    await _check_empty(store.partition, names)
    up_to = await last_event(ArchivedPast(source), manifest, at)
    if store.archive is None:
        archive = ""
    elif there is None:
        if await store.archive.objects.names("segments/"):
            message = f"{store.archive.place} has segments, and no manifest that names them."
            raise RestoreRefused(message)
        archive = secrets.token_hex(8)
    elif there.archive != manifest.archive:
        message = (
            f"{store.archive.place} has the archive of another store ({there.archive}): name an "
            "empty place for this one's with --archive (ITEMSTORE_ARCHIVE)."
        )
        raise RestoreRefused(message)
    elif at is not None:
        message = (
            f"With --at the store goes another way from {up_to} on than the archive in "
            f"{store.archive.place}, which stays as it is: name an empty place for the store's own "
            "with --archive (ITEMSTORE_ARCHIVE)."
        )
        raise RestoreRefused(message)
    else:
        archive = manifest.archive
    noted = Restore(manifest.archive, at or "", archive, secrets.token_hex(8))
    try:
        await begin(store.partition, noted, sorted(names))
    except NotEmpty as error:
        raise _not_empty(str(error)) from None
    return noted


async def _check_empty(partition: Partition, names: Iterable[str]) -> None:
    """Raises RestoreRefused where the engine has anything of these collections."""
    keys = partition.keys.store
    prefixes = tuple(f"{keys.collection(name).prefix}:".encode() for name in names)
    matching = pattern(f"{keys.front}:") if keys.front else None
    cursor: Any = None
    while cursor != 0:
        with translated():
            reply: Any = await partition.client.scan(cursor or 0, matching, 1000)
        cursor, found = reply
        for key in found:
            if key.startswith(prefixes):
                raise _not_empty(key.decode(errors="replace"))


def _not_empty(key: str) -> RestoreRefused:
    return RestoreRefused(
        f"The engine has a store already (the key {key} is there): restore into an empty one, "
        "which is another data directory, another database, or another --namespace."
    )


async def _own(
    own: Archive, source: Archive, noted: Restore, there: Manifest | None, report: Report
) -> Manifest:
    """The archive that the store goes on with, and that is for its new log."""
    if noted.archive == noted.source:
        return await _taken_over(own, noted)
    if there is not None:
        return there
    manifest = await source.refreshed()
    assert manifest is not None
    up_to = await last_event(ArchivedPast(source), manifest, noted.at or None)
    first = Manifest(number=1, archive=noted.archive, log=noted.log)

    def copied(events: int) -> None:
        report(Progress("copying the archive", events, max(events, manifest.events)))

    return await fork(source, own, first, up_to, copied)


async def _taken_over(own: Archive, noted: Restore) -> Manifest:
    """The same archive for the new log: a store that is still there can no longer add to it."""
    manifest = await own.refreshed()
    while manifest is not None and manifest.log != noted.log:
        following = manifest.followed_by(manifest.segments, manifest.indexes, log=noted.log)
        try:
            await own.publish(following)
        except Outrun:
            manifest = await own.refreshed()
        else:
            manifest = following
    if manifest is None:
        message = f"{own.place} has no manifest any more."
        raise PastDamaged(message)
    return manifest
