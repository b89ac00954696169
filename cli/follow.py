"""`itemstore tail --follow`: the events to come, for as long as somebody looks.

It outlives the engine. One that another process runs may end and come back; where none runs,
nothing is written, so none is held either: a server that starts finds the data directory free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic

from itemstore.cli.errors import Stop
from itemstore.cli.events import PAGE, View
from itemstore.cli.output import say, watch_the_reader
from itemstore.domain.cursors import cursor_after, is_from_ahead
from itemstore.domain.positions import START
from itemstore.engine.embedded import use_of
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.side_by_side import in_time
from itemstore.store.failures import told
from itemstore.store.known_collections import names_for_a_command
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings
from itemstore.store.store import Store

PAUSE = 0.2
"""Seconds between two looks for an engine."""

LOOK_AGAIN = 5.0
"""Seconds between two looks for partitions that are away: each takes most of one."""


class StoreChanged(Exception):
    """The store has another log, or other collections, than when it was opened."""


class Follower:
    """One that has shown the log up to a position, and wants what comes after it."""

    def __init__(self, settings: Settings, view: Callable[[Store], View]) -> None:
        """`view` is how events of a store are shown."""
        self._settings = settings
        self._view = view
        self._position: str | None = None
        self._log: str | None = None
        self._has_said = False
        self._next_look = 0.0

    async def run(self, after: str | None) -> None:
        """Shows events until it is cancelled. Raises Stop, and SystemExit with its reader gone."""
        watch_the_reader()
        while True:
            try:
                async with open_store(self._settings) as store:
                    view = self._view(store)
                    await self._catch_up(store, view, after)
                    if not store.is_own:
                        self._has_said = False
                        await self._follow(store, view)
                        continue
                await self._until_something_is_new()
            except LogUnavailable as error:
                if self._position is None:
                    raise
                self._say(f"{told(error)} Waiting for it.")
            await _pause()

    async def _catch_up(self, store: Store, view: View, after: str | None) -> None:
        """Shows what there is. Raises Stop where this is not the log that it was."""
        which = await store.feed.identity.known()
        position = self._position
        if position is None:
            self._log = which
            self._position = await view.show_newest(after)
            return
        outlook, end = await view.feed.reader.outlook(position), await view.feed.end()
        is_other = self._log is not None and which != self._log
        if is_other or outlook.is_lacking or is_from_ahead(position, end, store.feed.partitions):
            message = (
                f"This is not the log that it was: it ends at {end}, and does not say what came "
                f"after {position}. Begin again without --after."
            )
            raise Stop(message)
        self._position = await view.show_after(position)

    async def _follow(self, store: Store, view: View) -> None:
        """Shows what comes, until the store is another, or its collections are others.

        Raises LogUnavailable where the engine is gone.
        """
        with suppress(StoreChanged):
            coming = view.feed.follow(
                self._position or START, PAGE, check=partial(self._check, store)
            )
            async for recorded in coming:
                seen = self._position or START
                self._position = cursor_after(seen, recorded, store.feed.partitions)
                view.show(recorded)

    async def _check(self, store: Store) -> None:
        """Raises StoreChanged where the store is not what it was when it was opened."""
        names = await names_for_a_command(store.partition.client, store.keys, self._settings)
        if set(names) != set(store.collections):
            raise StoreChanged
        if not store.has_partitions:
            is_other = await self._is_other(store)
        elif monotonic() < self._next_look:
            return
        else:
            found = await in_time(self._is_other(store))
            if isinstance(found, LogUnavailable):  # the others go on, and this one when it is back
                self._next_look = monotonic() + LOOK_AGAIN
                self._say(f"Some partitions are away: {told(found)} Following the others.")
                return
            is_other, self._has_said = found, False
        if is_other:
            raise StoreChanged

    async def _is_other(self, store: Store) -> bool:
        """Whether it has another log than what was shown. Raises LogUnavailable."""
        if self._log is not None:
            return await store.feed.identity.now() != self._log
        seen, end = self._position or START, await store.feed.end()
        return is_from_ahead(seen, end, store.feed.partitions)

    async def _until_something_is_new(self) -> None:
        """Waits for another process that runs the engine, or for what it has written."""
        directory = self._settings.data_dir
        seen = use_of(directory)
        self._say(f"No engine runs in {directory}; waiting for one.")
        while use_of(directory) == seen:
            await _pause()

    def _say(self, text: str) -> None:
        """Says it once for each time that the engine is away."""
        if not self._has_said:
            say(text)
        self._has_said = True


async def _pause() -> None:
    await asyncio.sleep(PAUSE)
