"""Whether an archive is sound: all of it is read, and compared with what its manifests say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from itemstore.archive.archive import Archive
from itemstore.archive.file_check import Contents, contents_of
from itemstore.archive.manifest import INDEXES, SEGMENTS, FileInfo, Manifest
from itemstore.archive.manifest_chain import chain_of
from itemstore.archive.objects import ObjectMissing
from itemstore.eventlog.past import PastDamaged

Progress = Callable[[int, int], None]
"""Is told how many bytes were read, and how many there are."""


@dataclass(slots=True)
class Checked:
    """What a check has found: `complaints` says what is wrong, a sentence for each thing.

    `manifest` is the newest one that is right, None where there is none; `events` and `bytes`
    are those of the files that were read and found right. `unnamed` are files that no manifest
    names: they are of an archiver at work, or were left over by one, and do no harm.
    """

    manifest: Manifest | None = None
    complaints: list[str] = field(default_factory=list)
    events: int = 0
    bytes: int = 0
    unnamed: list[str] = field(default_factory=list)


async def check(archive: Archive, progress: Progress = lambda _done, _all: None) -> Checked:
    """Reads the whole archive, a few megabytes at a time, also while it goes on.

    Raises PastUnavailable where it can't be reached; what is damaged or missing is a complaint.
    """
    files = [*await archive.objects.names(SEGMENTS), *await archive.objects.names(INDEXES)]
    chain = await chain_of(archive.objects)  # after them: it names what comes meanwhile
    checked = Checked(chain.newest, list(chain.complaints))
    if chain.newest is None:
        if files:
            checked.complaints.append("There are files, and no manifest that can be read.")
        return checked
    await _check_files(archive, checked, chain.newest, progress)
    checked.unnamed = [name for name in files if name not in chain.named]
    return checked


async def _check_files(
    archive: Archive, checked: Checked, manifest: Manifest, progress: Progress
) -> None:
    found: dict[str, Contents | None] = {}
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        progress(done, manifest.size)

    while file := next((each for each in manifest.files if each.name not in found), None):
        try:
            found[file.name] = await contents_of(archive.objects, file, read)
        except ObjectMissing as error:
            newer = await _newer(archive, manifest, file)
            if newer is not None:
                manifest = newer
            else:
                found[file.name] = None
                checked.complaints.append(str(error))
        except PastDamaged as error:
            found[file.name] = None
            checked.complaints.append(str(error))
    checked.manifest = manifest
    in_segments = _sum([found[file.name] for file in manifest.segments])
    in_indexes = _sum([found[file.name] for file in manifest.indexes])
    if in_segments is not None:
        checked.events = in_segments.events
    checked.bytes = sum(file.bytes for file in manifest.files if found[file.name] is not None)
    if in_segments and in_indexes and in_segments.versions != in_indexes.versions:
        checked.complaints.append(
            "The indexes do not have the events of the segments: some versions of items are not "
            "found, or others are found in their place."
        )


async def _newer(archive: Archive, manifest: Manifest, file: FileInfo) -> Manifest | None:
    """A later manifest that does without a file, None where there is none."""
    newest = await archive.refreshed()
    if newest is None or newest.number <= manifest.number:
        return None
    return None if any(each.name == file.name for each in newest.files) else newest


def _sum(contents: list[Contents | None]) -> Contents | None:
    """What is in all of several files, None where one of them is damaged."""
    total = Contents()
    for each in contents:
        if each is None:
            return None
        total.add(each)
    return total
