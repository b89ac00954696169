"""What is logged when a store begins to be served, of what may go wrong with it."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.store.look import Away, check_writable
from itemstore.store.nodes import partitions_by_node
from itemstore.store.store import Store

STALE_READS = "cluster-allow-reads-when-down"

logger = logging.getLogger(__name__)


async def warn_of_writes(store: Store, away: Away) -> None:
    """Logs why no write would be taken now, or that the log is ahead. Raises UnsafeEngine."""
    try:
        end = await check_writable(store, away)
    except (LogUnavailable, LogFull, LogBroken) as error:
        logger.warning("No write would be taken now", extra={"reason": str(error)})
    else:
        if end.sentence is not None:
            logger.warning(
                "The log is ahead of the engine's clock", extra={"meaning": end.sentence}
            )


async def warn_of_stale_reads(store: Store, away: Away) -> None:
    """Logs which nodes would go on answering reads where they are cut off from the others."""
    if not store.clients.is_cluster:
        return
    for node, numbers in partitions_by_node(store).items():
        if away.keys() & {*numbers}:
            continue
        client = store.sections[numbers[0]].partition.client
        with suppress(RedisError):  # it may not be asked
            told: Any = await client.config_get(STALE_READS)
            if told.get(STALE_READS) == "yes":
                logger.warning(
                    "A node that is cut off from the others would go on answering reads",
                    extra={"node": node, "hint": f"Set {STALE_READS} to no."},
                )
