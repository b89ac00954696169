"""What is asked of each contestant."""

from __future__ import annotations

from dataclasses import dataclass

IDS = 5_000
"""How many items the requests go round."""

BODY = b'{"name":"Fighters","size":6}'


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one kind (`wrk.lua` has them by name) from a number of connections."""

    name: str
    what: str
    requests: str
    connections: int = 32
    workers: int = 1


WORKLOADS = (
    Workload("PUT", "PUT of an item", "put"),
    Workload("GET", "GET of an item", "get"),
    Workload("PUT If-Match", "PUT with If-None-Match: * or the current If-Match", "conditional"),
    Workload("mixed", "four GETs to one PUT", "mixed"),
    Workload("PUT, 1 connection", "PUT, one request at a time", "put", connections=1),
    Workload("GET, 1 connection", "GET, one request at a time", "get", connections=1),
    Workload("PUT, 128 connections", "PUT from 128 connections", "put", connections=128),
    Workload("PUT, 2 workers", "PUT to two server processes, not pinned", "put", workers=2),
)

QUICK = ("PUT", "GET", "PUT, 1 connection")
"""The workloads of a quick run."""
