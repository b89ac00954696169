"""`/projections` and `/stats`: how far the read models are, and what the statistics say."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations
from itemstore.domain.positions import START
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.projections.projection import Projection
from itemstore.projections.rebuild.receipt import last_receipt
from itemstore.projections.statistics import read_statistics

router = APIRouter(route_class=Route)


@router.get(
    "/projections",
    **operations.service(
        "projections",
        "Each projection.",
        "invalid-parameter",
        content=operations.json_of("ProjectionList"),
    ),
)
async def projections(request: Request) -> Reply:
    """Each projection: its position, how many events it lags behind, its rows, its last rebuild."""
    refuse_query(request)
    partition = request.store.partition
    log = await partition.reader.extent()
    listed = [await _described(partition, each, log) for each in request.context.projections]
    content = {"log": {"position": log.last, "events": log.length}, "projections": listed}
    return json_reply(content, headers=[NO_STORE])


@router.get(
    "/stats",
    **operations.service(
        "statistics",
        "The statistics.",
        "invalid-parameter",
        content=operations.json_of("Statistics"),
    ),
)
async def statistics(request: Request) -> Reply:
    """How many items exist, and what happened when, as of `position`."""
    refuse_query(request)
    numbers = asdict(await read_statistics(request.store.partition))
    numbers["days"] = {str(day): count for day, count in numbers["days"].items()}
    return json_reply(numbers, headers=[NO_STORE])


async def _described(partition: Partition, projection: Projection, log: Extent) -> dict[str, Any]:
    status = await projection.status(partition, log)
    receipt = await last_receipt(partition, projection.name)
    return {
        "name": projection.name,
        "position": status.position,
        "time": None if status.position == START else rfc3339(status.position),
        "lag": status.lag,
        "rows": status.rows,
        "last_rebuild": receipt.as_dict() if receipt else None,
    }
