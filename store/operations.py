"""Operations of the store: what was started, by whom, and what came of it.

The engine has them, so any process that serves the store may be asked. One runs at a time: a lease
says which, and is renewed by who carries it out. What is noted as running without that lease was
cut off.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.uuid7 import uuid7
from itemstore.store.tokens import time_text

REBUILD, VERIFY = "rebuild", "verify"

RUNNING, SUCCEEDED, FAILED, CANCELLED = "running", "succeeded", "failed", "cancelled"

KEPT = 20
"""Operations that are kept beside the one that runs."""

LEASE_MS = 10_000
"""Where nobody says for so long that an operation is running, it was cut off."""

CUT_OFF = (
    "The process that carried it out is gone, or could not reach the engine. What is live is as it "
    "was, or as the log says; start it again."
)

_BEGIN = Script(lua(__package__, "begin_operation"))
_READ = Script(lua(__package__, "read_operations"))
_NOTE = Script(lua(__package__, "note_operation"))
_CANCEL = Script(lua(__package__, "cancel_operation"))
_END = Script(lua(__package__, "end_operation"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as docs/http.md describes it; `as_dict` is its JSON."""

    id: str
    operation: str
    projection: str | None
    collection: str | None
    dry_run: bool
    status: str
    started: str
    started_by: str | None
    host: str
    progress: Mapping[str, Any] | None = None
    cancelling: bool = False
    cancelled_by: str | None = None
    finished: str | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    after: str | None = None  # `from` in JSON

    @classmethod
    def new(  # noqa: PLR0913 - each is a part of it
        cls,
        operation: str,
        projection: str | None,
        collection: str | None,
        *,
        dry_run: bool,
        started_by: str | None,
        after: str | None = None,
    ) -> Operation:
        """One that begins now, on this machine."""
        return cls(
            str(uuid7()),
            operation,
            projection,
            collection,
            dry_run,
            RUNNING,
            time_text(datetime.now(UTC)),
            started_by,
            socket.gethostname(),
            after=after,
        )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status == RUNNING

    def ended(
        self, status: str, *, result: Mapping[str, Any] | None = None, error: str | None = None
    ) -> Operation:
        """What it is once it has ended so, now."""
        now = time_text(datetime.now(UTC))
        return replace(
            self, status=status, cancelling=False, finished=now, result=result, error=error
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = asdict(self)
        return told | {"from": told.pop("after")}

    def as_text(self) -> str:
        """What the engine keeps of it."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Held:
    """The lease of an operation that is running: whether it is being cancelled, and by whom."""

    id: str
    cancelling: bool
    cancelled_by: str | None


class OperationRunning(Exception):
    """Another operation is running, which `id` names."""

    def __init__(self, running: str) -> None:
        super().__init__(running)
        self.id = running


async def begin(partition: Partition, operation: Operation) -> None:
    """Notes that it is running. Raises OperationRunning, and what the engine does."""
    args = [operation.id, operation.as_text(), LEASE_MS, KEPT]
    running: bytes = await partition.run(_BEGIN, keys=_keys(partition), args=args)
    if running.decode() != operation.id:
        raise OperationRunning(running.decode())


async def operations(partition: Partition) -> list[Operation]:
    """All that are kept, the newest first. Raises LogUnavailable and LogBroken."""
    held, *texts = await partition.run(_READ, keys=_keys(partition))
    lease = _held(held)
    known = [each for text in texts if (each := _operation(text)) is not None]
    seen = [_as_seen(each, lease) for each in known]
    return sorted(seen, key=lambda each: each.id, reverse=True)


async def operation_of(partition: Partition, id_: str) -> Operation | None:
    """The one with this id, None where there is none. Raises LogUnavailable and LogBroken."""
    return next((each for each in await operations(partition) if each.id == id_), None)


async def note(partition: Partition, operation: Operation) -> Held | None:
    """Notes how far it is, and that it is running; None where it is no longer taken to be.

    Raises what the engine does.
    """
    return await _renewed(partition, operation.id, operation.as_text())


async def hold(partition: Partition, id_: str) -> Held | None:
    """Notes that it is running, as `note` does, and nothing else."""
    return await _renewed(partition, id_, "")


async def cancel(partition: Partition, id_: str, by: str | None) -> bool:
    """Asks who carries it out to cancel it; whether it is running. Raises what the engine does."""
    lease = partition.keys.store.lease("operation")
    args = [id_, f"{id_} {by or ''}"]
    return bool(await partition.run(_CANCEL, keys=[lease], args=args))


async def end(partition: Partition, operation: Operation) -> None:
    """Notes how it has ended; another may begin. Raises what the engine does."""
    args = [operation.id, operation.as_text()]
    await partition.run(_END, keys=_keys(partition), args=args)


async def _renewed(partition: Partition, id_: str, text: str) -> Held | None:
    reply = await partition.run(_NOTE, keys=_keys(partition), args=[id_, text, LEASE_MS])
    return None if reply is None else _held(reply)


def _keys(partition: Partition) -> list[str]:
    keys = partition.keys.store
    return [keys.lease("operation"), keys.operations]


def _held(lease: bytes) -> Held:
    id_, blank, by = lease.decode(errors="replace").partition(" ")
    return Held(id_, bool(blank), by or None)


def _operation(text: bytes) -> Operation | None:
    """What the engine has of one, None where somebody changed it and it can't be read."""
    try:
        operation = Operation(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None
    return operation if isinstance(operation.id, str) else None


def _as_seen(operation: Operation, held: Held) -> Operation:
    """What it is as of a moment at which the lease was that."""
    if not operation.is_running:
        return operation
    if held.id != operation.id:
        return replace(operation, status=FAILED, error=CUT_OFF)
    return replace(operation, cancelling=held.cancelling, cancelled_by=held.cancelled_by)
