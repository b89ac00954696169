"""The append-only file cut at random bytes: what is left is the log's beginning, or an error."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itemstore.archive.archive import Archive
from itemstore.archive.archived_past import ArchivedPast
from itemstore.archive.object_store import object_store_of
from itemstore.engine.connect import connect
from itemstore.engine.embedded import EngineFailed, run
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import Past
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from tests.torture.archived import Place, archived_log, log_with, whole_log
from tests.torture.checker import check
from tests.torture.history import LogEntry
from tests.torture.outcome import Outcome
from tests.torture.processes import COLLECTIONS, SEVERAL, Api, client_of
from tests.torture.traffic import Recorded, traffic

RECORDING = 1.5
"""Seconds of traffic before the file is rewritten, and as many after it."""

OTHER_FILES = 0.15
"""How many of the cuts are in what the rewrite left, or in the list of files."""


async def cuts(seed: int, seconds: float) -> Outcome:
    """A history on disk, killed, and then loaded again and again from a part of itself."""
    chance = random.Random(f"{seed} cuts")
    outcome, recorded = Outcome("file cut", seed), Recorded()
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        archive = Place.in_directory(directory / "data" / "archive")
        log = await _recorded(directory, archive, recorded, seed)
        archived, wrong = await archived_log(archive)
        outcome.violations += wrong
        past = ArchivedPast(Archive(object_store_of(directory / "data" / "archive"), 1 << 24))
        outcome.count(recorded.history, [])
        outcome.kills += 1
        outcome.violations += [str(each) for each in check(recorded.history, log)]
        outcome.violations += recorded.complaints
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            story = Story(log, archived, past)
            outcome.violations += await _cut(directory, story, chance, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


@dataclass(frozen=True, slots=True)
class Story:
    """The whole log, what the archive has of it, and the same as a store asks for it."""

    log: Sequence[LogEntry]
    archived: Sequence[LogEntry]
    past: Past


async def _recorded(
    directory: Path, archive: Place, recorded: Recorded, seed: int
) -> list[LogEntry]:
    """Traffic on an embedded engine that rewrites its file half way, and a kill; the log."""
    api = Api(directory / "errors", "--data-dir", str(directory / "data"), *SEVERAL)
    await api.start()
    try:
        async with client_of(api.engine_socket) as client:
            async with traffic(recorded, [lambda: api.port], seed):
                await asyncio.sleep(RECORDING)
                await client.bgrewriteaof()
                await asyncio.sleep(RECORDING)
            persistence: Any = await client.info("persistence")
            while persistence["aof_rewrite_in_progress"]:
                await asyncio.sleep(0.05)
                persistence = await client.info("persistence")
            whole = await whole_log(client, archive)
            recorded.complaints += whole.complaints
    finally:
        await api.kill(*(await api.pids_of_engine() or ()))
    return whole.log


async def _cut(directory: Path, story: Story, chance: random.Random, outcome: Outcome) -> list[str]:
    """What is wrong after a cut at one byte; nothing where all is well."""
    copy = directory / "copy"
    shutil.copytree(directory / "data" / "appendonlydir", copy / "appendonlydir")
    try:
        files = sorted((copy / "appendonlydir").iterdir())
        last = max(files, key=lambda file: (file.name.endswith(".incr.aof"), file.name))
        file = chance.choice(files) if chance.random() < OTHER_FILES else last
        size = file.stat().st_size
        at = chance.randrange(size)
        with file.open("r+b") as opened:
            opened.truncate(at)
        kind = file.suffix.removeprefix(".") if file != last else "end"
        outcome.faults[f"cut in the {NAMES[kind]}"] += 1
        wrong = await _wrong_after(copy, story, outcome)
        return [f"{file.name} cut at {at} of {size}: {wrong}"] if wrong else []
    finally:
        shutil.rmtree(copy)


NAMES = {"end": "end of the file", "rdb": "beginning", "aof": "beginning", "manifest": "manifest"}


async def _wrong_after(data_dir: Path, story: Story, outcome: Outcome) -> str:
    outcome.inputs += 1
    try:
        with run(data_dir) as engine:
            async with connect(engine.url) as redis:
                entries = await log_with(redis, story.archived)
                parts = [Partition(redis, Keys(name), story.past) for name in COLLECTIONS]
                verdicts = [await verify(part, BUILT_IN) for part in parts]
    except EngineFailed as error:
        outcome.answers["refused"] += 1
        return "" if error.why.strip() else "no word of why it did not start"
    outcome.answers["started"] += 1
    if entries != story.log[: len(entries)]:
        return f"its {len(entries)} events are not the first of the log"
    transaction, rest = entries[-1].transaction if entries else "", story.log[len(entries) :]
    if transaction and any(entry.transaction == transaction for entry in rest):
        return f"its log ends within {transaction}"
    return "" if all(verdict.clean for verdict in verdicts) else f"verify: {verdicts}"
