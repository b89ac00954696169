"""Twice the traffic that the server can take: how much is accepted and refused, and how fast.

    python -m benchmarks.overload [--seconds 20] [--rounds 3] [--option=--max-waiting=500]

First the sustainable rate is measured, with wrk. Then PUTs come at rates of their own, whether or
not the ones before were answered, over thousands of connections: at half of the sustainable rate,
at twice the rate, and at half of it again. A latency counts from when its request was due.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from benchmarks.contestants import engine_pid, serving
from benchmarks.cores import cores, move, on
from benchmarks.drive import drive
from benchmarks.load import TICK, Connection, Tally, connected, put_requests, seed
from benchmarks.measure import quietest, say
from benchmarks.shapes import items
from benchmarks.starting import HERE
from benchmarks.workloads import PUT

PATIENCE = 5.0
"""Seconds after which a request counts as one that timed out."""


@dataclass
class Answers(Tally):
    """Latencies in seconds, in the order of the answers, and how many were neither."""

    accepted: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    wrong: int = 0

    def note(self, seconds: float, status: int) -> None:
        """An answer that came `seconds` after its request was due."""
        if status == 503:
            self.refusals.append(seconds)
        elif status < 300:
            self.accepted.append(seconds)
        else:
            self.wrong += 1


@dataclass(frozen=True, slots=True)
class Phase:
    """Traffic at a rate, in requests a second, for some seconds."""

    name: str
    rate: float
    seconds: float


async def run(port: int, phases: list[Phase], connections: int) -> list[dict[str, Any]]:
    """Sends all of it to the server, one phase right after the other."""
    answers = Answers()
    pool = await connected(port, answers, connections)
    requests = put_requests()
    outcomes = []
    for phase in phases:
        here = Answers()
        for connection in pool:
            connection.tally = here
        lost = await _send(pool, requests, phase)
        outcomes.append(_outcome(phase, here, lost))
    return outcomes


async def _send(pool: list[Connection], requests: Any, phase: Phase) -> int:
    """Sends a phase's requests when they are due; how many had no answer in time."""
    total = int(phase.rate * phase.seconds)
    start, sent = time.monotonic(), 0
    while sent < total:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        due = min(int((now - start) * phase.rate), total)
        for number in range(sent, due):
            pool[number % len(pool)].send(now, next(requests))
        sent = max(sent, due)
    waiting = [asyncio.ensure_future(connection.idle.wait()) for connection in pool]
    _, late = await asyncio.wait(waiting, timeout=PATIENCE)
    for task in late:
        task.cancel()
    return len(late)


def _outcome(phase: Phase, answers: Answers, lost: int) -> dict[str, Any]:
    first_second = answers.accepted[: int(len(answers.accepted) / phase.seconds)]
    return {
        "phase": phase.name,
        "offered": round(phase.rate),
        "accepted": round(len(answers.accepted) / phase.seconds),
        "refused": round(len(answers.refusals) / phase.seconds),
        "wrong": answers.wrong,
        "no answer": lost,
        "accepted_ms": _percentiles(answers.accepted),
        "refused_ms": _percentiles(answers.refusals),
        "first_second_ms": _percentiles(first_second),
    }


def _percentiles(latencies: list[float]) -> dict[str, float]:
    if not latencies:
        return {}
    ordered = sorted(latencies)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "most": 1.0}
    last = len(ordered) - 1
    return {
        name: round(ordered[min(last, int(share * len(ordered)))] * 1000, 1)
        for name, share in shares.items()
    }


def measure(
    seconds: int, connections: int, options: list[str], given_rate: float | None = None
) -> dict[str, Any]:
    """One round on a server of its own."""
    where = cores()
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(HERE, where, 1, "--data-dir", directory, *options) as (port, process),
    ):
        move(engine_pid(process), where.engine)
        seed(port)
        rate = given_rate or drive(port, PUT, where.load, seconds=3, shape=items()).rate
        say(f"sustainable: {rate:,.0f} PUT/s")
        before = _resident(process.pid)
        command = on(
            where.load,
            *(sys.executable, "-m", "benchmarks.overload", "--send", str(port), str(rate)),
            *("--seconds", str(seconds), "--connections", str(connections)),
        )
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)
        most = before
        while sender.poll() is None:
            most = max(most, _resident(process.pid))
            time.sleep(0.5)
        assert sender.stdout is not None
        phases = json.loads(sender.stdout.read())
        sender.stdout.close()
        memory = {"before": before, "most": most, "after": _resident(process.pid)}
        return {"sustainable": round(rate), "phases": phases, "mib": memory}


def _resident(pid: int) -> int:
    """MiB of memory that the process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 // 2**20


def _send_all(port: int, rate: float, seconds: int, connections: int) -> None:
    phases = [
        Phase("half", rate / 2, 3),
        Phase("twice", 2 * rate, seconds),
        Phase("half again", rate / 2, 3),
    ]
    print(json.dumps(uvloop.run(run(port, phases, connections))))


def main() -> None:
    """Measures, or sends where it was started to do that."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="of too much traffic")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tries", type=int, default=3, help="of a round that others disturb")
    parser.add_argument("--connections", type=int, default=4_000)
    parser.add_argument("--rate", type=float, help="take this as sustainable; do not measure it")
    parser.add_argument("--option", action="append", default=[], help="of `itemstore serve`")
    parser.add_argument("--send", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        _send_all(int(given.send[0]), float(given.send[1]), given.seconds, given.connections)
        return
    rounds = []
    for _ in range(given.rounds):
        once = partial(measure, given.seconds, given.connections, given.option, given.rate)
        rounds.append(quietest(once, given.tries))
        print(json.dumps(rounds[-1]), flush=True)
    print(_table(rounds))


def _table(rounds: list[dict[str, Any]]) -> str:
    """The medians of the rounds, in Markdown."""
    lines = [
        "| traffic | offered/s | accepted/s | p50, p99 ms | refused/s | p50, p99 ms | no answer |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for phases in zip(*(each["phases"] for each in rounds), strict=True):
        numbers = {
            name: round(median(phase[name] for phase in phases))
            for name in ("offered", "accepted", "refused", "no answer")
        }
        lines.append(
            f"| {phases[0]['phase']} | {numbers['offered']:,} | {numbers['accepted']:,} "
            f"| {_medians(phases, 'accepted_ms')} | {numbers['refused']:,} "
            f"| {_medians(phases, 'refused_ms')} | {numbers['no answer']} |"
        )
    before, most = (median(each["mib"][when] for each in rounds) for when in ("before", "most"))
    return "\n".join([*lines, "", f"Memory: {before:.0f} MiB before, at most {most:.0f}."])


def _medians(phases: Sequence[dict[str, Any]], what: str) -> str:
    if not all(phase[what] for phase in phases):
        return "–"
    return ", ".join(f"{median(each[what][p] for each in phases):.1f}" for p in ("p50", "p99"))


if __name__ == "__main__":
    main()
