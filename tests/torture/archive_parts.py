"""The parts that strike at the archive: an object store that fails, and several that archive."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from benchmarks.bucket import bucket
from tests.archive.faulty_s3 import FaultyS3
from tests.conftest import program_of
from tests.torture import archive_faults, faults
from tests.torture.archived import Place
from tests.torture.bucket import place_in_bucket
from tests.torture.faults import System
from tests.torture.outcome import Outcome
from tests.torture.processes import ARCHIVING, ARCHIVING_SELDOM, SEVERAL, Api, Engine
from tests.torture.traffic_parts import Plan, struck

OBJECT_STORE = Plan(
    "object store",
    {
        archive_faults.ObjectsSlow: 3,
        archive_faults.ObjectsReadOnly: 2,
        archive_faults.ObjectsGone: 2,
        archive_faults.AnswersTorn: 2,
        archive_faults.LeaseEnded: 2,
        faults.ApiAndEngineKilled: 1,
        faults.EverythingKilled: 1,
        faults.ApiKilled: 1,
        faults.EmbeddedEngineKilled: 1,
    },
    pause=0.3,
)

TWO_ARCHIVERS = Plan(
    "two archivers",
    {
        archive_faults.ArchiverHung: 4,
        archive_faults.LeaseEnded: 4,
        archive_faults.ArchiverKilled: 2,
        faults.EngineKilled: 1,
    },
    pause=0.2,
)

KEEP = ("50", "200", "1")
"""Events that each of the hosts would keep."""


async def object_store(seed: int, seconds: float) -> Outcome:
    """The archive is on S3, which fails one request in three all the time, and worse at times."""
    with bucket() as server, tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        async with FaultyS3(f"http://127.0.0.1:{server.port}") as objects:
            objects.random.seed(seed)
            objects.faults = archive_faults.MOSTLY
            place = place_in_bucket(server.port, through=objects.port)
            where = ("--data-dir", str(directory / "data"))
            api = Api(directory / "errors", *where, *SEVERAL, environment=place.environment)
            try:
                await api.start()
                system = System([api], place, objects=objects)
                return await struck(OBJECT_STORE, system, seed, seconds)
            finally:
                await api.stop()


async def two_archivers(seed: int, seconds: float) -> Outcome:
    """Hosts with settings of their own archive one log to one place, and lose their leases."""
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        engine = Engine(directory, program_of("valkey"))
        place = Place.in_directory(directory / "archive")
        first, *others = (
            Api(
                *(directory / f"errors-{keep}", "--redis-url", engine.url, *SEVERAL),
                environment={**place.environment, **often, "ITEMSTORE_KEEP_EVENTS": keep},
            )
            for keep, often in zip(KEEP, (ARCHIVING_SELDOM, ARCHIVING, ARCHIVING), strict=True)
        )
        system = System([first], place, engine, archivers=others)
        try:
            await engine.start()
            await asyncio.gather(*(api.start() for api in (first, *others)))
            return await struck(TWO_ARCHIVERS, system, seed, seconds)
        finally:
            await asyncio.gather(*(api.stop() for api in (first, *others)))
            await engine.kill()
