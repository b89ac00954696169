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
from benchmarks.contestant import Contestant, Running
from benchmarks.cores import UNPINNED, Cores, move, on
from benchmarks.drive import drive
from benchmarks.noise import QUIET, Noise
from benchmarks.processes import processor_time
from benchmarks.shapes import items
from benchmarks.workloads import CONDITIONAL, Layout, Workload

Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, on which cores, and for how long."""

    contestants: Sequence[Contestant]
    workloads: Sequence[Workload]
    layouts: dict[Layout, Cores]
    rounds: int
    seconds: int
    tries: int
    """How often at most a measurement is taken, until one is not disturbed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant that runs, with its items stored."""

    contestant: Contestant
    running: Running


def measure(plan: Plan) -> tuple[list[Measured], list[Measured]]:
    """One measurement for each round, workload and contestant; and those at half of the rate.

    The contestants follow each other within a workload, and all workloads are in each round, so
    what else the machine does meets them alike.
    """
    measured: list[Measured] = []
    at_half: list[Measured] = []
    for workers in sorted({workload.workers for workload in plan.workloads}):
        workloads = [each for each in plan.workloads if each.workers == workers]
        with ExitStack() as stack:
            servers = list(_started(plan, workloads, workers, stack))
            for number in range(plan.rounds):
                measured += _round(plan, servers, workloads, number)
            if workers == 1:
                for number in range(plan.rounds):
                    at_half += [_at_half(plan, server, measured, number) for server in servers]
    return measured, at_half


def _started(
    plan: Plan, workloads: Sequence[Workload], workers: int, stack: ExitStack
) -> Iterator[Server]:
    cores = plan.layouts[Layout.SHARED] if workers == 1 else UNPINNED
    for contestant in plan.contestants:
        if not any(contestant.takes_part(workload) for workload in workloads):
            continue
        say(f"starting {contestant.name}")
        running = stack.enter_context(contestant.start(cores, workers))
        load.seed(running.port, contestant.shape.put)
        yield Server(contestant, running)


def _round(
    plan: Plan, servers: Sequence[Server], workloads: Sequence[Workload], number: int
) -> Iterator[Measured]:
    for workload in workloads:
        for server in servers:
            if not server.contestant.takes_part(workload):
                continue
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
    """Drives the server, and adds what a request took of its processor time and its engine's."""
    attempts = count()
    running, cores = server.running, plan.layouts[workload.layout]
    if running.engine:
        move(running.engine, cores.engine)

    def once() -> Measured:
        shape = server.contestant.shape
        if workload is CONDITIONAL:
            shape = items(f"{label}-{next(attempts)}-")
        before = processor_time(running.pid, running.engine)
        outcome = drive(running.port, workload, cores.load, seconds=plan.seconds, shape=shape)
        used = processor_time(running.pid, running.engine).since(before, outcome.requests)
        return outcome.as_json() | used

    return quietest(once, plan.tries)


def quietest(once: Callable[[], Measured], tries: int = 3) -> Measured:
    """The measurement during which other programs took the least; `others` says how much."""
    found: list[Measured] = []
    while not found or (found[-1]["others"] > QUIET and len(found) < tries):
        noise = Noise()
        found.append({**once(), "others": round(noise.cores(), 2)})
    return min(found, key=itemgetter("others"))


def _at_half(plan: Plan, server: Server, measured: Sequence[Measured], number: int) -> Measured:
    """PUTs at half of the rate that the contestant reached."""
    name, running = server.contestant.name, server.running
    cores = plan.layouts[Layout.SHARED]
    if running.engine:
        move(running.engine, cores.engine)
    first = plan.workloads[0].name
    rates = [
        each["rate"]
        for each in measured
        if each["contestant"] == name and each["workload"] == first
    ]
    rate = round(median(rates) / 2)
    say(f"round {number + 1}: {name} at {rate:,}/s")
    put = server.contestant.shape.put
    command = on(
        cores.load,
        *(sys.executable, "-m", "benchmarks.load", str(running.port), str(rate)),
        *(str(2 * plan.seconds), put.method, put.path, put.body),
    )

    def once() -> Measured:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return dict(json.loads(done.stdout))

    return {"round": number + 1, "contestant": name, **quietest(once, plan.tries)}


def say(text: str) -> None:
    """Progress, for a person who waits."""
    print(text, file=sys.stderr, flush=True)
