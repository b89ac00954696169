"""Removing what no manifest names any more: files that were merged, and old manifests."""

from __future__ import annotations

from time import monotonic

from itemstore.archive.archive import Archive
from itemstore.archive.manifest import (
    INDEXES,
    MANIFESTS,
    SEGMENTS,
    MalformedManifest,
    Manifest,
    number_of,
)
from itemstore.archive.objects import ObjectMissing
from itemstore.eventlog.past import PastDamaged

KEPT = 100
"""The newest manifests stay, with all that they name."""

UNNAMED_SECONDS = 3600.0
"""A file is removed after it was seen for so long that none of them names it: another process may
have put it and be about to publish the manifest that does."""


class Removal:
    """What one process has seen of the files that nobody names."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._named: dict[str, frozenset[str]] = {}
        self._since: dict[str, float] = {}
        self._tidy: Manifest | None = None

    async def step(self) -> None:
        """Removes old manifests, and files that were not named for long.

        Where nothing was left to remove, and no manifest has come since, nothing is asked for.
        Raises PastUnavailable and PastDamaged.
        """
        newest = await self._archive.current()
        if newest is not None and newest is self._tidy:
            return
        objects = self._archive.objects
        manifests = [name for name in await objects.names(MANIFESTS) if number_of(name) is not None]
        for name in manifests[:-KEPT]:
            await objects.delete(name)
        kept = manifests[-KEPT:]
        self._named = {name: self._named.get(name) or await self._names_in(name) for name in kept}
        named = frozenset[str]().union(*self._named.values())
        files = [name for prefix in (SEGMENTS, INDEXES) for name in await objects.names(prefix)]
        now = monotonic()
        self._since = {name: self._since.get(name, now) for name in files if name not in named}
        for name, since in self._since.items():
            if now - since >= UNNAMED_SECONDS:
                await objects.delete(name)
        self._tidy = None if self._since else newest

    async def _names_in(self, name: str) -> frozenset[str]:
        """What a manifest names. Raises PastDamaged where it can't be read: nobody knows."""
        try:
            manifest = Manifest.decoded(name, await self._archive.objects.get(name))
        except ObjectMissing:
            return frozenset()  # another process has removed it
        except MalformedManifest as error:
            raise PastDamaged(f"{error} No file is removed, since it may name it.") from error
        return frozenset(file.name for file in manifest.files)
