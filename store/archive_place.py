"""Where a store's archive is: what ITEMSTORE_ARCHIVE says, and what goes without saying."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.archive.whole import Whole
from itemstore.store.settings import Settings

OFF = "off"
"""What the setting says for no archive at all."""


def archive_place(settings: Settings, data_dir: Path | None) -> str | None:
    """A directory or a URL; None for nowhere.

    `data_dir` is that of the embedded engine, None for another engine: without the setting, only
    that one has an archive. Stores that share an engine have one each.
    """
    if settings.archive is not None:
        return None if settings.archive == OFF else settings.archive
    if data_dir is None:
        return None
    name = "archive"
    if settings.namespace:
        name += "-" + quote(settings.namespace, safe="")
    return str(data_dir / name)


def archive_of(settings: Settings, data_dir: Path | None = None) -> Archive | None:
    """The archive of a store of one partition, whether it has anything yet or not.

    Raises NotAnArchive.
    """
    place = archive_place(settings, data_dir)
    return None if place is None else Archive(object_store_of(place), settings.archive_cache)


def archives_of(settings: Settings, data_dir: Path | None = None) -> Sequence[Archive | None]:
    """That of each of the partitions, whether it has anything yet or not. Raises NotAnArchive."""
    partitions, place = settings.partitions or 1, archive_place(settings, data_dir)
    if place is None:
        return [None] * partitions
    return archives_at(place, partitions, settings.archive_cache)


def archives_at(place: str, partitions: int, cache_bytes: int) -> Sequence[Archive]:
    """The archives of a store of so many partitions at a place. Raises NotAnArchive.

    Each of several has its own, in a folder with its number. A process keeps `cache_bytes` of all
    of them in memory.
    """
    objects = object_store_of(place)
    if partitions == 1:
        return [Archive(objects, cache_bytes)]
    whole = Whole(objects, partitions, cache_bytes)
    return [Archive.of(whole, number) for number in range(partitions)]
