"""The processes of this machine, and the processor time that they have taken: Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

TICKS = os.sysconf("SC_CLK_TCK")
"""How many of /proc's ticks a second has."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its parent; ticks of processor time, of its threads and its ended children."""

    pid: int
    parent: int
    own: int
    children: int


def family(pid: int, without: Collection[int] = ()) -> Iterator[Process]:
    """A process and all that descend from it, but for those left out and what descends from them.

    Nothing where the system doesn't say.
    """
    children: dict[int, list[Process]] = {}
    for process in _processes():
        children.setdefault(process.parent, []).append(process)
        if process.pid == pid:
            yield process
    parents = [pid]
    while parents:
        for child in children.get(parents.pop(), []):
            if child.pid not in without:
                parents.append(child.pid)
                yield child


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds of processor time that a server's processes and its engine have taken so far.

    None where the system doesn't say, and of an engine where there is none.
    """

    server: float | None
    engine: float | None

    def since(self, before: ProcessorTime, requests: int) -> dict[str, float | None]:
        """Microseconds for each of the requests that were answered in between."""
        return {
            "server_us": _each(before.server, self.server, requests),
            "engine_us": _each(before.engine, self.engine, requests),
        }


def processor_time(server: int, engine: int | None) -> ProcessorTime:
    """Of all the server's processes and threads but the engine's, and of the engine's threads.

    What a rewrite of the append-only file takes is in neither: it is a process of its own.
    """
    engines = () if engine is None else (engine,)
    return ProcessorTime(
        processor_seconds(family(server, without=engines)),
        processor_seconds(process for process in family(engine) if process.pid == engine)
        if engine is not None
        else None,
    )


def processor_seconds(processes: Iterable[Process]) -> float | None:
    """That they have taken so far, together; None of no process."""
    ticks = [process.own for process in processes]
    return sum(ticks) / TICKS if ticks else None


def _each(before: float | None, after: float | None, requests: int) -> float | None:
    if before is None or after is None or not requests:
        return None
    return round((after - before) * 1e6 / requests, 2)


def _processes() -> Iterator[Process]:
    for directory in PROC.glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        own, children = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
        yield Process(int(directory.name), int(fields[1]), own, children)
