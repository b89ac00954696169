"""Whether an archive is the one of the store that is to be archived in it."""

from __future__ import annotations

from redis.asyncio import Redis

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.border_mark import OF_ANOTHER_STORE, has_marked
from itemstore.archive.manifest import Manifest
from itemstore.archive.standing import Standing, standing
from itemstore.archive.whole import id_of_whole
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastDamaged, PastUnavailable

_OF_ANOTHER_LOG = (
    "The archive {} has the events of another log ({}) than that of the engine ({}). If the engine "
    "was emptied, `itemstore restore` makes the store again from the archive; a new store takes "
    "another directory or bucket (ITEMSTORE_ARCHIVE)."
)
ANOTHER = (
    "The archive {} has the id {}, and that of this store has the id {}: name the store's own with "
    "ITEMSTORE_ARCHIVE."
)
"""Of a place, the id of the archive there, and that of the store's own."""

_GONE = (
    "The archive {} is empty, and that of this store, which has the id {}, is not: put it back, or "
    "name the place where it is with ITEMSTORE_ARCHIVE."
)

_OLDER = (
    "The archive {} ends at {} and lacks what was trimmed from the log since, up to {}: it is an "
    "older copy of the store's. Put the newer one back, or name the place where it is with "
    "ITEMSTORE_ARCHIVE."
)


class NotItsArchive(Exception):
    """It is the archive of another store, so nothing is put there. The sentence says what to do."""


async def own_manifest(client: Redis, keys: Keys, archive: Archive) -> Manifest | None:
    """The newest manifest of a store's archive: of a new one, where neither has anything of it yet.

    None as long as the store has no event; a partition's begins with that of any other. Raises
    NotItsArchive, PastUnavailable, PastDamaged, and what the engine raises.
    """
    partition = Partition(client, keys)
    noted = await standing(client, keys)
    manifest = await archive.refreshed()
    if archive.damage is not None:
        raise PastDamaged(archive.damage)
    if (sentence := mistaken(noted, archive.place, manifest)) is not None:
        raise NotItsArchive(sentence)
    if manifest is None:
        if not archive.is_to_begin and await last_position(partition) == START:
            return None
        manifest = await archive.begin(await identity(partition))
    elif archive.whole is not None:
        await archive.whole.begun(id_of_whole(manifest.archive))
    log = await identity(partition)
    if manifest.log != log:
        raise NotItsArchive(_OF_ANOTHER_LOG.format(archive.place, manifest.log, log))
    if not await has_marked(ArchivedPast(archive), noted.border, noted.mark):
        raise NotItsArchive(OF_ANOTHER_STORE.format(archive.place, noted.border))
    return manifest


async def complaint_about(client: Redis, keys: Keys, archive: Archive) -> str | None:
    """What is wrong with the place of a store's archive, in a sentence; None where nothing is.

    Looks at the place, and begins nothing there. Raises LogUnavailable and LogBroken.
    """
    noted = await standing(client, keys)
    try:
        manifest = await archive.refreshed()
        of_whole = None if archive.whole is None else await archive.whole.complaint()
    except (PastUnavailable, PastDamaged) as error:
        return str(error)
    return archive.damage or mistaken(noted, archive.place, manifest) or of_whole


def mistaken(noted: Standing, place: str, manifest: Manifest | None) -> str | None:
    """Why an archive can't be the one that a store has noted, in a sentence; None where it can.

    `manifest` is the newest one that is there.
    """
    if noted.archive is None:
        return None
    if manifest is None:
        return _GONE.format(place, noted.archive)
    if noted.archive != manifest.archive:
        return ANOTHER.format(place, manifest.archive, noted.archive)
    if key_of(manifest.last) < key_of(noted.border):
        return _OLDER.format(place, manifest.last, noted.border)
    return None
