"""How busy other programs kept the machine meanwhile: a measurement among noise says little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

QUIET = 0.15
"""Cores that other programs may take during a measurement that counts."""

PROC = Path("/proc")

BUSY = slice(0, 3)
"""User, nice and system time among the numbers of the first line of /proc/stat."""


class Noise:
    """Watches what other programs take from when it is made; 0 where the system does not say."""

    def __init__(self) -> None:
        self._clock = os.times().elapsed
        self._start = _others()

    def cores(self) -> float:
        """Cores that programs other than this one and its descendants have taken since."""
        elapsed = os.times().elapsed - self._clock
        return max(0.0, _others() - self._start) / elapsed if elapsed else 0.0


def _others() -> float:
    """Seconds of processor time that all programs but ours have taken since the start."""
    if not (PROC / "stat").exists():
        return 0.0
    everything = (PROC / "stat").read_text().split("\n")[0].split()[1:]
    ours = sum(process.ticks for process in _family(os.getpid()))
    return (sum(map(int, everything[BUSY])) - ours) / os.sysconf("SC_CLK_TCK")


class _Process(NamedTuple):
    """A process, its parent, and the processor time that it and its ended children have taken."""

    pid: int
    parent: int
    ticks: int


def _family(pid: int) -> Iterator[_Process]:
    """A process and all that descend from it."""
    children: dict[int, list[_Process]] = {}
    for process in _processes():
        children.setdefault(process.parent, []).append(process)
        if process.pid == pid:
            yield process
    parents = [pid]
    while parents:
        for child in children.get(parents.pop(), []):
            parents.append(child.pid)
            yield child


def _processes() -> Iterator[_Process]:
    for directory in PROC.glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        yield _Process(int(directory.name), int(fields[1]), sum(map(int, fields[11:15])))
