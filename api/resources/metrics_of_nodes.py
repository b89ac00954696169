"""What `/metrics` says of nodes and partitions, where the store has several."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from itemstore.engine.errors import LogUnavailable
from itemstore.store.health import Health
from itemstore.store.partition_states import node_states
from itemstore.store.store import Store

TIME_LIMIT = 1.0
"""Seconds that the nodes have to say which there are."""


async def of_nodes(store: Store, health: Health) -> Iterable[Metric]:
    """Which nodes answer, and which partitions take writes; nothing for a store of one partition.

    As of the last look that readiness takes, which is a new one where that is old.
    """
    up = GaugeMetricFamily(
        "itemstore_node_up", "Whether a node answers: 1, or 0.", labels=("node", "role")
    )
    has = GaugeMetricFamily(
        "itemstore_node_partitions", "Partitions that a node has.", labels=("node",)
    )
    writable = GaugeMetricFamily(
        "itemstore_partition_writable",
        "Whether a write to the partition would be taken: 1, or 0.",
        labels=("partition",),
    )
    families = up, has, writable
    if not store.has_partitions:
        return families
    with suppress(LogUnavailable, TimeoutError):
        async with asyncio.timeout(TIME_LIMIT):
            for each in await node_states(store):
                up.add_metric((each.node.address, each.node.role), float(each.node.is_reachable))
                has.add_metric((each.node.address,), len(each.partitions))
    look = await health.look()
    for number in range(len(store.sections)):
        writable.add_metric((str(number),), float(number not in look.errors))
    return families
