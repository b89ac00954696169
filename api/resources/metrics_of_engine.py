"""What `/metrics` asks the engine: what it holds, and how far the projections are."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from itemstore.domain.positions import key_of
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.one_trip import replies
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import clients_in, grouped, replies_of
from itemstore.projections.handling import Handling
from itemstore.projections.overview import (
    CollectionState,
    LogState,
    ProjectionState,
    by_collection,
    log_states,
    projection_states,
)
from itemstore.projections.projection import Projection, Status
from itemstore.store.archive_progress import progresses
from itemstore.store.read_model import ReadModel
from itemstore.store.store import Store

logger = logging.getLogger(__name__)

TIME_LIMIT = 1.0
"""Seconds after which the engine is taken to be away; the other metrics are shown then too."""


async def of_engine(store: Store, projections: Sequence[Projection]) -> Iterable[Metric]:
    """Metrics that the engine is asked for; the families stay empty where it is away.

    It is asked a few times in all, however many collections there are.
    """
    partitions = [one for each in store.collections.values() for one in each.partitions]
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
    behind = GaugeMetricFamily(
        "itemstore_partition_lag_events",
        "Events of a partition that the projection has not seen, where there are several.",
        labels=("partition", "projection"),
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
    handling = _of_handling()
    gauges = up, items, events, trimmed, lag, position, rows, behind, memory, *archive
    all_of_them = *gauges, *handling
    try:
        async with asyncio.timeout(TIME_LIMIT):
            logs = await log_states(partitions)
            totals = await replies_of([(each, ("ZCARD", each.keys.ids)) for each in partitions])
            used = await _memory(partitions)
        up.add_metric((), float(not any(isinstance(each.log, LogUnavailable) for each in logs)))
    except (LogUnavailable, TimeoutError):
        up.add_metric((), 0)
        return all_of_them
    for name, of in _of_collections(logs, totals):
        extents, counts = _sound(of)
        if extents:
            events.add_metric((name,), sum(log.length for log in extents))
            trimmed.add_metric((name,), sum(log.trimmed for log in extents))
        if counts:
            items.add_metric((name,), sum(counts))
    if used is not None:
        memory.add_metric((), used)
    states = await projection_states(logs, projections)
    for state in by_collection(states):
        if (progress := _progress(state)) is not None:
            labels = (state.collection, state.projection)
            lag.add_metric(labels, progress[0])
            position.add_metric(labels, progress[1])
            rows.add_metric(labels, progress[2])
            _add_handling(handling, labels, state.status.handling)
    for both, total in sorted(_lag_of_partitions(states).items()):
        behind.add_metric(both, total)
    await _add_progress(store, archive)
    return all_of_them


def _of_handling() -> Sequence[CounterMetricFamily | GaugeMetricFamily]:
    """What is told of projections that handle events."""
    labels = ("collection", "projection")
    return (
        CounterMetricFamily(
            "itemstore_projection_handled", "Events that the projection has handled.", labels=labels
        ),
        CounterMetricFamily(
            "itemstore_projection_failures", "How often handling an event failed.", labels=labels
        ),
        GaugeMetricFamily(
            "itemstore_projection_dead_letters", "Events that are set aside.", labels=labels
        ),
        GaugeMetricFamily(
            "itemstore_projection_failing",
            "Whether the projection does not get past an event: 1, or 0.",
            labels=labels,
        ),
    )


def _add_handling(
    families: Sequence[CounterMetricFamily | GaugeMetricFamily],
    labels: tuple[str, str],
    of: Handling | None,
) -> None:
    if of is not None:
        numbers = of.handled, of.failures, of.dead_letters, of.reason is not None
        for family, number in zip(families, numbers, strict=True):
            family.add_metric(labels, float(number))


async def _add_progress(store: Store, families: Sequence[GaugeMetricFamily]) -> None:
    """Adds how far the archive is: events, seconds, and the time of the last one."""
    with suppress(LogBroken, LogUnavailable, TimeoutError):
        async with asyncio.timeout(TIME_LIMIT):
            found = await progresses(store)
        if found is not None:
            time, whole = key_of(found.latest)[0] / 1000, found.whole
            for family, number in zip(families, (whole.events, whole.seconds, time), strict=True):
                family.add_metric((), number)


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


async def _memory(partitions: Sequence[Partition]) -> int | None:
    """Memory of the engine, or of all nodes that have a partition; None where one does not say."""
    clients = clients_in(partitions)
    if len(clients) == 1:
        [told] = await replies(clients[0], [("INFO", "memory")], at_once=False)
        return None if isinstance(told, Exception) else int(told["used_memory"])
    asked = [[("INFO", "server"), ("INFO", "memory")]] * len(clients)
    found = await asyncio.gather(
        *(replies(*each, at_once=False) for each in zip(clients, asked, strict=True)),
        return_exceptions=True,
    )
    nodes = {}
    for each in found:
        if isinstance(each, BaseException) or any(isinstance(one, Exception) for one in each):
            return None
        server, memory = each
        nodes[server["run_id"]] = int(memory["used_memory"])
    return sum(nodes.values())


def _of_collections(
    logs: Sequence[LogState], totals: Sequence[Any]
) -> Iterator[tuple[str, Sequence[tuple[LogState, Any]]]]:
    """The logs of each collection, with how many items exist in each."""
    for places in grouped([each.collection for each in logs], str):
        yield logs[places[0]].collection, [(logs[place], totals[place]) for place in places]


def _sound(of: Sequence[tuple[LogState, Any]]) -> tuple[Sequence[Extent], Sequence[int]]:
    """What the partitions of a collection say; nothing where one of them does not."""
    extents = [each.log for each, _ in of if isinstance(each.log, Extent)]
    counts = [total for _, total in of if not isinstance(total, Exception)]
    return (
        extents if len(extents) == len(of) else [],
        counts if len(counts) == len(of) else [],
    )


def _lag_of_partitions(states: Sequence[ProjectionState]) -> Mapping[tuple[str, str], int]:
    """How far each projection is behind in each of several partitions, all collections together.

    By these alone: a hundred collections in 64 partitions would be thousands of series.
    """
    behind: Counter[tuple[str, str]] = Counter()
    for each in states:
        if each.partition is not None and isinstance(each.status, Status):
            behind[str(each.partition), each.projection] += each.status.lag
    return behind


def _progress(state: CollectionState) -> tuple[int, float, int] | None:
    """A projection's lag, the time in seconds of its last event, and its rows.

    None where it can't say, which hides nothing of the others.
    """
    try:
        status = state.status
        return status.lag, key_of(state.last)[0] / 1000, status.rows
    except (LogBroken, LogUnavailable):  # `itemstore_engine_up` and the log's own say so
        return None
    except Exception as error:  # noqa: BLE001 - it may be the operator's own
        logger.warning(
            "A projection does not say how far it is",
            extra={
                "projection": state.projection,
                "collection": state.collection,
                "reason": str(error),
            },
        )
        return None
