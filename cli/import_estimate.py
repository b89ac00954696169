"""`itemstore import --dry-run`: whether lines can be imported, and about how long it would take.

Nothing is written to the store. What can't be known without writing is tried on an engine of its
own: how long it takes to write the first of the events.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from itemstore.cli.import_file import planned
from itemstore.cli.import_source import opened
from itemstore.cli.import_spool import Spool, spool
from itemstore.cli.import_target import Target
from itemstore.cli.progress import reported
from itemstore.engine.embedded import EngineError
from itemstore.engine.errors import LogArchived, LogBroken, LogFull, LogMoved, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings
from itemstore.store.store import Store

TRIAL_SECONDS = 3.0
"""For so long at most the first events are written to the engine that is only for that."""

PINGS = 9
"""Round trips of which the middle one counts."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was written on trial, how long that took, and a round trip there, in seconds."""

    events: int
    calls: int
    seconds: float
    round_trip: float


def has_no_store(settings: Settings) -> bool:
    """Whether the settings name a data directory in which there is none yet."""
    return settings.redis_url is None and not settings.data_dir.exists()


async def tell_import(store: Store, path: Path | None, *, append: bool, only: str | None) -> str:
    """What would come of an import, and how long it would take. It writes nothing to the store.

    Raises as import_file does.
    """
    target = await Target.of(store, only)
    with opened(path) as source, spool() as kept, reported(quiet=False) as report:
        began = time.perf_counter()
        plan = await planned(target, source, kept, report, append=append)
        checking = time.perf_counter() - began
        trial = await _tried(store, kept)
        trip = max([await _round_trip(each.partition.client) for each in store.sections])
    there = f" {plan.there:,} more are there already." if plan.there else ""
    said = f"{plan.total:,} events can be imported; nothing was written.{there}"
    if trial is None or not trial.events:
        return f"{said} Checking them took {_duration(checking)}; writing them was not tried."
    calls = trial.calls * plan.total / trial.events
    writing = trial.seconds * plan.total / trial.events + calls * (trip - trial.round_trip)
    return (
        f"{said} That would take about {_duration(checking + max(writing, 0.0))}: "
        f"{_duration(checking)} to check them, as now, and the rest to write them, at the speed at "
        f"which an engine of its own on this machine wrote the first {trial.events:,}, and with "
        f"round trips of {trip * 1000:.1f} ms to this store's. An engine with a slower disk, or "
        "with other work, takes longer."
    )


async def _tried(store: Store, kept: Spool) -> Trial | None:
    """What came of writing the first events elsewhere; None where that can't be done here."""
    with TemporaryDirectory(prefix="itemstore-trial-") as directory, suppress(*_NO_TRIAL):
        given = {"redis_url": None, "data_dir": Path(directory), "archive": "off", "sql_url": "off"}
        settings = store.settings.model_copy(update=given)
        async with open_store(settings, names=[*store.collections], new=True) as elsewhere:
            return await _written(elsewhere, kept)
    return None


_NO_TRIAL = (EngineError, LogArchived, LogBroken, LogFull, LogMoved, LogUnavailable)


async def _written(store: Store, kept: Spool) -> Trial:
    target = await Target.of(store, None)
    events = calls = 0
    began = time.perf_counter()
    for step in kept.steps():
        for name in step.collections:
            target.use(name)
        await target.write(step)
        events, calls = events + step.count, calls + 1
        if time.perf_counter() - began > TRIAL_SECONDS:
            break
    seconds = time.perf_counter() - began
    return Trial(events, calls, seconds, await _round_trip(store.partition.client))


async def _round_trip(client: Redis) -> float:
    """Seconds from a command to its reply."""
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        with translated():
            await client.ping()
        took.append(time.perf_counter() - began)
    return median(took)


def _duration(seconds: float) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004
