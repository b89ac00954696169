"""The servers that an engine consists of, as people are shown them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """One server.

    `flags` are the words that a cluster has for its state, such as `fail`; `primary` is the address
    of the one that a replica is of.
    """

    address: str
    role: str
    is_reachable: bool
    slots: int = 0
    flags: frozenset[str] = frozenset()
    primary: str | None = None
