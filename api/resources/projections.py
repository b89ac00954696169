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
from itemstore.api.openapi.operations import json_of, service_operation
from itemstore.domain.positions import START
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.entries import ends
from itemstore.projections.counting import CountsStore
from itemstore.projections.rebuild.receipt import last_receipt
from itemstore.projections.registered import CURRENT_ITEMS, FOLLOWING
from itemstore.projections.statistics import read_statistics

router = APIRouter(route_class=Route)


@router.get(
    "/projections",
    **service_operation(
        "projections", "Each projection.", "invalid-parameter", content=json_of("ProjectionList")
    ),
)
async def projections(request: Request) -> Reply:
    """Each projection: its position, how many events it lags behind, its rows, its last rebuild."""
    refuse_query(request)
    store = request.store
    log = await ends(store.partition)
    end, events = log.last, log.length
    rows = await store.items.count()
    listed = [await _described(request, CURRENT_ITEMS, end, 0, rows)]
    for projection in FOLLOWING:
        counts = await CountsStore(store.partition, projection).load()
        lag = max(0, events - counts.events)
        listed.append(
            await _described(request, projection.name, counts.position, lag, len(counts.numbers))
        )
    content = {"log": {"position": end, "events": events}, "projections": listed}
    return json_reply(content, headers=[NO_STORE])


@router.get(
    "/stats",
    **service_operation(
        "statistics", "The statistics.", "invalid-parameter", content=json_of("Statistics")
    ),
)
async def statistics(request: Request) -> Reply:
    """How many items exist, and what happened when, as of `position`."""
    refuse_query(request)
    numbers = asdict(await read_statistics(request.store.partition))
    numbers["days"] = {str(day): count for day, count in numbers["days"].items()}
    return json_reply(numbers, headers=[NO_STORE])


async def _described(
    request: Request, name: str, position: str, lag: int, rows: int
) -> dict[str, Any]:
    receipt = await last_receipt(request.store.partition, name)
    return {
        "name": name,
        "position": position,
        "time": None if position == START else rfc3339(position),
        "lag": lag,
        "rows": rows,
        "last_rebuild": receipt.as_dict() if receipt else None,
    }
