"""The parts with clients: traffic, faults one after another, and the checker at the end."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.archive.faulty_s3 import Faults
from tests.conftest import program_of
from tests.torture import api_ends, archive_faults, engine_faults, faults, read_model_faults
from tests.torture.archived import Place, whole_log
from tests.torture.bounds import at_most
from tests.torture.checker import check
from tests.torture.cut_clients import cut_traffic
from tests.torture.faults import Fault, Strike, System
from tests.torture.history import save
from tests.torture.outcome import Outcome
from tests.torture.processes import (
    ARCHIVING,
    ARCHIVING_SELDOM,
    SEVERAL,
    Api,
    DidNotStart,
    Engine,
    client_of,
    verified,
)
from tests.torture.proxy import Proxy
from tests.torture.read_back import read_back
from tests.torture.traffic import Recorded, traffic

LONGEST_503 = 4.0
"""Seconds. Two are promised; the rest is what a machine that is full of tests may add."""

LONGEST_HEAL = 10.0
"""Seconds from the end of a fault to the next acknowledged write."""

WAITED_FOR = 0.8
"""After how many of the faults the next one waits until this one is healed."""

SHOWN = 20
"""Violations of a part that are printed; the file with the history has them all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes wrong in a part: the weight of each fault, and the mean pause before the next.

    Its clients wait for their answers, or are `cut` off.
    """

    part: str
    weights: dict[type[Fault], int]
    pause: float
    cut: bool = False


ENGINE_KILLED = Plan(
    "engine killed",
    {
        faults.EngineKilled: 6,
        faults.EngineKilledWhileItRewrites: 1,
        faults.EngineHung: 1,
        archive_faults.LeaseEnded: 1,
    },
    pause=0.3,
)

API_KILLED = Plan(
    "API killed",
    {faults.ApiKilled: 2, faults.WorkerKilled: 1, archive_faults.LeaseEnded: 1},
    pause=0.2,
)

BOTH_KILLED = Plan(
    "both killed",
    {
        faults.ApiAndEngineKilled: 3,
        faults.EverythingKilled: 3,
        faults.ApiKilled: 1,
        faults.EmbeddedEngineKilled: 2,
        archive_faults.LeaseEnded: 3,
    },
    pause=0.2,
)

CONNECTIONS_BROKEN = Plan(
    "connections broken",
    {
        faults.RequestLost: 6,
        faults.RequestTorn: 6,
        faults.ReplyLost: 8,
        faults.ReplyTorn: 6,
        faults.RepliesLostAgainAndAgain: 2,
        faults.RequestDelayed: 3,
        faults.ReplyDelayed: 3,
        faults.CopiesDelivered: 6,
        engine_faults.ScriptsForgotten: 3,
        engine_faults.ConnectionsClosed: 3,
        engine_faults.OutOfMemory: 2,
        engine_faults.ReadOnly: 2,
        engine_faults.RebuildMeanwhile: 1,
        archive_faults.LeaseEnded: 2,
    },
    pause=0.05,
)

READ_MODEL = Plan(
    "read model",
    {
        read_model_faults.FollowerKilled: 5,
        read_model_faults.QueriesKilled: 5,
        read_model_faults.ReadModelDeleted: 3,
        read_model_faults.OldReadModelPutBack: 4,
        read_model_faults.SqlRebuilt: 2,
        faults.EngineKilled: 1,
        faults.ApiKilled: 1,
    },
    pause=0.2,
)

CLIENTS_CUT = Plan(
    "clients cut",
    {
        faults.RepliesSlow: 8,
        api_ends.ApiEnded: 3,
        api_ends.ApiEndedWhileTheEngineHangs: 1,
        faults.RequestTorn: 2,
        faults.ReplyLost: 2,
        faults.ReplyTorn: 2,
        engine_faults.ScriptsForgotten: 2,
        engine_faults.OutOfMemory: 1,
    },
    pause=0.05,
    cut=True,
)


async def engine_killed(seed: int, seconds: float) -> Outcome:
    """The engine is killed under two API processes."""
    async with _around_an_engine("valkey") as system:
        return await struck(ENGINE_KILLED, system, seed, seconds)


async def api_killed(seed: int, seconds: float) -> Outcome:
    """An API of one process, and workers of another, are killed; on Redis where it is installed."""
    program = "redis" if shutil.which("redis-server") else "valkey"
    async with _around_an_engine(program, workers=2) as system:
        return await struck(API_KILLED, system, seed, seconds)


async def both_killed(seed: int, seconds: float) -> Outcome:
    """The API with its embedded engine, killed together or in part."""
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        api = Api(directory / "errors", "--data-dir", str(directory / "data"), *SEVERAL)
        archive = Place.in_directory(directory / "data" / "archive")
        try:
            await api.start()
            return await struck(BOTH_KILLED, System([api], archive), seed, seconds)
        finally:
            await api.stop()


async def connections_broken(seed: int, seconds: float) -> Outcome:
    """Everything that happens between a store and its engine, and to an engine that stays."""
    async with _around_an_engine("valkey", through_proxy=True) as system:
        return await struck(CONNECTIONS_BROKEN, system, seed, seconds)


async def read_model(seed: int, seconds: float) -> Outcome:
    """All that can go wrong with where queries are answered from, on two hosts."""
    async with _around_an_engine("valkey", workers=2) as system:
        return await struck(READ_MODEL, system, seed, seconds)


async def clients_cut(seed: int, seconds: float) -> Outcome:
    """Clients that leave at any byte and any moment, and APIs that are told to end meanwhile."""
    async with _around_an_engine("valkey", through_proxy=True) as system:
        return await struck(CLIENTS_CUT, system, seed, seconds)


@asynccontextmanager
async def _around_an_engine(
    program: str, *, workers: int = 1, through_proxy: bool = False
) -> AsyncIterator[System]:
    """Two APIs on one engine, each as on a host of its own. They archive to one place.

    The second has `workers` workers.
    """
    with tempfile.TemporaryDirectory(prefix="itemstore-") as temporary:
        directory = Path(temporary)
        engine = Engine(directory, program_of(program))
        proxy = Proxy(engine.socket, directory / "proxy") if through_proxy else None
        url = proxy.url if proxy else engine.url
        archive = Place.in_directory(directory / "archive")
        apis = [
            Api(
                *(directory / f"errors-{name}", "--redis-url", url, *SEVERAL, "--workers", str(n)),
                environment={**archive.environment, **archiving},
            )
            for name, n, archiving in (
                ("often", 1, ARCHIVING),
                ("seldom", workers, ARCHIVING_SELDOM),
            )
        ]
        system = System(apis, archive, engine, proxy)
        try:
            await engine.start()
            if proxy:
                await proxy.start()
            await asyncio.gather(*(api.start() for api in system.apis))
            yield system
        finally:
            await asyncio.gather(*(api.stop() for api in system.apis))
            if proxy:
                await proxy.stop()
            await engine.kill()


async def struck(plan: Plan, system: System, seed: int, seconds: float) -> Outcome:
    """Traffic on the system, faults of the plan one after another, and what the checker says."""
    chance = random.Random(f"{seed} {plan.part}")
    outcome, recorded, strikes = Outcome(plan.part, seed), Recorded(), list[Strike]()
    kinds, weights = list(plan.weights), list(plan.weights.values())
    ports: list[Callable[[], int]] = [lambda api=api: api.port for api in system.apis]  # type: ignore[misc]
    began = time.monotonic()
    clients = (
        cut_traffic(recorded, system.apis, seed) if plan.cut else traffic(recorded, ports, seed)
    )
    async with clients:
        while time.monotonic() - began < seconds:
            await asyncio.sleep(chance.uniform(0, 2 * plan.pause))
            [fault] = chance.choices(kinds, weights)
            try:
                strikes.append(await fault(system, chance).strike())
            except DidNotStart as error:
                outcome.violations.append(f"did not start after {fault.name()}: {error}")
                break
            if chance.random() < WAITED_FOR:
                await healed(outcome, recorded, strikes[-1])
        await asyncio.sleep(0.5)
    outcome.seconds = time.monotonic() - began
    outcome.count(recorded.history, strikes)
    outcome.faults += recorded.cuts
    outcome.time(strikes, recorded.unavailable)
    await _judge(outcome, system, recorded)
    return outcome


async def healed(outcome: Outcome, recorded: Recorded, strike: Strike) -> None:
    """Waits for an acknowledged write after the fault, and counts the seconds."""
    while recorded.acknowledged <= strike.ended:
        if time.monotonic() > strike.ended + at_most(LONGEST_HEAL):
            outcome.violations.append(f"nothing was acknowledged any more after {strike.name}")
            return
        await asyncio.sleep(0.002)
    outcome.heals.append(recorded.acknowledged - strike.ended)


async def _judge(outcome: Outcome, system: System, recorded: Recorded) -> None:
    engine = system.engine_socket
    if system.objects is not None:  # what is there is judged, and not how often it was asked for
        system.objects.faults = Faults()
    async with client_of(engine) as client:
        whole = await whole_log(client, system.archive)
    found = [str(violation) for violation in check(recorded.history, whole.log)]
    if found:
        name = f"torture-{outcome.part.replace(' ', '-')}-{outcome.seed}.jsonl"
        outcome.kept = Path(tempfile.gettempdir()) / name
        save(outcome.kept, recorded.history, whole.log)
    found += recorded.complaints
    found += [f"a 503 after {wait:.1f} s" for wait in outcome.waits if wait > at_most(LONGEST_503)]
    found += system.complaints + whole.complaints
    for wrong in await asyncio.gather(
        *(
            verified(
                *("--redis-url", f"unix://{engine}"),
                environment={**api.environment, **system.archive.environment},
            )
            for api in system.apis
        )
    ):
        found += wrong
    for api in (*system.apis, *system.archivers):
        if not api.is_running:
            found.append(f"the API ended by itself: {api.log.read_text()[-2000:]}")
        else:
            found += await read_back(api.port, whole.log, outcome.seed)
            found += api.tracebacks() + await api.kept()
    outcome.violations += found[:SHOWN]
    if len(found) > SHOWN:
        outcome.violations.append(f"and {len(found) - SHOWN} more")
