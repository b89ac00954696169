"""Carrying out an operation: while it goes on, how far it is is noted, and it may be stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.projections.progress import Progress
from itemstore.projections.projection import Projection
from itemstore.store.failures import FAILURES, told
from itemstore.store.operations import (
    CANCELLED,
    FAILED,
    LEASE_MS,
    SUCCEEDED,
    VERIFY,
    Held,
    Operation,
    end,
    note,
)
from itemstore.store.rebuild import NotRebuilt, Rebuilding, as_dict
from itemstore.store.store import Store
from itemstore.store.verify import NotVerified, Verifying

BEAT = 0.5
"""Seconds between two notes of how far it is, and two looks whether it is cancelled."""

GRACE, LAST_GRACE = 1.5, 0.3
"""Seconds in which an operation that is stopped ends in order, and then at all. What it has begun
beside the live projection is left to the next rebuild otherwise, which clears it away."""

STOPPED = (
    "The server that carried it out was stopped. What is live is as it was, or as the log says; "
    "start it again."
)

UNFORESEEN = "Something happened that should not; the server's log says what."

ENGINE = (LogBroken, LogFull, LogUnavailable)

logger = logging.getLogger(__name__)


async def carry_out(
    store: Store, projections: Sequence[Projection], operation: Operation, over: asyncio.Event
) -> None:
    """Carries an operation out that has begun, and notes how it ended.

    It is stopped where it is cancelled, where it is no longer taken to be running, and where `over`
    is set: whoever carries it out has to end.
    """
    await _CarryingOut(store, projections, operation, over).run()


class _CarryingOut:
    def __init__(
        self,
        store: Store,
        projections: Sequence[Projection],
        operation: Operation,
        over: asyncio.Event,
    ) -> None:
        self._store = store
        self._operation = operation
        self._over = over
        self._projections = projections
        self._work: Rebuilding | Verifying | None = None
        self._progress: Progress | None = None
        self._known_until = monotonic() + LEASE_MS / 1000

    @property
    def _named(self) -> dict[str, Any]:
        """The operation, as the log names it."""
        asked = self._operation
        named = {
            "operation": asked.id,
            "kind": asked.operation,
            "projection": asked.projection,
            "collection": asked.collection,
            "dry_run": asked.dry_run or None,
            "started_by": asked.started_by,
        }
        return {name: value for name, value in named.items() if value is not None}

    async def run(self) -> None:
        """Until it has ended, and that is noted."""
        logger.info("An operation has begun", extra=self._named)
        began = monotonic()
        over = asyncio.create_task(self._over.wait())
        try:
            outcome = await self._note() or await self._carried_out(over)
        finally:
            over.cancel()
        self._tell(outcome, monotonic() - began)
        await self._end(outcome)

    def _tell(self, outcome: Operation, seconds: float) -> None:
        told = {**self._named, "status": outcome.status, "seconds": round(seconds, 3)}
        if outcome.status == FAILED:
            logger.error("An operation has failed", extra={**told, "reason": outcome.error})
        else:
            logger.info("An operation has ended", extra=told)

    async def _carried_out(self, over: asyncio.Task[Any]) -> Operation:
        """What became of it."""
        task = asyncio.create_task(self._result())
        try:
            stopped = await self._watch(task, over)
            if stopped is not None:
                await _stop(task)
        finally:
            task.cancel()
        return self._outcome(task, stopped)

    async def _result(self) -> Mapping[str, Any]:
        store, asked, projections = self._store, self._operation, self._projections
        collections = None if asked.collection is None else [asked.collection]
        if asked.operation == VERIFY:
            self._work = verifying = Verifying(store, projections, collections)
            return (await verifying.run(self._report)).as_dict()
        name, dry_run = asked.projection or "", asked.dry_run
        self._work = rebuilding = Rebuilding(
            store, projections, name, collections, dry_run=dry_run, after=asked.after
        )
        return as_dict(await rebuilding.run(self._report))

    def _report(self, progress: Progress) -> None:
        self._progress = progress

    async def _watch(self, task: asyncio.Task[Any], over: asyncio.Task[Any]) -> Operation | None:
        """Notes how far it is until it is done; what it is where it has to be stopped."""
        while True:
            await asyncio.wait([task, over], timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return None
            if over.done():
                return self._ended(FAILED, error=STOPPED)
            if (stopped := await self._note()) is not None:
                return stopped

    async def _note(self) -> Operation | None:
        """Notes how far it is; what it is where it has to be stopped."""
        try:
            held = await note(self._store.partition, self._now())
        except ENGINE:
            if monotonic() < self._known_until:
                return None
            return self._ended(FAILED, error="The engine was away for too long.")
        self._known_until = monotonic() + LEASE_MS / 1000
        return self._stopped_by(held)

    def _stopped_by(self, held: Held | None) -> Operation | None:
        """What it is where the lease is not its own any more, or it is cancelled."""
        if held is None:
            return self._ended(FAILED, error="It stood still for too long, and was given up.")
        if held.cancelling:
            return replace(self._ended(CANCELLED), cancelled_by=held.cancelled_by)
        return None

    def _outcome(self, task: asyncio.Task[Any], stopped: Operation | None) -> Operation:
        """What it is now; what was done before it could be stopped is done."""
        if task.done() and not task.cancelled() and task.exception() is None:
            return self._ended(SUCCEEDED, result=task.result())
        if stopped is not None:
            return stopped
        error = None if task.cancelled() else task.exception()
        if isinstance(error, (NotRebuilt, NotVerified, *FAILURES)):
            return self._ended(FAILED, error=told(error))
        logger.error(
            "An operation failed by an error of the server", extra=self._named, exc_info=error
        )
        return self._ended(FAILED, error=UNFORESEEN)

    async def _end(self, operation: Operation) -> None:
        """Has it noted, in as long as it is taken to be running."""
        until = monotonic() + LEASE_MS / 1000
        while True:
            try:
                await end(self._store.partition, operation)
            except ENGINE as error:
                if monotonic() > until or self._over.is_set():
                    told = {**self._named, "reason": str(error)}
                    logger.warning("It is not noted how an operation ended", extra=told)
                    return
                await asyncio.sleep(BEAT)
            else:
                return

    def _now(self) -> Operation:
        step = self._progress
        if step is None:
            return self._operation
        progress: dict[str, Any] = {
            "stage": step.stage,
            "done": step.events,
            "total": step.total,
            "unit": step.unit,
            "collection": (self._work and self._work.collection) or None,
        }
        if self._work is not None and self._work.partition is not None:
            progress["partition"] = self._work.partition
        return replace(self._operation, progress=progress)

    @property
    def _ended(self) -> Callable[..., Operation]:
        return self._now().ended


async def _stop(task: asyncio.Task[Any]) -> None:
    """Has it end in order; where that takes too long, in disorder."""
    for seconds in (GRACE, LAST_GRACE):
        task.cancel()
        if (await asyncio.wait([task], timeout=seconds))[0]:
            return
