"""The parts on a cluster: three primaries with a replica each, two APIs, sixteen partitions."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redis import RedisCluster

from itemstore.engine.local_cluster import HOST, LocalCluster, running_cluster
from tests.conftest import program_of
from tests.torture import cluster_faults as faults
from tests.torture.archived import Place
from tests.torture.bounds import at_most
from tests.torture.checker import check
from tests.torture.cluster_faults import PARTITIONS, chosen
from tests.torture.cut_followers import following, to_the_end
from tests.torture.faults import Fault, Strike, System
from tests.torture.history import LogEntry, Operation, entries_of, save
from tests.torture.outcome import Outcome
from tests.torture.processes import COLLECTIONS, SEVERAL, Api, verified
from tests.torture.requests import GROUPS
from tests.torture.rules import slot_of
from tests.torture.traffic import Recorded, traffic
from tests.torture.traffic_parts import SHOWN, healed
from tests.torture.violation import Violation

PAUSE = 0.4
"""Seconds between two faults, on average."""

LONGEST_503 = 8.0
"""Seconds. A reader of all partitions may be told of the last of them that one can't be read, and
the machine is full of nodes that are started."""

WAITED_FOR = 0.8
"""After how many of the faults the next one waits until this one is healed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes wrong in a part: the weight of each fault; if it `moves`, slots move beside it.

    `durability` is what the APIs wait for. `loses` where a node's place is taken by a replica
    without its leave. Then reads may be of what is taken back, and are left out; and what was
    acknowledged may be lost where nobody waited for the replica.
    """

    part: str
    weights: dict[type[Fault], int]
    durability: str
    loses: bool
    moves: bool = True

    @property
    def may_lose(self) -> bool:
        """Whether an acknowledged write may be lost with its node."""
        return self.loses and not self.durability.startswith("replicas")


IN_GOOD_ORDER: dict[type[Fault], int] = {
    faults.ReplicaPromoted: 3,
    faults.NodeAddedAndEmptied: 1,
    faults.SlotMovedKeyByKey: 2,
}

ALL: dict[type[Fault], int] = IN_GOOD_ORDER | {
    faults.PrimaryKilled: 4,
    faults.PrimaryHung: 2,
    faults.PrimaryCutOff: 2,
}

IN_ORDER = Plan("cluster, in good order", IN_GOOD_ORDER, "fsync", loses=False)
AT_ONCE = Plan("cluster, all at once", ALL, "replicas:1", loses=True)
UNREPLICATED = Plan("cluster, all at once, fsync", ALL, "fsync", loses=True)


FAILOVERS: dict[type[Fault], int] = {faults.PrimaryReplaced: 1}


async def in_good_order(seed: int, seconds: float) -> Outcome:
    """Slots and primaries change in good order: nothing is lost, and no read is old."""
    return await _struck(IN_ORDER, seed, _for(seconds))


async def at_once(seed: int, seconds: float) -> Outcome:
    """All of it, with ITEMSTORE_DURABILITY=replicas:1: no acknowledged write is lost."""
    return await _struck(AT_ONCE, seed, _for(seconds))


async def unreplicated(seed: int, seconds: float) -> Outcome:
    """All of it, without waiting for replicas: what is lost is counted."""
    return await _struck(UNREPLICATED, seed, _for(seconds))


async def failovers(seed: int, count: int, durability: str) -> Outcome:
    """So many primaries are killed, and their replicas take their places."""
    plan = Plan(f"{count} failovers, {durability}", FAILOVERS, durability, loses=True, moves=False)
    return await _struck(plan, seed, lambda strikes: sum(x.failovers for x in strikes) < count)


async def cut_feeds(seed: int, count: int) -> Outcome:
    """So many live streams are cut over all of it; each follower is shown every event once."""
    plan = replace(AT_ONCE, part=f"{count} cut feeds")
    async with around_a_cluster(plan.durability) as system:
        async with following(ports(system), seed) as (followed, followers):
            run = await _run(plan, system, seed, lambda _: followed.cuts < count)
            log = await asyncio.to_thread(log_of, _cluster_of(system))
            await to_the_end(followed, followers, log)
        outcome = await _judged(plan, system, run)
    outcome.faults["live stream cut"] += followed.cuts
    outcome.faults["live stream refused"] += followed.refused.total()
    outcome.faults["event seen and taken back"] += followed.taken_back(log)
    outcome.violations += followed.wrong(log)[:SHOWN]
    return outcome


GoesOn = Callable[[Sequence[Strike]], bool]
"""Whether there are to be more faults after some."""


def _for(seconds: float) -> GoesOn:
    """For so long from when it is first asked: a cluster takes its time to be there."""
    until = float("inf")

    def goes_on(_: Sequence[Strike]) -> bool:
        nonlocal until
        until = min(until, time.monotonic() + seconds)
        return time.monotonic() < until

    return goes_on


@asynccontextmanager
async def around_a_cluster(durability: str, **settings: Any) -> AsyncIterator[System]:
    """Two APIs on a cluster, each as on a host of its own."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="itemstore-")))
        running = running_cluster(program_of("valkey"), directory, **settings)
        cluster = await asyncio.to_thread(stack.enter_context, running)
        options = ("--redis-url", cluster.url, "--durability", durability, *SEVERAL)
        apis = [Api(directory / f"errors-{name}", *options) for name in ("one", "two")]
        try:
            await asyncio.gather(*(api.start() for api in apis))
            yield System(apis, Place({}, None), cluster=cluster)
        finally:
            await asyncio.gather(*(api.stop() for api in apis))


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a part, before it is judged."""

    outcome: Outcome
    recorded: Recorded
    strikes: Sequence[Strike]


async def _struck(plan: Plan, seed: int, goes_on: GoesOn) -> Outcome:
    async with around_a_cluster(plan.durability) as system:
        return await _judged(plan, system, await _run(plan, system, seed, goes_on))


async def _run(plan: Plan, system: System, seed: int, goes_on: GoesOn) -> Run:
    """Traffic, and faults for as long as it goes on."""
    outcome, recorded = Outcome(plan.part, seed), Recorded()
    began = time.monotonic()
    async with traffic(recorded, ports(system), seed, groups=GROUPS):
        strikes = await _strike(plan, system, outcome, recorded, goes_on)
        await asyncio.sleep(0.5)
    outcome.seconds = time.monotonic() - began
    outcome.count(recorded.history, strikes)
    outcome.time(strikes, recorded.unavailable)
    await asyncio.to_thread(_cluster_of(system).wait_until_ok)
    return Run(outcome, recorded, strikes)


def _cluster_of(system: System) -> LocalCluster:
    assert system.cluster is not None
    return system.cluster


def ports(system: System) -> list[Callable[[], int]]:
    """Where the APIs are asked."""
    return [lambda api=api: api.port for api in system.apis]  # type: ignore[misc]


async def _strike(
    plan: Plan, system: System, outcome: Outcome, recorded: Recorded, goes_on: GoesOn
) -> list[Strike]:
    """Faults of nodes one after another, and slots that move beside them all the time."""
    chance = random.Random(f"{outcome.seed} {plan.part}")
    strikes = list[Strike]()
    weights = {fault: weight for fault, weight in plan.weights.items() if fault.can_happen()}
    slots = asyncio.Lock()
    """Held by what needs that nothing else moves slots."""

    async def moves() -> None:
        while plan.moves and goes_on(strikes):
            await asyncio.sleep(chance.uniform(0, 2 * PAUSE))
            async with slots:
                strikes.append(await faults.SlotsMoved(system, chance).strike())

    moving = asyncio.create_task(moves())
    try:
        while goes_on(strikes):
            await asyncio.sleep(chance.uniform(0, 2 * PAUSE))
            fault = chosen(chance, weights)(system, chance)
            if isinstance(fault, (faults.SlotMovedKeyByKey, faults.NodeAddedAndEmptied)):
                async with slots:
                    strike = await fault.strike()
            else:
                strike = await fault.strike()
            strikes.append(strike)
            if chance.random() < WAITED_FOR:
                await healed(outcome, recorded, strike)
    finally:
        await moving
    return sorted(strikes, key=lambda strike: strike.began)


async def _judged(plan: Plan, system: System, run: Run) -> Outcome:
    cluster, outcome, recorded = _cluster_of(system), run.outcome, run.recorded
    log = await asyncio.to_thread(log_of, cluster)
    history = recorded.history
    if plan.loses:
        history = [each for each in history if each.is_write and not each.is_refusal]
    if plan.may_lose:
        outcome.lost = lost(history, log, run.strikes)
    violations = [each for each in check(history, log) if is_promised(plan, each)]
    slow = [f"a 503 after {wait:.1f} s" for wait in outcome.waits if wait > at_most(LONGEST_503)]
    if violations or slow or outcome.violations:
        name = f"torture-{plan.part.replace(' ', '-').replace(',', '')}-{outcome.seed}.jsonl"
        outcome.kept = Path(tempfile.gettempdir()) / name
        save(outcome.kept, recorded.history, log)
    found = [*map(str, violations), *misplaced(log), *recorded.complaints, *system.complaints]
    found += slow
    for api in system.apis:
        found += await verified("--redis-url", cluster.url, environment=api.environment)
        if not api.is_running:
            found.append(f"the API ended by itself: {api.log.read_text()[-2000:]}")
        else:
            found += api.tracebacks() + await api.kept()
    outcome.violations += found[:SHOWN]
    if len(found) > SHOWN:
        outcome.violations.append(f"and {len(found) - SHOWN} more")
    return outcome


def is_promised(plan: Plan, violation: Violation) -> bool:
    """Whether the store promises that this does not happen.

    Where a node's place is taken without its leave, a PATCH may have read what that takes back, and
    be appended at the new node: alone, or in a batch.
    """
    if violation.name == "lost write":
        return not plan.may_lose
    patches = violation.detail.startswith("PATCH ") or "[PATCH " in violation.detail
    return not (plan.loses and violation.name == "wrong body" and patches)


def lost(
    history: Sequence[Operation], log: Sequence[LogEntry], strikes: Sequence[Strike]
) -> list[float]:
    """Of each acknowledged write that is not in the log, the seconds until the next fault."""
    there = {entry.tag for entry in log}
    gone = [each for each in history if each.is_acknowledged and each.tag not in there]
    ends = [strike.began for strike in strikes]
    return [
        max(0.0, min((end for end in ends if end > each.returned), default=each.returned)
            - each.returned)
        for each in gone
    ]  # fmt: skip


def log_of(cluster: LocalCluster) -> list[LogEntry]:
    """The log of all partitions, as `redis-cli -c` shows it, one partition after another."""
    node = cluster.nodes[0]
    log = list[LogEntry]()
    with RedisCluster(host=HOST, port=node.port) as client:
        for partition in range(PARTITIONS):
            streams: dict[str, Any] = {
                name: client.xrange(f"{{{partition}}}:{name}:events") for name in COLLECTIONS
            }
            log += entries_of(streams, partition)
    return log


def misplaced(log: Sequence[LogEntry]) -> list[str]:
    """The events that are not in the partition of their item."""
    wrong = [each for each in log if slot_of(each.item) % PARTITIONS != each.partition]
    return [f"in the wrong partition: {each}" for each in wrong]
