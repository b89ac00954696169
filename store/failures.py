"""Why a store can't be opened, read or written, and how a person is told."""

from __future__ import annotations

from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.embedded import EngineError
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.eventlog.codec import MalformedEntry
from itemstore.projections.counts import MalformedCounts
from itemstore.projections.projection import ProjectionFailed
from itemstore.projections.queries.indexes.declared import NotDeclarable
from itemstore.projections.row import MalformedRow
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.store.half_restored import HalfRestored
from itemstore.store.layout import WrongPartitions
from itemstore.store.named import UnknownName
from itemstore.store.opening import NoStore
from itemstore.store.store import NoSuchCollection

FAILURES = (
    EngineError,
    HalfRestored,
    LogBroken,
    LogFull,
    LogUnavailable,
    MalformedCounts,
    MalformedEntry,
    MalformedRow,
    NoStore,
    NoSuchCollection,
    NotDeclarable,
    ProjectionFailed,
    SqlUnavailable,
    UnknownName,
    UnsafeEngine,
    WrongPartitions,
)
"""Each says it in a sentence."""


def told(error: Exception) -> str:
    """What the error says, with the engine's own words where it has them."""
    said, cause = str(error), str(error.__cause__ or "")
    return f"{said} ({cause})" if isinstance(error, LogUnavailable) and cause not in said else said
