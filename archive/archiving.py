"""Archiving one store: each piece of the work, which may be done again and abandoned anywhere."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.belonging import own_manifest
from itemstore.archive.file_reader import FileReader
from itemstore.archive.heads import Heads
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest
from itemstore.archive.publishing import Publishing
from itemstore.archive.reading_back import Verified, first_entry_at, last_entry
from itemstore.archive.sealing import NO_REST, REST, TakenBack, copied, sealed
from itemstore.archive.standing import (
    Claim,
    claim,
    have_events,
    raise_border,
    raise_sealed,
    standing,
)
from itemstore.archive.taking_back import Log, cut_to_common
from itemstore.archive.trimming import Keep, Stretch, held_by_engine, next_border, trim
from itemstore.domain.positions import key_of
from itemstore.eventlog.keys import Keys, StoreKeys

logger = logging.getLogger(__name__)

Names = Callable[[], Awaitable[Sequence[str]]]


class NotAllArchived(Exception):
    """A log has events that the archive lacks, so nothing is trimmed."""

    def __init__(self, collections: Sequence[str]) -> None:
        named = ", ".join(f"/{name}" for name in collections)
        super().__init__(
            f"{named}: the log has events at positions where the archive has none, so nothing is "
            "trimmed: somebody wrote to it past the store, or a process could not say in time that "
            "it serves this collection. `itemstore verify` shows them."
        )


@dataclass(frozen=True, slots=True)
class Logs:
    """The logs of a store, or of one of its partitions, in which all have one order.

    It takes an engine, the names of the keys, and what knows the names of all collections.
    """

    client: Redis
    store: StoreKeys
    names: Names

    async def keys(self) -> list[Keys]:
        """Those of all collections that the store has now."""
        return [self.store.collection(name) for name in await self.names()]


class Archiving:
    """The work of one process on the archive of one store, or of one of its partitions.

    `turn` is entered for each segment that is made: so those of several partitions share memory.
    """

    def __init__(
        self, logs: Logs, archive: Archive, turn: AbstractAsyncContextManager[object] | None = None
    ) -> None:
        self.archive = archive
        self._turn = turn or nullcontext()
        self.publishing = Publishing(archive)
        self._logs = logs
        self._client = logs.client
        self._reader = FileReader(archive)
        self._heads = Heads(archive, self._reader)
        self._verified = Verified(archive)
        self._last: Placed | None = None
        self._is_complete = False
        self._lacking: Sequence[str] = ()

    async def seal(self) -> Manifest | None:
        """Archives all that the logs have now; the manifest after that, None where there is none.

        Raises NotItsArchive, TakenBack, Outrun, PastUnavailable, PastDamaged, and what the engine
        raises: what was sealed before stays so.
        """
        logs = await self._logs.keys()
        manifest = await own_manifest(self._client, logs[0], self.archive)
        if manifest is None:
            return None
        manifest = await self._still_true(manifest, logs)
        logs, claimed = await self._claim(manifest)
        noted = await standing(self._client, logs[0])
        counted = noted.counted if noted.sealed == manifest.last else manifest.events
        rest = REST
        while key_of(manifest.last) < key_of(claimed.up_to):
            async with self._turn:
                new = await copied(self._client, logs, manifest.last, claimed.up_to, rest=rest)
                if new is None:
                    break
                manifest = await sealed(self.publishing, self.archive, manifest, new)
            self._last = new.last
            counted += new.segment.info.events
            rest = NO_REST
            await self._note_sealed(manifest, counted)
        if manifest.segments:
            await self._note_sealed(manifest, sum(claimed.counts.values()))
            self._note_lacking(manifest, claimed)
        return manifest

    async def trim(self, keep: Keep) -> int:
        """Takes out of the engine what the archive has and is not to be kept: how many events.

        What goes is read back from the archive first. Raises NotAllArchived, PastUnavailable,
        PastDamaged, and what the engine raises.
        """
        logs = await self._logs.keys()
        manifest = await self.archive.current()
        if manifest is None or not self._is_complete:
            return 0
        abandoned = await trim(self._client, logs, self._heads.between, keep)
        position = await self.border_for(keep)
        if position is None:
            return abandoned
        if self._lacking:
            raise NotAllArchived(self._lacking)
        noted = await standing(self._client, logs[0])
        going = [
            file
            for file in manifest.files
            if key_of(file.last) > key_of(noted.border) and key_of(file.first) <= key_of(position)
        ]
        await self._verified.check(going)
        self._verified.forget_others(manifest.files)
        collection, entry = await first_entry_at(self._reader, manifest, position)
        log = self._logs.store.collection(collection)
        if not await raise_border(self._client, log, manifest.archive, entry, manifest.number):
            raise TakenBack
        return abandoned + await trim(self._client, logs, self._heads.between, keep)

    async def border_for(self, keep: Keep) -> str | None:
        """The position up to which the engine should be trimmed, None where it need not be."""
        logs = await self._logs.keys()
        manifest = await self.archive.current()
        held = await held_by_engine(self._client, logs)
        if manifest is None or (held.events <= keep.events and held.bytes <= keep.bytes):
            return None
        noted = await standing(self._client, logs[0])
        stretches = await self._stretches(manifest, noted.border)
        archived = sum(each.events for each in stretches)
        not_yet = max(0, held.counted - noted.counted)
        size = sum(each.bytes for each in stretches) * not_yet // max(1, archived)
        after = Stretch(manifest.last, not_yet, size)
        found = next_border(stretches, after, held, keep)
        return found if found and key_of(found) > key_of(noted.border) else None

    async def _claim(self, manifest: Manifest) -> tuple[list[Keys], Claim]:
        """The logs, and what is claimed of them: of one that is new meanwhile, too."""
        while True:
            logs = await self._logs.keys()
            claimed = await claim(self._client, logs, manifest.archive)
            if await self._logs.keys() == logs:
                return logs, claimed

    async def _still_true(self, manifest: Manifest, logs: Sequence[Keys]) -> Manifest:
        """The manifest, without what the logs of this moment lack: a failover took it back."""
        if not manifest.segments:
            return manifest
        noted = await standing(self._client, logs[0])
        collection, entry = await self._last_entry(manifest)
        log = self._logs.store.collection(collection)
        if key_of(manifest.last) <= key_of(noted.border):
            return manifest
        [is_there] = await have_events(self._client, [(log, entry)])
        if is_there:
            return manifest
        now = Log(self._client, self._logs.store, noted.border)
        cut = await cut_to_common(self.archive, self.publishing, now)
        logger.warning(
            "The archive was cut back to what the log has, as another engine took over",
            extra={
                "archive": self.archive.place,
                "had_up_to": manifest.last,
                "has_up_to": cut.last,
                "rest": "under taken-back/",
            },
        )
        self._is_complete = False
        return cut

    async def _last_entry(self, manifest: Manifest) -> Placed:
        if self._last is None or self._last[1][0].decode() != manifest.last:
            self._last = await last_entry(self._reader, manifest.segments[-1])
        return self._last

    async def _note_sealed(self, manifest: Manifest, counted: int) -> None:
        collection, entry = await self._last_entry(manifest)
        log = self._logs.store.collection(collection)
        if not await raise_sealed(self._client, log, manifest.archive, entry, counted):
            noted = await standing(self._client, log)
            if key_of(manifest.last) > key_of(noted.border):
                raise TakenBack

    def _note_lacking(self, manifest: Manifest, claimed: Claim) -> None:
        archived = dict.fromkeys(claimed.counts, 0)
        for segment in manifest.segments:
            for name, count in segment.counts.items():
                archived[name] = archived.get(name, 0) + count
        self._lacking = [name for name, count in claimed.counts.items() if count > archived[name]]
        self._is_complete = True

    async def _stretches(self, manifest: Manifest, border: str) -> list[Stretch]:
        """The frames of the segments that are after the border, or end after it."""
        found: list[Stretch] = []
        for segment in manifest.segments:
            if key_of(segment.last) > key_of(border):
                found += [
                    Stretch(frame.key[0], sum(frame.lines.values()), frame.raw_bytes)
                    for frame in await self._reader.directory(segment)
                ]
        before = [n for n, each in enumerate(found) if key_of(each.first) <= key_of(border)]
        return found[before[-1] :] if before else found
