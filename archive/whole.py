"""The archive of a store of several partitions: one for each, in a folder with its number.

A file beside the folders says how many there are, and the id of the whole. It is there before any
of them, so that whoever comes to the place knows which folders have to be there: one that lacks a
manifest is damaged, and not a partition without events.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass
from typing import Self

from pydantic_core import from_json, to_json

from itemstore.archive.caches import PartsCache, ReaderCaches
from itemstore.archive.manifest import MANIFESTS, MalformedManifest, Manifest
from itemstore.archive.object_store import ObjectStore
from itemstore.archive.objects import AlreadyThere, ObjectMissing
from itemstore.archive.recently_used import RecentlyUsed
from itemstore.domain.partitions import MOST
from itemstore.eventlog.past import PastDamaged, PastUnavailable

FILE = "partitions.json"
"""Its name, which is a storage format, as its members are."""

FORMAT = 1

_ID = re.compile("[0-9a-f]{16}")

_OF_ONE = (
    "{} has the archive of a store with one partition, and this one has several: name another "
    "place for it with ITEMSTORE_ARCHIVE."
)
OF_SEVERAL = (
    "{} has the archive of a store with {} partitions: name another place for that of this one "
    "with ITEMSTORE_ARCHIVE."
)
"""Of a place, and the number that it says."""

_ANOTHER = (
    "{} has the archives of another store ({}) than those in its folders ({}): put the right "
    f"{FILE} back, or delete it."
)


@dataclass(frozen=True, slots=True)
class Division:
    """How many partitions an archive has, and `archive`, the id of the whole."""

    archive: str
    partitions: int

    def id_of(self, partition: int) -> str:
        """The id of the archive of a partition."""
        return f"{self.archive}-{partition}"

    @property
    def encoded(self) -> bytes:
        """The content of the file."""
        said = {"format": FORMAT, "archive": self.archive, "partitions": self.partitions}
        return to_json(said) + b"\n"

    @classmethod
    def decoded(cls, place: str, content: bytes) -> Self:
        """What a file says. Raises PastDamaged."""
        try:
            found = from_json(content)
            version, archive, partitions = (
                found[name] for name in ("format", "archive", "partitions")
            )
        except (ValueError, TypeError, KeyError):
            raise PastDamaged(f"{place}/{FILE} can't be read: put it back.") from None
        if version != FORMAT:
            message = f"{place}/{FILE} was written by another version of itemstore ({version})."
            raise PastDamaged(message)
        is_number = type(partitions) is int and 1 < partitions <= MOST
        if not is_number or not isinstance(archive, str) or not _ID.fullmatch(archive):
            raise PastDamaged(f"{place}/{FILE} says what can't be: put it back.")
        return cls(archive, partitions)


def id_of_whole(archive: str) -> str:
    """The id of the whole archive that one with this id is of; its own where it is of none."""
    return archive.partition("-")[0]


def partition_of_archive(archive: str) -> int | None:
    """The number of the partition that an archive with this id is of; None for the only one."""
    _, _, number = archive.partition("-")
    return int(number) if number else None


async def division_at(objects: ObjectStore) -> Division | None:
    """What the file at a place says, None where there is none.

    Raises PastUnavailable and PastDamaged.
    """
    try:
        content = await objects.get(FILE)
    except ObjectMissing:
        return None
    return Division.decoded(objects.place, content)


async def partitions_at(objects: ObjectStore) -> int:
    """Of how many partitions a place has the archives, whether there is one or not.

    Raises PastUnavailable and PastDamaged.
    """
    division = await division_at(objects)
    if division is not None:
        return division.partitions
    if not await objects.names(MANIFESTS) and await objects.names(f"0/{MANIFESTS}"):
        message = (
            f"{objects.place} lacks {FILE}, which says how many partitions it has the archives of: "
            "put it back from a copy. The store that has it puts it there at its next start."
        )
        raise PastDamaged(message)
    return 1


class Whole:
    """The place of the archives of all partitions of a store, for one process.

    What of them is kept in memory is kept together: `cache_bytes` of the files as they are.
    """

    def __init__(self, objects: ObjectStore, partitions: int, cache_bytes: int) -> None:
        self.objects = objects
        self.partitions = partitions
        self.parts: PartsCache = RecentlyUsed(cache_bytes)
        self.readers = ReaderCaches()
        self._known: Division | None = None
        self._lock = asyncio.Lock()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.objects.place

    @property
    def has_begun(self) -> bool:
        """Whether the file is known to be there: then all partitions get an archive."""
        return self._known is not None

    async def begun(self, archive: str | None = None) -> Division:
        """What the file says; it is put where there is none, with an id, or with a new one.

        Raises PastUnavailable where the place is of a store with another number of partitions, or
        of another one than that with the id; PastDamaged.
        """
        async with self._lock:
            found = self._known or await division_at(self.objects) or await self._put(archive)
            self._check(found)
            if archive is not None and found.archive != archive:
                raise PastUnavailable(_ANOTHER.format(self.place, found.archive, archive))
            self._known = found
        return found

    async def complaint(self) -> str | None:
        """Why the place can't be that of the store, in a sentence; None where it can.

        Raises PastUnavailable and PastDamaged.
        """
        found = await division_at(self.objects)
        if found is not None and found.partitions != self.partitions:
            return OF_SEVERAL.format(self.place, found.partitions)
        return None

    async def _put(self, archive: str | None) -> Division:
        if await self.objects.names(MANIFESTS):
            raise PastUnavailable(_OF_ONE.format(self.place))
        archive = archive or await self._id_in_folders() or secrets.token_hex(8)
        wanted = Division(archive, self.partitions)
        try:
            await self.objects.put_new(FILE, wanted.encoded)
        except AlreadyThere:
            return await division_at(self.objects) or wanted
        return wanted

    async def _id_in_folders(self) -> str | None:
        """The id that the archives of partitions have, where any is there: the file was lost."""
        for number in range(self.partitions):
            folder = self.objects.folder(str(number))
            for name in (await folder.names(MANIFESTS))[-1:]:
                try:
                    return id_of_whole(Manifest.decoded(name, await folder.get(name)).archive)
                except MalformedManifest as error:
                    raise PastDamaged(f"{self.place} lacks {FILE}, and {error}") from None
        return None

    def _check(self, found: Division) -> None:
        if found.partitions != self.partitions:
            raise PastUnavailable(OF_SEVERAL.format(self.place, found.partitions))
