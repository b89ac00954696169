"""Making a complete store of an archive, in an engine that has none.

First what is restored is noted in the engine, and every write is refused from then on. Then the
rows of items are written as the events of the older part left them, which stays in the archive, and
then the events of the newer part with their own positions. Each step notes how far it came, so that
a restore that was killed goes on where it was. The last one makes the store what it is, all at once
(docs/decisions/0054).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from itemstore.archive.all_events import all_events
from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.lines import Placed
from itemstore.archive.manifest import Manifest
from itemstore.domain.positions import START, key_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.partition import Partition
from itemstore.projections.progress import Progress, Report
from itemstore.store.restored_rows import RestoredRows, Row

EVENTS, EVENT_BYTES = 2000, 4 * 1024 * 1024
"""Events in one step, and about how many bytes of them: some 20 ms of the engine's time, which has
no store to serve yet, and one fsync."""

AT_ONCE = 4
"""Steps that are on their way to the engine together."""

_APPLY = lua("itemstore.eventlog", "apply")
_BEGIN, _BEGIN_LOG, _END = (
    Script(lua(__package__, name)) for name in ("begin_restore", "begin_log", "end_restore")
)
_ROWS, _EVENTS = (
    Script(_APPLY + lua(__package__, name)) for name in ("restore_rows", "restore_events")
)


@dataclass(frozen=True, slots=True)
class Restore:
    """What is restored into an engine, as it is noted there; positions are empty until known.

    `source` is the id of the archive that it was asked for, `at` what was said of up to when, and
    `archive` the id of the one that the store goes on with, empty for none. `log` is the id that
    the store's log gets. `up_to` is the last event, `border` the one up to which the events stay in
    the archive, and `done` the one up to which all is written.
    """

    source: str
    at: str
    archive: str
    log: str
    up_to: str = ""
    border: str = ""
    done: str = ""

    @property
    def texts(self) -> list[str]:
        """Names and values in turn, as a hash takes them."""
        return [text for each in fields(self) for text in (each.name, getattr(self, each.name))]


async def begun(partition: Partition) -> Restore | None:
    """The restore that was begun here and has not ended. Raises LogUnavailable and LogBroken."""
    with translated():
        found: Any = await partition.client.hgetall(partition.keys.store.restoring)
    if not found:
        return None
    noted = {name.decode(): value.decode(errors="replace") for name, value in found.items()}
    return Restore(**{each.name: noted.get(each.name, "") for each in fields(Restore)})


async def begin(partition: Partition, restore: Restore, names: Sequence[str]) -> None:
    """Notes it in the engine, in which nothing of a store may be.

    `names` are those of the collections. Raises NotEmpty, LogMoved, LogUnavailable and LogBroken.
    """
    store = partition.keys.store
    keys = [store.restoring, store.position, store.archive]
    for name in names:
        of_one = store.collection(name)
        keys += (of_one.events, of_one.current, of_one.ids, of_one.trimmed)
    await partition.run(_BEGIN, keys=keys, args=restore.texts)


class Restoring:
    """Writes what an archive has into an engine in which a restore was begun.

    `source` has all that is restored: it is the archive that the store goes on with, or the only
    one there is. `names` are collections that it may have no event of.
    """

    def __init__(
        self,
        partition: Partition,
        source: Archive,
        manifest: Manifest,
        disk: DiskSpace,
        names: Iterable[str] = (),
    ) -> None:
        self._partition = partition
        self._source = source
        self._past = ArchivedPast(source)
        self._disk = disk
        self._names = sorted({name for each in manifest.segments for name in each.counts})
        self._collections = sorted({*self._names, *names})
        self._keys = {name: partition.keys.store.collection(name) for name in self._names}
        self._total = 0
        self._written = 0

    async def run(self, restore: Restore, report: Report) -> AsyncGenerator[Restore, None]:
        """Goes on to the end, and says after each step how far it is.

        Raises LogMoved, LogFull, LogUnavailable, LogBroken, PastUnavailable and PastDamaged.
        """
        if not restore.done:
            restore = replace(restore, done=START)
            await self._note(restore)
        counts = {name: await self._past.count(name, restore.up_to) for name in self._names}
        self._total = sum(counts.values())
        self._written = sum([await self._past.count(name, restore.done) for name in self._names])
        if key_of(restore.done) < key_of(restore.border):
            async with aclosing(self._write_rows(restore, report)) as writing:
                async for restore in writing:
                    yield restore
        if restore.done == restore.border:
            await self._begin_logs(restore)
        async with aclosing(self._write_events(restore, report)) as writing:
            async for restore in writing:
                yield restore
        await self._end(restore)

    async def _note(self, restore: Restore) -> None:
        key = self._partition.keys.store.restoring
        with translated():
            await self._partition.client.hset(key, items=restore.texts)

    async def _write_rows(self, restore: Restore, report: Report) -> AsyncGenerator[Restore, None]:
        """What the older part leaves of the items."""
        rows = RestoredRows()
        async with aclosing(all_events(self._source, restore.done, restore.border)) as parts:
            async for entries in parts:
                await asyncio.to_thread(rows.add, entries)
                self._written += len(entries)
                report(Progress("restoring items", self._written, self._total))
                done = entries[-1][1][0].decode()
                if rows.are_many or done == restore.border:
                    await self._write(rows, restore.done, done)
                    restore = replace(restore, done=done)
                    yield restore

    async def _write(self, rows: RestoredRows, before: str, done: str) -> None:
        self._disk.check()
        for some in _in_groups(rows.taken()):
            await asyncio.gather(*(self._write_some(name, step, before) for name, step in some))
        await self._run_rows(self._names[0], [before, done])

    async def _write_some(self, name: str, rows: Sequence[Row], before: str) -> None:
        await self._run_rows(name, [before, "", *(value for row in rows for value in row)])

    async def _run_rows(self, name: str, arguments: Sequence[Any]) -> None:
        keys = self._keys[name]
        names = [self._partition.keys.store.restoring, keys.current, keys.ids]
        await self._partition.run(_ROWS, keys=names, args=arguments)

    async def _begin_logs(self, restore: Restore) -> None:
        """Begins the logs: how many events stay in the archive, and each one's last event."""
        for name, keys in self._keys.items():
            in_archive = await self._past.count(name, restore.border)
            last = await self._past.before_last([name], 0, restore.up_to)
            is_before = last != START and key_of(last) <= key_of(restore.border)
            trimmed = in_archive - is_before
            if trimmed > 0:
                names = [keys.store.restoring, keys.events, keys.trimmed]
                await self._partition.run(_BEGIN_LOG, keys=names, args=[trimmed])
            if is_before:
                [entry] = await self._past.entries_at(name, [last.encode()])
                await self._run_events([(name, entry)], restore.done, restore.done)

    async def _write_events(
        self, restore: Restore, report: Report
    ) -> AsyncGenerator[Restore, None]:
        """The events of the newer part, which are in the engine."""
        async with aclosing(all_events(self._source, restore.done, restore.up_to)) as parts:
            async for entries in parts:
                for step in steps(entries, _size_of, most=EVENTS, most_bytes=EVENT_BYTES):
                    self._disk.check()
                    done = step[-1][1][0].decode()
                    await self._run_events(step, restore.done, done)
                    restore = replace(restore, done=done)
                    self._written += len(step)
                    report(Progress("restoring events", self._written, self._total))
                    yield restore

    async def _run_events(self, entries: Sequence[Placed], before: str, done: str) -> None:
        names = [*dict.fromkeys(name for name, _ in entries)]
        numbers = {name: str(number) for number, name in enumerate(names, start=1)}
        keys = [self._partition.keys.store.restoring]
        for name in names:
            of_one = self._keys[name]
            keys += (of_one.events, of_one.current, of_one.ids)
        each = " ".join(f"{numbers[name]} {len(values)}" for name, (_, values) in entries)
        arguments: list[str | bytes] = [before, done, each]
        arguments += [self._keys[name].histories for name in names]
        for _, (position, values) in entries:
            arguments += (position, *values)
        await self._partition.run(_EVENTS, keys=keys, args=arguments)

    async def _end(self, restore: Restore) -> None:
        store, since = self._partition.keys.store, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        layout = {"log": restore.log} | {f"collection:{name}": since for name in self._collections}
        archive: Mapping[str, Any] = {}
        if restore.archive:
            archive = {
                "archive": restore.archive,
                "claimed": restore.up_to,
                "sealed": restore.up_to,
                "counted": self._total,
            }
            if restore.border != START:
                archive |= {"border": restore.border}
        keys = [store.restoring, store.position, store.layout, store.archive]
        arguments = [restore.done, restore.up_to, 2 * len(layout), *_flat(layout), *_flat(archive)]
        await self._partition.run(_END, keys=keys, args=arguments)


def _flat(members: Mapping[str, Any]) -> Iterator[Any]:
    return (text for pair in members.items() for text in pair)


def _in_groups(steps: Iterator[tuple[str, list[Row]]]) -> Iterator[list[tuple[str, list[Row]]]]:
    while some := [step for _, step in zip(range(AT_ONCE), steps, strict=False)]:
        yield some


def _size_of(placed: Placed) -> int:
    return sum(map(len, placed[1][1]))
