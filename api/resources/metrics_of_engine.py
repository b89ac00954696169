"""What `/metrics` asks the engine: what it holds, and how far the projections are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from itemstore.domain.positions import key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.one_trip import replies
from itemstore.eventlog.reader import Extent
from itemstore.projections.overview import ProjectionState, log_states, projection_states
from itemstore.projections.projection import Projection
from itemstore.store.archiver import archive_progress
from itemstore.store.read_model import ReadModel
from itemstore.store.store import Store

logger = logging.getLogger("itemstore")

TIME_LIMIT = 1.0
"""Seconds after which the engine is taken to be away; the other metrics are shown then too."""


async def of_engine(store: Store, projections: Sequence[Projection]) -> Iterable[Metric]:
    """Metrics that the engine is asked for; the families stay empty where it is away.

    It is asked a few times in all, however many collections there are.
    """
    partitions = [each.partition for each in store.collections.values()]
    up = GaugeMetricFamily("itemstore_engine_up", "Whether the engine answers: 1, or 0.")
    items = _by_collection("itemstore_items", "Items that exist.")
    events = _by_collection("itemstore_log_events", "Events in the log.")
    lag = _by_collection(
        "itemstore_projection_lag_events",
        "Events of the log that the projection has not seen.",
        "projection",
    )
    position = _by_collection(
        "itemstore_projection_position_timestamp_seconds",
        "Time of the last event that the projection has seen.",
        "projection",
    )
    rows = _by_collection(
        "itemstore_projection_rows", "Items, or numbers, that the projection has.", "projection"
    )
    trimmed = _by_collection(
        "itemstore_trimmed_events", "Events that are in the archive and no more in the log."
    )
    memory = GaugeMetricFamily("itemstore_engine_memory_bytes", "Memory that the engine uses.")
    archive = (
        GaugeMetricFamily("itemstore_archive_lag_events", "Events that are not archived yet."),
        GaugeMetricFamily(
            "itemstore_archive_lag_seconds", "Age of the first event that is not archived yet."
        ),
        GaugeMetricFamily(
            "itemstore_archive_position_timestamp_seconds", "Time of the last archived event."
        ),
    )
    all_of_them = up, items, events, trimmed, lag, position, rows, memory, *archive
    try:
        async with asyncio.timeout(TIME_LIMIT):
            logs = await log_states(partitions)
            totals = await replies(
                partitions[0].client, [("ZCARD", each.keys.ids) for each in partitions]
            )
            [told] = await replies(partitions[0].client, [("INFO", "memory")], at_once=False)
        up.add_metric((), 1)
    except (LogUnavailable, TimeoutError):
        up.add_metric((), 0)
        return all_of_them
    for each, total in zip(logs, totals, strict=True):
        if isinstance(each.log, Extent):
            events.add_metric((each.collection,), each.log.length)
            trimmed.add_metric((each.collection,), each.log.trimmed)
        if not isinstance(total, Exception):
            items.add_metric((each.collection,), total)
    if not isinstance(told, Exception):
        memory.add_metric((), told["used_memory"])
    for state in await projection_states(logs, projections):
        if (progress := _progress(state)) is not None:
            labels = (state.collection, state.projection)
            lag.add_metric(labels, progress[0])
            position.add_metric(labels, progress[1])
            rows.add_metric(labels, progress[2])
    with suppress(LogBroken, LogUnavailable, TimeoutError):
        async with asyncio.timeout(TIME_LIMIT):
            found = await archive_progress(store)
        if found is not None:
            time = key_of(found.standing.sealed)[0] / 1000
            for family, number in zip(archive, (found.events, found.seconds, time), strict=True):
                family.add_metric((), number)
    return all_of_them


async def of_read_model(read_model: ReadModel | None) -> Iterable[Metric]:
    """Whether the logs are followed for queries; none is said where nobody has to."""
    family = GaugeMetricFamily(
        "itemstore_read_model_following", "Whether a process follows the log for queries: 1, or 0."
    )
    if read_model is not None and read_model.projection is not None:
        with suppress(LogBroken, LogUnavailable, TimeoutError):
            async with asyncio.timeout(TIME_LIMIT):
                family.add_metric((), float(await read_model.is_followed()))
    return (family,)


def _by_collection(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("collection", *labels))


def _progress(state: ProjectionState) -> tuple[int, float, int] | None:
    """A projection's lag, the time in seconds of its position, and its rows.

    None where it can't say, which hides nothing of the others.
    """
    status = state.status
    try:
        if isinstance(status, Exception):
            raise status  # noqa: TRY301 - or what it says is no position
        return status.lag, key_of(status.position)[0] / 1000, status.rows
    except Exception as error:  # noqa: BLE001 - it may be the operator's own
        logger.warning(
            "%s of /%s does not say how far it is: %s", state.projection, state.collection, error
        )
        return None
