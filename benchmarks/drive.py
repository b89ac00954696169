"""Drives a server with wrk, and keeps what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cores import on
from benchmarks.shapes import Shape
from benchmarks.workloads import IDS, Workload

SCRIPT = Path(__file__).with_name("wrk.lua")


PATIENCE = 10
"""Seconds that an answer may take: a batch is a hundred items, from 32 connections at once."""


class NoLoadGenerator(Exception):
    """wrk is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The benchmarks need wrk on the PATH. Install it: `apt install wrk` (Debian, Ubuntu), "
            "`dnf install wrk` (Fedora), `brew install wrk` (macOS)."
        )


class WrongAnswers(Exception):
    """A server refused or broke off what it should have answered, so its numbers mean nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one workload: requests and their latencies in microseconds.

    `refused` counts answers of 400 and above, `broken` connections that failed.
    """

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: int
    p90: int
    p99: int
    p999: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def as_json(self) -> dict[str, Any]:
        """As it stands in the results."""
        return {**asdict(self), "rate": round(self.rate, 1)}


def check_wrk() -> None:
    """Raises NoLoadGenerator."""
    if shutil.which("wrk") is None:
        raise NoLoadGenerator


def drive(
    port: int, workload: Workload, core: str | None, *, seconds: int, shape: Shape, ids: int = IDS
) -> Outcome:
    """Sends the workload to the server for some seconds, from this core. Raises WrongAnswers.

    The items have numbers below `ids`. A conditional workload needs paths that nothing was
    stored under.
    """
    command = on(
        core,
        *("wrk", "--threads", "1", "--connections", str(workload.connections)),
        *("--duration", f"{seconds}s", "--timeout", f"{PATIENCE}s"),
        *("--latency", "--script", str(SCRIPT)),
        *(f"http://127.0.0.1:{port}", "--", workload.requests, str(ids), str(workload.items)),
        *(shape.put.method, shape.put.path, shape.put.body),
        *(shape.get.method, shape.get.path, shape.get.body),
    )
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    outcome = Outcome(**json.loads(done.stdout.splitlines()[-1]))
    if outcome.refused or outcome.broken:
        message = f"{workload.name}: {outcome.refused} refused, {outcome.broken} broken off."
        raise WrongAnswers(message)
    return outcome
