"""Restoring one section of a store, or the only one: what is asked before, and the steps."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
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
from itemstore.eventlog.keys import pattern
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastDamaged
from itemstore.projections.progress import Progress, Report
from itemstore.store.archiver import kept_of
from itemstore.store.known_collections import known_names
from itemstore.store.restore_end import border_before, names_in
from itemstore.store.restoring import Restore, Restoring, begin
from itemstore.store.store import Store

EndOf = Callable[[Manifest], Awaitable[str]]
"""The position of the last event that is restored of an archive; see last_event."""


class RestoreRefused(Exception):
    """Nothing can be restored here as it was asked for; the sentence says why."""


async def manifest_of(source: Archive) -> Manifest | None:
    """The newest manifest of an archive that is to be restored, None where there is no archive.

    Raises RestoreRefused where a later one is damaged; PastUnavailable and PastDamaged.
    """
    manifest = await source.refreshed()
    if source.damage is not None:
        message = (
            f"{source.damage} Put a copy of it back. Where there is none, move it away: then what "
            "the manifest before it names is restored."
        )
        raise RestoreRefused(message)
    return manifest


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that a partition of a restored store gets: of its archive, and of its log."""

    archive: str
    log: str


@dataclass(frozen=True, slots=True)
class SectionRestore:
    """The restore of one partition: into the section that it is, from the archive of one.

    `at` is what was said of up to when, and `end_of` says which event that is. `ids` are those that
    it gets; without them they are new, or the archive is taken over.
    """

    store: Store
    source: Archive
    manifest: Manifest
    at: str | None
    end_of: EndOf
    ids: Ids | None = None

    async def prepared(self) -> Restore:
        """What is to be noted of it. Raises RestoreRefused where something speaks against it."""
        store, manifest = self.store, self.manifest
        await _check_empty(store.partition, await self._names())
        up_to = await self.end_of(manifest)
        archive = ""
        if store.archive is not None:
            archive = await self._own_id(store.archive, up_to)
        log = secrets.token_hex(8) if self.ids is None else self.ids.log
        return Restore(manifest.archive, self.at or "", archive, log)

    async def begin(self, noted: Restore) -> None:
        """Notes it. Raises RestoreRefused where the engine is not empty, and what it raises."""
        try:
            await begin(self.store.partition, noted, sorted(await self._names()))
        except NotEmpty as error:
            raise _not_empty(str(error)) from None

    async def check_same(self, noted: Restore) -> None:
        """Raises RestoreRefused where another restore was begun than this one."""
        if noted.source != self.manifest.archive or noted.at != (self.at or ""):
            up_to = f"with --at {noted.at}" if noted.at else "without --at"
            message = (
                f"A restore from the archive {noted.source} {up_to} was begun here: go on with "
                "that one, or empty the engine."
            )
            raise RestoreRefused(message)
        own = self.store.archive
        there = await own.refreshed() if own else None
        known = there.archive if there else noted.archive if own else ""
        if (own is not None) != bool(noted.archive) or known != noted.archive:
            message = (
                "This restore was begun with another place for the store's own archive "
                "(ITEMSTORE_ARCHIVE, --archive): name that one, or empty the engine."
            )
            raise RestoreRefused(message)

    async def steps(
        self, noted: Restore, report: Report, names: Sequence[str] = ()
    ) -> AsyncGenerator[Restore, None]:
        """Goes on to the end with what was noted, and says after each step how far it is.

        `names` are collections that the store gets, beside those that the archive has events of.
        Raises Outrun, LogMoved, LogFull, LogUnavailable, LogBroken, PastUnavailable, PastDamaged.
        """
        own, manifest = self.store.archive, self.manifest
        if own is not None:
            manifest = await self._own(own, noted, report)
        used = own or self.source
        if not noted.up_to:
            up_to = manifest.last if own else await self.end_of(manifest)
            border = START
            if own is not None and up_to != START:
                border = await self._border(ArchivedPast(used), manifest, up_to)
            noted = replace(noted, up_to=up_to, border=border)
        restoring = Restoring(self.store.partition, used, manifest, self.store.disk, names)
        async with aclosing(restoring.run(noted, report)) as steps:
            async for step in steps:
                yield step

    async def _border(self, past: ArchivedPast, manifest: Manifest, up_to: str) -> str:
        keep = kept_of(self.store.settings)
        return await border_before(past, manifest, up_to, keep.events, keep.bytes)

    async def _names(self) -> set[str]:
        store = self.store
        known = await known_names(store.partition.client, store.keys)
        return {*names_in(self.manifest), *store.collections, *known}

    async def _own_id(self, own: Archive, up_to: str) -> str:
        """The id of the archive that the store goes on with. Raises RestoreRefused."""
        there = await own.refreshed()
        if there is None:
            if await own.objects.names("segments/"):
                message = f"{own.place} has segments, and no manifest that names them."
                raise RestoreRefused(message)
            return secrets.token_hex(8) if self.ids is None else self.ids.archive
        if there.archive != self.manifest.archive:
            message = (
                f"{own.place} has the archive of another store ({there.archive}): name an empty "
                "place for this one's with --archive (ITEMSTORE_ARCHIVE)."
            )
            raise RestoreRefused(message)
        if self.at is not None:
            message = (
                f"With --at the store goes another way from {up_to} on than the archive in "
                f"{own.place}, which stays as it is: name an empty place for the store's own with "
                "--archive (ITEMSTORE_ARCHIVE)."
            )
            raise RestoreRefused(message)
        return there.archive

    async def _own(self, own: Archive, noted: Restore, report: Report) -> Manifest:
        """The archive that the store goes on with, and that is for its new log."""
        if noted.archive == noted.source:
            return await _taken_over(own, noted)
        if (there := await own.refreshed()) is not None:
            return there
        manifest = await self.source.refreshed()
        assert manifest is not None
        events = manifest.events
        first = Manifest(number=1, archive=noted.archive, log=noted.log)

        def copied(count: int) -> None:
            report(Progress("copying the archive", count, max(count, events)))

        return await fork(self.source, own, first, await self.end_of(manifest), copied)


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
