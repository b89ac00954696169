"""A check of a projection that can't be compared with the log."""

from __future__ import annotations

from itemstore.projections.fold import Page


class NoCheck:
    """A check that compares nothing."""

    async def take(self, page: Page) -> None:
        """Does nothing."""

    async def compare(self) -> None:
        """Does nothing."""
