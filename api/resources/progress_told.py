"""How far a projection and the archive are, as `/projections` has it."""

from __future__ import annotations

from typing import Any

from itemstore.archive.standing import Progress
from itemstore.domain.positions import START
from itemstore.domain.rfc3339 import rfc3339
from itemstore.engine.errors import LogUnavailable
from itemstore.projections.handling import Handling
from itemstore.projections.overview import CollectionState, ProjectionState
from itemstore.projections.projection import Status
from itemstore.projections.rebuild.receipt import Receipt
from itemstore.store.archive_progress import Progresses

NOT_KNOWN = dict.fromkeys(("position", "time", "lag", "rows"))
"""What is said of a projection where a partition is away."""


def described(state: CollectionState, receipt: Receipt | None) -> dict[str, Any]:
    """How far a projection is in a collection, and in each of its partitions."""
    progress = _progress(state.status, state.last) if state.is_whole else NOT_KNOWN
    told: dict[str, Any] = {
        "name": state.projection,
        **progress,
        "last_rebuild": receipt.as_dict() if receipt else None,
    }
    if state.is_of_several:
        told["partitions"] = [_part_of(each) for each in state.each]
    return told


def _part_of(state: ProjectionState) -> dict[str, Any]:
    """How far a projection is in one partition, or that this is away. Raises its other errors."""
    if isinstance(state.status, LogUnavailable):
        return {"partition": state.partition, **NOT_KNOWN, "reason": str(state.status)}
    if isinstance(state.status, Exception):
        raise state.status
    return {"partition": state.partition} | _progress(state.status, state.status.position)


def _progress(status: Status, last: str) -> dict[str, Any]:
    """How far a projection is, where `last` is the last event that it has seen."""
    return {
        "position": status.position,
        "time": None if last == START else rfc3339(last),
        "lag": status.lag,
        "rows": status.rows,
    } | _handling(status.handling)


def _handling(of: Handling | None) -> dict[str, Any]:
    """How it stands with the events that a projection handles; nothing where it does not."""
    if of is None:
        return {}
    return {
        "state": of.state,
        "reason": of.reason,
        "failing": of.failing,
        "tries": of.tries,
        "next": rfc3339(f"{of.next}-0") if of.next else None,
        "handled": of.handled,
        "failures": of.failures,
        "dead_letters": of.dead_letters,
    }


def archive_described(found: Progresses) -> dict[str, Any]:
    """How far the archive is, of all partitions and of each."""
    told = _archived(found.whole, found.latest)
    if len(found.each) == 1:
        return told
    each = [
        {"partition": number}
        | (
            {"meaning": str(progress)}
            if isinstance(progress, Exception)
            else _archived(progress, progress.standing.sealed)
        )
        for number, progress in enumerate(found.each)
    ]
    return told | {"partitions": each}


def _archived(found: Progress, latest: str) -> dict[str, Any]:
    noted = found.standing
    return {
        "id": noted.archive,
        "position": noted.sealed,
        "time": None if latest == START else rfc3339(latest),
        "lag": found.events,
        "lag_seconds": round(found.seconds, 3),
        "border": noted.border,
        "meaning": found.sentence,
    }
