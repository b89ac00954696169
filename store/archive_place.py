"""Where a store's archive is: what ITEMSTORE_ARCHIVE says, and what goes without saying."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.store.settings import Settings

OFF = "off"
"""What the setting says for no archive at all."""


def archive_place(
    settings: Settings, data_dir: Path | None, partition: int | None = None
) -> str | None:
    """A directory or a URL; None for nowhere.

    `data_dir` is that of the embedded engine, None for another engine: without the setting, only
    that one has an archive. Stores that share an engine have one each, and so has each of several
    partitions, in a folder with its number.
    """
    place = _archive_place(settings, data_dir)
    if place is None or partition is None:
        return place
    return f"{place.rstrip('/')}/{partition}"


def archive_of(
    settings: Settings, data_dir: Path | None = None, partition: int | None = None
) -> Archive | None:
    """The archive at that place, whether it has anything yet or not. Raises NotAnArchive."""
    place = archive_place(settings, data_dir, partition)
    if place is None:
        return None
    return Archive(object_store_of(place), settings.archive_cache)


def _archive_place(settings: Settings, data_dir: Path | None) -> str | None:
    if settings.archive is not None:
        return None if settings.archive == OFF else settings.archive
    if data_dir is None:
        return None
    name = "archive"
    if settings.namespace:
        name += "-" + quote(settings.namespace, safe="")
    return str(data_dir / name)
