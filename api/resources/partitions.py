"""`/partitions`: a store's partitions, the servers that have them, and which take writes."""

from __future__ import annotations

from fastapi import APIRouter

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations
from itemstore.store.partition_states import nodes_and_partitions

router = APIRouter(route_class=Route)


@router.get(
    "/partitions",
    **operations.service(
        "partitions",
        "Each partition and each node.",
        content=operations.json_of("PartitionList"),
    ),
)
async def partitions(request: Request) -> Reply:
    """Each partition with what it has and whether it takes writes, and each node with its own."""
    refuse_query(request)
    look = await request.context.health.look()
    return json_reply(await nodes_and_partitions(request.store, look), headers=[NO_STORE])
