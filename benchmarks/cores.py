"""One core for the server, another for the engine and the load, where the system can do that."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server and the core of all the rest; None where nothing can be pinned."""

    server: int | None = None
    rest: int | None = None

    @property
    def sentence(self) -> str:
        """What was pinned, for the report."""
        if self.server is None:
            return "nothing is pinned to a core"
        return "the server has one core, the engine and the load generator share another"


def cores() -> Cores:
    """Two cores of this machine; none where there is one alone, or no `taskset`."""
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        return Cores()
    available = sorted(os.sched_getaffinity(0))
    return Cores(*available[:2]) if len(available) > 1 else Cores()


def on(core: int | None, *command: str) -> list[str]:
    """The command, to be run on this core."""
    return list(command) if core is None else ["taskset", "--cpu-list", str(core), *command]


def move(pid: int, core: int | None) -> None:
    """Moves a running process, with all of its threads, to this core."""
    if core is not None:
        subprocess.run(
            ["taskset", "--all-tasks", "--pid", "--cpu-list", str(core), str(pid)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
