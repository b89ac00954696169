"""`itemstore tail --follow`: the events to come, for as long as somebody looks.

It outlives the engine. One that another process runs may end and come back; where none runs,
nothing is written, so none is held either: a server that starts finds the data directory free.
"""

from __future__ import annotations

import asyncio

from itemstore.cli.errors import Stop, told
from itemstore.cli.events import PAGE, show, show_after, show_newest
from itemstore.cli.output import say, watch_the_reader
from itemstore.domain.positions import START
from itemstore.engine.embedded import use_of
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.log_id import LogReplaced, known_identity
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings
from itemstore.store.store import Store

PAUSE = 0.2
"""Seconds between two looks for an engine."""


class Follower:
    """One that has shown the log up to a position, and wants what comes after it."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self._settings = settings
        self._as_json = as_json
        self._position: str | None = None
        self._log: str | None = None
        self._has_said = False

    async def run(self, after: str | None) -> None:
        """Shows events until it is cancelled. Raises Stop, and SystemExit with its reader gone."""
        watch_the_reader()
        while True:
            try:
                async with open_store(self._settings) as store:
                    await self._catch_up(store, after)
                    if not store.is_own:
                        self._has_said = False
                        await self._follow(store)
                await self._until_something_is_new()
            except LogUnavailable as error:
                if self._position is None:
                    raise
                self._say(f"{told(error)} Waiting for it.")
            await _pause()

    async def _catch_up(self, store: Store, after: str | None) -> None:
        """Shows what there is. Raises Stop where this is not the log that it was."""
        position = self._position
        which = await known_identity(store.partition)
        if position is None:
            self._log = which
            self._position = await show_newest(store, after=after, as_json=self._as_json)
            return
        ends = await store.feed.reader.extent()
        end = ends.end
        is_other = self._log is not None and which != self._log
        if is_other or ends.is_before(position) or ends.lacks_after(position):
            message = (
                f"This is not the log that it was: it ends at {end}, and does not say what came "
                f"after {position}. Begin again without --after."
            )
            raise Stop(message)
        self._position = await show_after(store, position, as_json=self._as_json)

    async def _follow(self, store: Store) -> None:
        """Shows what comes, until the engine is gone. Raises LogUnavailable then."""
        try:
            async for recorded in store.feed.follow(self._position or START, PAGE, log=self._log):
                self._position = recorded[-1].position
                show(recorded, as_json=self._as_json)
        except LogReplaced as error:
            raise Stop(str(error)) from None

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
