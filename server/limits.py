"""How much one process of a server takes on at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What Admission and the connections heed; the caller that runs the server chooses the numbers.

    `connections`, `waiting` requests and `streams` are counted; `unsent_bytes` are of answers that
    wait for their clients, `read_bytes` the most that one read of many items makes. A client may
    hold up its request, or take nothing of its answer, for `client_seconds`.
    """

    connections: int
    waiting: int
    streams: int
    unsent_bytes: int
    read_bytes: int
    client_seconds: float
