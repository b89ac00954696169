"""Publishing the next manifest, where several pieces of work change the list of files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.manifest import Manifest

TRIES = 5
"""How often a change is tried again on a manifest that another process has published."""

Change = Callable[[Manifest], Manifest]
"""What makes the next manifest of the newest one. Raises Outrun where it doesn't fit that one."""


class Publishing:
    """Publishes changes of one process one after the other."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = asyncio.Lock()

    async def publish(self, change: Change) -> Manifest:
        """The manifest that has the change. Raises Outrun, PastUnavailable and PastDamaged."""
        async with self._lock:
            manifest = await self._archive.current()
            for _ in range(TRIES):
                if manifest is None:
                    break
                following = change(manifest)
                try:
                    await self._archive.publish(following)
                except Outrun:
                    manifest = await self._archive.refreshed()
                else:
                    return following
            raise Outrun("Other processes publish manifests all the time.")
