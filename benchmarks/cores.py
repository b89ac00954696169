"""Which cores the server, its engine and the load generator may run on."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of each, as `taskset` names them; None for what is not pinned."""

    server: str | None = None
    engine: str | None = None
    load: str | None = None

    @property
    def sentence(self) -> str:
        """What is pinned, for the report."""
        if self.server is None:
            return "nothing is pinned to a core"
        if self.engine is None:
            return (
                "the server has one core and the load generator another; two cores have no third "
                "for the engine, which runs on whichever of them has room"
            )
        if self.engine == self.load:
            return "the server has one core, the engine and the load generator share another"
        return "the server, the engine and the load generator have a core each"


UNPINNED = Cores()


def cores() -> Cores:
    """The engine and the load share a core; nothing is pinned on one core, or without `taskset`."""
    found = _available()
    return Cores(found[0], found[1], found[1]) if found else UNPINNED


def with_engine_free() -> Cores:
    """The engine has a core of its own; with two cores it isn't pinned, for there is none."""
    match _available():
        case [server, load]:
            return Cores(server, None, load)
        case [server, engine, load, *_]:
            return Cores(server, engine, load)
        case _:
            return UNPINNED


def _available() -> list[str]:
    """The cores of this process where programs can be pinned, and there are two or more."""
    if shutil.which("taskset") is None or not hasattr(os, "sched_getaffinity"):
        return []
    found = sorted(os.sched_getaffinity(0))
    return [str(core) for core in found] if len(found) > 1 else []


def on(core: str | None, *command: str) -> list[str]:
    """The command, to be run on this core."""
    return list(command) if core is None else ["taskset", "--cpu-list", core, *command]


def move(pid: int, core: str | None) -> None:
    """Moves a running process, with all of its threads, to this core; with None to all of them."""
    if available := _available():
        subprocess.run(
            [
                "taskset",
                "--all-tasks",
                "--pid",
                "--cpu-list",
                core or ",".join(available),
                str(pid),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
