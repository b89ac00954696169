"""What `/metrics` says of what `/readyz` says: whether a write would be taken, and kept on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from itemstore.api.context import Context
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable

TIME_LIMIT = 1.0
"""Seconds after which the store is taken not to be ready; the other metrics are shown then too."""


async def of_readiness(context: Context) -> Iterable[Metric]:
    """Whether writes are taken; and, where they are, whether what is acknowledged is on disk."""
    ready = GaugeMetricFamily("itemstore_ready", "Whether writes are taken: 1, or 0.")
    on_disk = GaugeMetricFamily(
        "itemstore_log_on_disk", "Whether an acknowledged write is on disk: 1, or 0."
    )
    try:
        async with asyncio.timeout(TIME_LIMIT):
            found = await context.health.readiness()
    except (LogBroken, LogFull, LogUnavailable, UnsafeEngine, TimeoutError):
        ready.add_metric((), 0)
    else:
        ready.add_metric((), float(not context.tokens.is_closed))
        on_disk.add_metric((), float(found.durability.is_on_disk))
    return ready, on_disk
