"""Whether an archive is sound, and the store's own, for `archive check` and `verify`."""

from __future__ import annotations

from itemstore.archive.archive import Archive
from itemstore.archive.belonging import mistaken
from itemstore.archive.check import Checked, check
from itemstore.archive.manifest import Manifest
from itemstore.archive.standing import standing
from itemstore.projections.progress import Progress, Report
from itemstore.store.store import Store

MIB = 1024 * 1024


async def checked(store: Store, archive: Archive, report: Report) -> Checked:
    """What a look at all of it finds, and whether it is the store's own.

    Raises PastUnavailable, LogUnavailable and LogBroken.
    """

    def progress(done: int, total: int) -> None:
        report(Progress("reading the archive", done // MIB, total // MIB, "MiB"))

    found = await check(archive, progress)
    is_damaged = found.manifest is None and bool(found.complaints)
    sentence = None if is_damaged else await not_its_own(store, archive, found.manifest)
    if sentence is not None:
        found.complaints.append(sentence)
    return found


async def not_its_own(store: Store, archive: Archive, manifest: Manifest | None) -> str | None:
    """Why an archive with this newest manifest is not the store's, in a sentence; None if it is.

    Raises LogUnavailable and LogBroken.
    """
    noted = await standing(store.partition.client, store.partition.keys)
    return mistaken(noted, archive.place, manifest)


async def complaints(store: Store, report: Report) -> list[str]:
    """What is wrong with the archive of a store, a sentence each; nothing where it has none.

    Of several partitions' each sentence says whose it is. Raises PastUnavailable, LogUnavailable
    and LogBroken.
    """
    found: list[str] = []
    for section in store.sections:
        if section.archive is not None:
            own = (await checked(section, section.archive, report)).complaints
            found += [f"{whose(section.archive)}{sentence}" for sentence in own]
    return found


def whose(archive: Archive) -> str:
    """What a sentence on the archive of one of several partitions begins with."""
    return "" if archive.whole is None else f"Partition {archive.partition}: "
