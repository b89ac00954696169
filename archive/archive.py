"""An archive: its newest manifest, how the next one is published, and parts of its files."""

from __future__ import annotations

import asyncio
import secrets

from itemstore.archive.manifest import (
    MANIFESTS,
    SEGMENTS,
    MalformedManifest,
    Manifest,
    manifest_name,
    now,
    number_of,
)
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import AlreadyThere, ObjectMissing
from itemstore.archive.parts import Parts
from itemstore.archive.recently_used import RecentlyUsed
from itemstore.archive.whole import OF_SEVERAL, Whole, division_at
from itemstore.eventlog.past import PastDamaged, PastUnavailable

PROBE = "probe-"
"""What the name of the object begins with that a new archive is tried with."""

_REPLACES = (
    "{} is no place for an archive: its server replaces objects that are to be new, as if "
    "If-None-Match were not there, so two processes could overwrite what the other wrote."
)

_STOPPED = (
    "{} Nothing is archived until it is put back from a copy. Without one, delete it: then the "
    "archive goes on after the manifest before it."
)


class Outrun(Exception):
    """Another process has published a manifest first: read again what there is."""


class Archive:
    """An archive of one place, for one process; `cache_bytes` of it are kept in memory.

    That of a partition, of several, has its number, and `whole` is where those of all are: what is
    kept in memory is kept together there.
    """

    def __init__(
        self,
        objects: ObjectStore,
        cache_bytes: int,
        *,
        whole: Whole | None = None,
        partition: int | None = None,
    ) -> None:
        self.objects = objects
        self.whole = whole
        self.partition = partition
        self.damage: str | None = None
        self.complaint: str | None = None  # as `complaint_about` found last
        self._manifest: Manifest | None = None
        self._refreshing = asyncio.Lock()
        self._asked = self._answered = self._looked_for = 0
        self._parts = Parts(objects, RecentlyUsed(cache_bytes) if whole is None else whole.parts)

    @classmethod
    def of(cls, whole: Whole, partition: int) -> Archive:
        """That of a partition."""
        objects = whole.objects.folder(str(partition))
        return cls(objects, 0, whole=whole, partition=partition)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.objects.place

    @property
    def is_to_begin(self) -> bool:
        """Whether it has no manifest that is known here, and those of other partitions have begun.

        Then it begins too, with no event: what lacks a manifest is damaged.
        """
        return self._manifest is None and self.whole is not None and self.whole.has_begun

    async def current(self) -> Manifest | None:
        """The newest manifest that is known here, None where the archive has none yet.

        Raises PastUnavailable and PastDamaged.
        """
        return self._manifest or await self.refreshed()

    async def refreshed(self) -> Manifest | None:
        """The newest manifest that there is, None where the archive has none yet.

        The newest that can be read: `damage` says what is wrong with later ones. Raises
        PastUnavailable and PastDamaged.
        """
        self._asked += 1
        asked = self._asked
        async with self._refreshing:
            if self._answered < asked:  # no look that others waited for began after this call
                asked = self._asked
                await self._look()
                self._answered = asked
        return self._manifest

    async def at_least(self, number: int) -> Manifest | None:
        """The newest manifest that is known, if it has a number or a later one; else the newest.

        A later one is looked for once only: it may be damaged. Raises PastUnavailable and
        PastDamaged.
        """
        manifest = await self.current()
        if manifest is None or max(manifest.number, self._looked_for) >= number:
            return manifest
        manifest = await self.refreshed()
        self._looked_for = number
        return manifest

    async def _look(self) -> None:
        known = self._manifest
        names = await self._names_from(known)
        if known is not None and not names:
            raise PastDamaged(self._gone(known))
        self.damage = None
        for name in reversed(names):
            if known is not None and name == known.name:
                return
            try:
                found = await self._read(name)
            except MalformedManifest as error:
                self.damage = self.damage or str(error)
                continue
            if known is not None and found.archive != known.archive:
                raise PastDamaged(f"{self.place} has another archive now: {found.archive}.")
            if self._manifest is known:  # else it was published here meanwhile
                self._manifest = found
            return
        if self.damage is not None:
            raise PastDamaged(self.damage)

    async def begin(self, log: str) -> Manifest:
        """The newest manifest; the first one of a new archive, for a log, where there is none.

        Raises PastUnavailable and PastDamaged.
        """
        while (manifest := await self.current()) is None:
            if await self.objects.names(SEGMENTS):
                raise PastDamaged(f"{self.place} has segments, and no manifest that names them.")
            await self._refuse_replacing()
            first = Manifest(number=1, archive=await self._id(), log=log, made=now())
            try:
                await self.publish(first)
            except Outrun:
                continue
        return manifest

    async def publish(self, manifest: Manifest) -> None:
        """Makes a manifest the newest one: it is `followed_by` of the one that was.

        Raises Outrun where there is one with its number or a later one: nothing was published.
        Raises PastUnavailable and PastDamaged; after the former it may be there or not.
        """
        try:
            encoded = await asyncio.to_thread(lambda: manifest.encoded)
            await self.objects.put_new(manifest.name, encoded)
        except AlreadyThere as error:
            await self.refreshed()
            if self.damage is not None:
                raise PastDamaged(_STOPPED.format(self.damage)) from None
            raise Outrun(str(error)) from None
        names = await self.objects.names(MANIFESTS, manifest_name(max(manifest.number - 2, 0)))
        numbers = [number for name in names if (number := number_of(name)) is not None]
        if manifest.number + 1 in numbers and await self._is_followed(manifest):
            await self.refreshed()
            return
        if max(numbers, default=0) > manifest.number:
            # The number was free because this is so far behind that it has been removed.
            await self.objects.delete(manifest.name)
            raise Outrun(f"There is a later manifest than {manifest.number}.")
        if manifest.number > 1 and manifest.number - 1 not in numbers:
            await self.objects.delete(manifest.name)
            raise PastDamaged(f"{self.place} lacks {manifest_name(manifest.number - 1)}.")
        self._manifest, self.damage = manifest, None

    async def read(self, name: str, offset: int, length: int, *, keep: bool = True) -> bytes:
        """A part of a file; see Parts.read."""
        return await self._parts.read((name, offset, length), keep=keep)

    async def _is_followed(self, manifest: Manifest) -> bool:
        """Whether another process has gone on from it already."""
        try:
            following = await self._read(manifest_name(manifest.number + 1))
        except MalformedManifest:
            return False
        return following.previous == manifest.sha256

    async def _names_from(self, known: Manifest | None) -> list[str]:
        after = "" if known is None else manifest_name(known.number - 1)
        names = await self.objects.names(MANIFESTS, after)
        return [name for name in names if number_of(name) is not None]

    async def _read(self, name: str) -> Manifest:
        try:
            content = await self.objects.get(name)
            return await asyncio.to_thread(Manifest.decoded, name, content)
        except ObjectMissing:
            raise MalformedManifest(f"{name} was removed meanwhile.") from None

    async def _id(self) -> str:
        """The id of a new one. Raises PastUnavailable where the place is that of another store."""
        if self.whole is not None:
            assert self.partition is not None
            return (await self.whole.begun()).id_of(self.partition)
        if (found := await division_at(self.objects)) is not None:
            raise PastUnavailable(OF_SEVERAL.format(self.place, found.partitions))
        return secrets.token_hex(8)

    async def _refuse_replacing(self) -> None:
        """Raises PastUnavailable where objects are replaced although they are to be new."""
        name = PROBE + secrets.token_hex(8)
        await self.objects.put_new(name, b"one")
        try:
            await self.objects.put_new(name, b"another")
        except AlreadyThere:
            return
        finally:
            await self.objects.delete(name)
        raise PastUnavailable(_REPLACES.format(self.place))

    def _gone(self, known: Manifest) -> str:
        return f"{self.place} lacks {known.name}, which was there before."
