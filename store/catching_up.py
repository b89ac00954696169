"""A read model that its own process brings up to the end of the log, whenever it is asked."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
import weakref
from pathlib import Path

from itemstore.eventlog.all_logs import last_position
from itemstore.projections.following import Following
from itemstore.projections.queries.indexes import texts
from itemstore.projections.queries.indexes.bodies import keys_of
from itemstore.projections.queries.indexes.declared import declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.sql.database import Database
from itemstore.projections.sql.sql_projection import SqlProjection
from itemstore.projections.sql.writer import Writer
from itemstore.store.following_process import PACE
from itemstore.store.store import Store


class CatchingUp:
    """The read model of a process that follows by itself, whenever it is asked.

    Where it has a directory of its own, that goes with it.
    """

    def __init__(self, store: Store, database: Database, directory: Path | None) -> None:
        settings = store.settings
        what = declared(settings.indexes, settings.text, store.collections)
        partitions = len(store.sections)
        self._projection = SqlProjection(
            database, tuple(what), keys_of=keys_of, texts=texts, partitions=partitions
        )
        self._making = Making(what, partitions)
        self._directory = directory
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._following = {
            name: [
                Following(self._projection.name, self._projection.follower(one), one, PACE)
                for one in each.partitions
            ]
            for name, each in store.collections.items()
        }
        self._finalizer = weakref.finalize(self, _remove, self._projection.writer, directory)

    async def catch_up(self, collection: str) -> None:
        """Applies what the logs of a collection have, to their ends as they are now."""
        async with self._turns():
            if self._directory is not None:
                self._directory.mkdir(0o700, exist_ok=True)
            for following in self._following[collection]:
                end = await last_position(following.partition)
                following.begin_again()
                while following.position is None:
                    await following.advance(end, lambda _: True)
            while await self._projection.writer.run(self._making.work):
                pass

    def close(self) -> None:
        """Ends it; what comes later begins again."""
        _remove(self._projection.writer, self._directory)

    def _turns(self) -> asyncio.Lock:
        """A lock of the loop that runs: an application in process may see several."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = loop, asyncio.Lock()
        return self._turn[1]


def new_directory() -> Path:
    """A directory that is not there yet."""
    return Path(tempfile.gettempdir()) / f"itemstore-{secrets.token_hex(8)}"


def _remove(writer: Writer, directory: Path | None) -> None:
    writer.close()
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
