"""Takes the measurements: every contestant in turn, round after round."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from statistics import median
from typing import Any

from benchmarks import load
from benchmarks.contestants import Contestant
from benchmarks.cores import Cores, on
from benchmarks.drive import drive
from benchmarks.noise import QUIET, Noise
from benchmarks.workloads import Workload

Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, on which cores, and for how long."""

    contestants: Sequence[Contestant]
    workloads: Sequence[Workload]
    cores: Cores
    rounds: int
    seconds: int
    tries: int
    """How often at most a measurement is taken, until one is not disturbed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant that runs, with its items stored."""

    contestant: Contestant
    port: int


def measure(plan: Plan) -> tuple[list[Measured], list[Measured]]:
    """One measurement for each round, workload and contestant; and those at half of the rate.

    The contestants follow each other within a workload, and all workloads are in each round, so
    what else the machine does meets them alike.
    """
    measured: list[Measured] = []
    at_half: list[Measured] = []
    for workers in sorted({workload.workers for workload in plan.workloads}):
        with ExitStack() as stack:
            servers = list(_started(plan, workers, stack))
            for number in range(plan.rounds):
                measured += _round(plan, servers, workers, number)
            if workers == 1:
                at_half = [_at_half(plan, server, measured) for server in servers]
    return measured, at_half


def _started(plan: Plan, workers: int, stack: ExitStack) -> Iterator[Server]:
    for contestant in plan.contestants:
        if workers > 1 and not contestant.several:
            continue
        say(f"starting {contestant.name}")
        port, _ = stack.enter_context(contestant.start(plan.cores, workers))
        load.seed(port)
        yield Server(contestant, port)


def _round(plan: Plan, servers: Sequence[Server], workers: int, number: int) -> Iterator[Measured]:
    for workload in plan.workloads:
        if workload.workers != workers:
            continue
        for server in servers:
            name = server.contestant.name
            numbers = _driven(plan, server, workload, f"round-{number}")
            say(f"round {number + 1}: {workload.name}: {name}: {numbers['rate']:,.0f}/s")
            yield {
                "round": number + 1,
                "workload": workload.name,
                "contestant": name,
                **numbers,
            }


def _driven(plan: Plan, server: Server, workload: Workload, label: str) -> Measured:
    attempts = count()

    def once() -> Measured:
        attempt = next(attempts)
        name = f"{label}-{attempt}-" if workload.requests == "conditional" else "item-"
        outcome = drive(
            server.port, workload, plan.cores, seconds=plan.seconds, path=f"/items/{name}"
        )
        return outcome.as_json()

    return quietest(once, plan.tries)


def quietest(once: Callable[[], Measured], tries: int = 3) -> Measured:
    """The measurement during which other programs took the least; `others` says how much."""
    found: list[Measured] = []
    while not found or (found[-1]["others"] > QUIET and len(found) < tries):
        noise = Noise()
        found.append({**once(), "others": round(noise.cores(), 2)})
    return min(found, key=itemgetter("others"))


def _at_half(plan: Plan, server: Server, measured: Sequence[Measured]) -> Measured:
    """PUTs at half of the rate that the contestant reached."""
    name = server.contestant.name
    first = plan.workloads[0].name
    rates = [
        each["rate"]
        for each in measured
        if each["contestant"] == name and each["workload"] == first
    ]
    rate = round(median(rates) / 2)
    say(f"{name} at {rate:,}/s")
    command = on(
        plan.cores.rest,
        *(sys.executable, "-m", "benchmarks.load", str(server.port), str(rate)),
        str(2 * plan.seconds),
    )

    def once() -> Measured:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))

    return {"contestant": name, **quietest(once, plan.tries)}


def say(text: str) -> None:
    """Progress, for a person who waits."""
    print(text, file=sys.stderr, flush=True)
