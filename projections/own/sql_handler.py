"""Projections that write to SQL: a function is given a connection and each event, exactly once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from itemstore.domain.positions import START
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.fold import Fold
from itemstore.projections.no_check import NoCheck
from itemstore.projections.own.choice import Choice
from itemstore.projections.own.sql_checkpoints import Keeper
from itemstore.projections.own.sql_database import (
    HandlersDatabase,
    SqliteHandlers,
    postgres_handlers,
)
from itemstore.projections.own.sql_follower import Handle, SqlHandledFollower, Wanted
from itemstore.projections.own.sql_making import Contents, Told, live, making
from itemstore.projections.own.state import Handled, note_position, states_of
from itemstore.projections.own.unrun import check_function
from itemstore.projections.progress import Progress, Report
from itemstore.projections.projection import Status
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.sql.postgres import SCHEMES, NotASqlUrl, postgres_database
from itemstore.projections.task import Findings, Task

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class SqlHandlerProjection:
    """A projection that calls `handle(connection, recorded)` for each event, or those wanted.

    The connection is that of `sqlite3`, or of psycopg, to the database at `url`: `sqlite:///PATH`
    or `postgresql://…`; where `url_from` names an environment variable, at the URL in that. What
    `handle` writes is kept together with the checkpoint, or neither is.

    `tables` has a name and a statement, or several, for each table that is the projection's own:
    they are made where they are missing, made again by a rebuild, and compared by `verify`.
    """

    name: str
    handle: Handle
    tables: Mapping[str, str | Sequence[str]]
    url: str | None = field(default=None, repr=False)
    _: KW_ONLY
    url_from: str | None = None
    collections: Collection[str] | None = None
    types: Collection[str] | None = None

    def __post_init__(self) -> None:
        Choice(self.collections, self.types)
        check_function(self.handle, may_be_awaited=False)
        if not self.tables:
            message = "tables names none: say which tables are the projection's own."
            raise ValueError(message)
        if (self.url is None) is (self.url_from is None):
            message = "it takes either url or url_from: where its tables are."
            raise TypeError(message)

    @property
    def trouble(self) -> str | None:
        """Why it can't work with what is here, in words without a secret; None where it can."""
        if (url := self._url) is None:
            return f"whose URL is to be in {self.url_from}, which is not set"
        return _trouble_with_file(url) if url.startswith(SQLITE) else _trouble_with(url)

    def follower(self, partition: Partition) -> SqlHandledFollower:
        """What brings the tables up to the end of a log."""
        return SqlHandledFollower(self.keeper, self.wanted, partition)

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """How far it is with each log, as its follower has noted; a row is a handled event."""
        found = await states_of([partition for partition, _ in logs], self.name)
        return [
            state
            if isinstance(state, Exception)
            else Status(
                state.position or START,
                max(0, log.events - state.events),
                state.handled,
                state.handling(partition),
            )
            for (partition, log), state in zip(logs, found, strict=True)
        ]

    async def rebuild(self, task: Task) -> Findings:
        """Raises RebuildRefused: its tables have all logs together; see rebuild_whole."""
        raise RebuildRefused(f"{self.name} is rebuilt as a whole, and not {task.partition}.")

    def check(self, _: Fold) -> NoCheck:
        """What compares nothing: its tables have all logs together; see compare_whole."""
        return NoCheck()

    async def rebuild_whole(
        self, partitions: Sequence[Partition], report: Report, *, dry_run: bool
    ) -> Sequence[Findings]:
        """Makes the tables again from all these logs, and puts them in place.

        Raises ProjectionFailed, SqlUnavailable, LogUnavailable, LogBroken.
        """
        length = sum([(await each.reader.extent()).events for each in partitions])
        told = _reporting(report, length)
        async with self._closing(), making(self.keeper, self.wanted, partitions, told) as made:
            before, places = await live(self.keeper, partitions)
            await made.up_to(places)
            expected = await made.contents()
            await made.up_to(None)
            after = await made.contents()
            if not dry_run:
                await made.put_in_place()
        different = [name for name in self.tables if before[name] != expected[name]]
        findings = []
        for number, each in enumerate(partitions):
            at = made.at[each]
            if not dry_run:
                place = Handled(at.position, at.events, at.handled)
                await note_position(each, self.name, place)
            findings.append(
                Findings(
                    first=made.first.get(each, ""),
                    last=at.position if each in made.first else "",
                    events=at.events,
                    skipped=0,
                    items=0 if number else sum(table.rows for table in after.values()),
                    digest_before=" ".join(table.digest for table in before.values()),
                    digest_after=" ".join(table.digest for table in after.values()),
                    different={} if number else {"tables": len(different)},
                    examples=[] if number else different,
                )
            )
        return findings

    async def compare_whole(
        self, partitions: Sequence[Partition], report: Report
    ) -> Sequence[tuple[str, str, str]]:
        """Each table that is not what the logs say: its name, what it holds, what it should."""
        length = sum([(await each.reader.extent()).events for each in partitions])
        told = _reporting(report, length)
        async with self._closing(), making(self.keeper, self.wanted, partitions, told) as made:
            found, places = await live(self.keeper, partitions)
            await made.up_to(places)
            expected = await made.contents()
        return [
            (name, _in_words(found[name]), _in_words(expected[name]))
            for name in self.tables
            if found[name] != expected[name]
        ]

    @asynccontextmanager
    async def _closing(self) -> AsyncIterator[None]:
        """A block at whose end the connection is closed: it is opened again where it is needed."""
        try:
            yield
        finally:
            await asyncio.to_thread(self.keeper.close)

    @cached_property
    def keeper(self) -> Keeper:
        """The connection of this process, for all followers. Raises NotASqlUrl."""
        tables = {
            name: (made,) if isinstance(made, str) else tuple(made)
            for name, made in self.tables.items()
        }
        return Keeper(self._database, self.name, tables)

    @property
    def wanted(self) -> Wanted:
        """What is handled, and with what."""
        return Wanted(Choice(self.collections, self.types), self.handle, self._database.is_sound)

    @property
    def _url(self) -> str | None:
        return self.url if self.url_from is None else os.environ.get(self.url_from)

    @property
    def _database(self) -> HandlersDatabase:
        url = self._url or ""
        if url.startswith(SQLITE):
            return SqliteHandlers(_path(url))
        return postgres_handlers(url)


def _trouble_with_file(url: str) -> str | None:
    path = _path(url)
    if path.is_dir():
        return f"whose database is a directory: {path}"
    if not path.parent.is_dir():
        return f"whose database can't be made: there is no directory {path.parent}"
    return None


def _trouble_with(url: str) -> str | None:
    if not url.startswith(SCHEMES):
        return "whose url is none of a database: it is sqlite:///PATH or postgresql://…"
    if find_spec("psycopg") is None:
        return "which needs psycopg, which is not installed: pip install 'itemstore[postgres]'"
    try:
        postgres_database(url)
    except NotASqlUrl as error:
        return f"whose url can't be used: {error}".rstrip(".")
    return None


def _path(url: str) -> Path:
    return Path(unquote(url.removeprefix(SQLITE))).absolute()


def _reporting(report: Report, length: int) -> Told:
    def told(events: int) -> None:
        report(Progress("replaying", events, max(events, length)))

    return told


def _in_words(contents: Contents) -> str:
    return f"{contents.rows} rows, digest {contents.digest[:12]}"
