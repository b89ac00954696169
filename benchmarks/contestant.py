"""What takes part in a measurement."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from benchmarks.cores import Cores
from benchmarks.shapes import Shape, items
from benchmarks.workloads import BATCHES, Workload


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs: its port, its (first) process, and that of its engine if it has one."""

    port: int
    pid: int
    engine: int | None = None


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to measure.

    `fsync` says when an acknowledged write is on disk. `start` takes the cores and the number of
    server processes. `missing` says how to get a program that isn't installed.
    """

    name: str
    what: str
    fsync: str
    start: Callable[[Cores, int], AbstractContextManager[Running]]
    left_out: Collection[Workload] = ()
    """The workloads that it takes no part in, besides those below."""
    has_batches: bool = False
    """Whether it takes several items in one request, as a transaction."""
    shape: Shape = field(default_factory=items)
    missing: str | None = None

    def takes_part(self, workload: Workload) -> bool:
        """Whether it is measured at a workload."""
        if workload in BATCHES and not self.has_batches:
            return False
        return self.missing is None and workload not in self.left_out
