"""How busy other programs kept the machine meanwhile: a measurement among noise says little."""

from __future__ import annotations

import os

from benchmarks.processes import PROC, TICKS, family

QUIET = 0.15
"""Cores that other programs may take during a measurement that counts."""

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
    ours = sum(process.own + process.children for process in family(os.getpid()))
    return (sum(map(int, everything[BUSY])) - ours) / TICKS
