"""What is asked of each contestant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

IDS = 5_000
"""How many items the requests go round."""

BODY = b'{"name":"Fighters","size":6}'


class Layout(StrEnum):
    """Who shares a core with whom."""

    SHARED = "the engine and the load share a core"
    ENGINE_FREE = "the engine is free"
    UNPINNED = "nothing is pinned"


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one kind (`wrk.lua` has them by name) from a number of connections."""

    name: str
    what: str
    requests: str
    connections: int = 32
    workers: int = 1
    layout: Layout = Layout.SHARED
    items: int = 1
    """How many items a request is about: more than one in a batch."""


PUT = Workload("PUT", "PUT of an item", "put")
GET = Workload("GET", "GET of an item", "get")
CONDITIONAL = Workload(
    "PUT If-Match", "PUT with If-None-Match: * or the current If-Match", "conditional"
)
MIXED = Workload("mixed", "four GETs to one PUT", "mixed")
ALONE = Workload("PUT, 1 connection", "PUT, one request at a time", "put", connections=1)
GET_ALONE = Workload("GET, 1 connection", "GET, one request at a time", "get", connections=1)
MANY = Workload("PUT, 128 connections", "PUT from 128 connections", "put", connections=128)
PUT_FREE = Workload("PUT, engine free", PUT.what, "put", layout=Layout.ENGINE_FREE)
GET_FREE = Workload("GET, engine free", GET.what, "get", layout=Layout.ENGINE_FREE)
MANY_FREE = Workload(
    *("PUT, 128 connections, engine free", MANY.what, "put"),
    connections=128,
    layout=Layout.ENGINE_FREE,
)
TWO_WORKERS = Workload(
    *("PUT, 2 workers", "PUT to two server processes, nothing pinned", "put"),
    workers=2,
    layout=Layout.UNPINNED,
)

FREE = (PUT_FREE, GET_FREE, MANY_FREE)
"""Those that tell contestants apart that have an engine."""

BATCH_OF_1 = Workload("batch of 1 PUT", "`POST /batch` with one PUT", "batch")
BATCH_OF_10 = Workload("batch of 10 PUTs", "`POST /batch` with ten PUTs", "batch", items=10)
BATCH_OF_100 = Workload("batch of 100 PUTs", "`POST /batch` with 100 PUTs", "batch", items=100)
BATCH_OF_100_ALONE = Workload(
    *("batch of 100 PUTs, 1 connection", "the same, one request at a time", "batch"),
    connections=1,
    items=100,
)

BATCHES = (BATCH_OF_1, BATCH_OF_10, BATCH_OF_100, BATCH_OF_100_ALONE)
"""Those that only contestants with transactions take part in."""

WORKLOADS = (
    *(PUT, GET, CONDITIONAL, MIXED, ALONE, GET_ALONE, MANY),
    *BATCHES,
    *FREE,
    TWO_WORKERS,
)

QUICK = (PUT, GET, ALONE)
"""The workloads of a quick run."""
