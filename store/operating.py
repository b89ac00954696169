"""Having operations carried out, by one of the processes that serve a store."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

from itemstore.projections.projection import Projection
from itemstore.store.carrying_out import ENGINE, STOPPED, carry_out
from itemstore.store.operation_process import END_SECONDS, carry_out_apart
from itemstore.store.operations import (
    CANCELLED,
    FAILED,
    Operation,
    begin,
    end,
    hold,
    operation_of,
)
from itemstore.store.store import Store

LOOK = 1.0
"""Seconds between two looks after what is carried out apart."""

PATIENCE = 5.0
"""Seconds that it has to heed that it is cancelled; a step of a database may take longer."""

TRIES = 5
"""Looks for how it ended, while the engine is away."""

_ENDED = (
    "The process that carried it out has ended ({}). What is live is as it was, or as the log "
    "says; start it again."
)


class Operating:
    """Starts operations, one at a time, and looks after them until they have ended.

    A process of its own carries one out, where another process can reach the engine.
    """

    def __init__(self, store: Store, projections: Sequence[Projection]) -> None:
        self._store = store
        self._projections = projections
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, operation: Operation) -> None:
        """Begins to carry it out. Raises OperationRunning, and what the engine does."""
        await begin(self._store.partition, operation)
        task = asyncio.create_task(self._carried_out(operation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Stops what it has carried out, within a few seconds."""
        self._over.set()
        loop = asyncio.get_running_loop()
        if tasks := [each for each in self._tasks if each.get_loop() is loop]:
            await asyncio.wait(tasks, timeout=END_SECONDS + 1)
        self._over = asyncio.Event()

    async def _carried_out(self, operation: Operation) -> None:
        if self._store.url is None:
            await carry_out(self._store, self._projections, operation, self._over)
            return
        process = asyncio.create_task(carry_out_apart(self._store, operation))
        over = asyncio.create_task(self._over.wait())
        await self._look_after(operation.id, process, over)
        process.cancel()
        [code] = await asyncio.gather(process, return_exceptions=True)
        error = STOPPED if over.done() else _ENDED.format(code)
        over.cancel()
        await self._note_end(operation.id, error)

    async def _look_after(
        self, id_: str, process: asyncio.Task[int], over: asyncio.Task[Any]
    ) -> None:
        """Until the process has ended, or has to be: it may not see that it is cancelled."""
        cancelled_at = inf
        while monotonic() < cancelled_at + PATIENCE:
            await asyncio.wait([process, over], timeout=LOOK, return_when=FIRST_COMPLETED)
            if process.done() or over.done():
                return
            with suppress(*ENGINE):
                held = await hold(self._store.partition, id_)
                if held is None:
                    return
                if held.cancelling:
                    cancelled_at = min(cancelled_at, monotonic())

    async def _note_end(self, id_: str, error: str) -> None:
        """Notes how it ended, where the process that carried it out has not."""
        partition = self._store.partition
        for _ in range(TRIES):
            try:
                seen = await operation_of(partition, id_)
                if seen is not None and seen.is_running:
                    await end(partition, _ended(seen, error))
            except ENGINE:
                await asyncio.sleep(LOOK)
            else:
                return


def _ended(seen: Operation, error: str) -> Operation:
    """What it is where nobody carries it out any more."""
    return seen.ended(CANCELLED) if seen.cancelling else seen.ended(FAILED, error=error)
