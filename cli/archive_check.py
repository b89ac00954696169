"""Whether an archive is sound, and the store's own, for `archive check` and `verify`."""

from __future__ import annotations

from itemstore.archive.archive import Archive
from itemstore.archive.check import Checked, check
from itemstore.archive.standing import standing
from itemstore.projections.progress import Progress, Report
from itemstore.store.store import Store

MIB = 1024 * 1024


async def checked(store: Store, archive: Archive, report: Report) -> Checked:
    """What a look at all of it finds, and whether it is the archive of the store.

    Raises PastUnavailable, LogUnavailable and LogBroken.
    """

    def progress(done: int, total: int) -> None:
        report(Progress("reading the archive", done // MIB, total // MIB, "MiB"))

    found = await check(archive, progress)
    noted = (await standing(store.partition.client, store.partition.keys)).archive
    there = found.manifest.archive if found.manifest else None
    if noted is not None and there != noted and not (there is None and found.complaints):
        what = "is empty" if there is None else f"has the id {there}"
        found.complaints.append(
            f"The archive {archive.place} {what}, and that of this store has the id {noted}."
        )
    return found


async def complaints(store: Store, report: Report) -> list[str]:
    """What is wrong with the archive of a store, a sentence each; nothing where it has none.

    Raises PastUnavailable, LogUnavailable and LogBroken.
    """
    if store.archive is None:
        return []
    return (await checked(store, store.archive, report)).complaints
