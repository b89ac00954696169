"""Whether an archive has the very event that the border was moved to.

A store that was copied with its engine's data, or brought back from an old one, has the ids of the
other. Where both archive in one place, each takes back what its own log lacks: it may put its
events in the place of those that the other has trimmed.
"""

from __future__ import annotations

import hashlib

from itemstore.archive.archived_past import ArchivedPast
from itemstore.eventlog.reader import Entry

OF_ANOTHER_STORE = (
    "The archive {} has other events up to {} than this store's log had: another store archives "
    "there, one that was copied with the engine's data or brought back from an older copy. Give "
    "that one another place (ITEMSTORE_ARCHIVE). What this store's archive had is there under "
    "taken-back/, and in earlier manifests."
)


def mark_of(collection: str, entry: Entry) -> str:
    """What is noted of the event that the border is moved to."""
    digest = hashlib.sha256(b"\n".join([entry[0], *entry[1]])).hexdigest()
    return f"{digest[:32]} {collection}"


async def has_marked(past: ArchivedPast, border: str, mark: str) -> bool:
    """Whether the archive has the event; also where none was noted.

    Raises PastUnavailable and PastDamaged.
    """
    if not mark:
        return True
    collection = mark.partition(" ")[2]
    entries = await past.entries_at(collection, [border.encode()])
    return [mark_of(collection, entry) for entry in entries] == [mark]
