"""The parts of the suite, and how much of the time each of them gets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.torture import archive_parts, cluster_parts, traffic_parts
from tests.torture.bank import bank
from tests.torture.batch_fuzz import batch_fuzz
from tests.torture.cuts import cuts
from tests.torture.failover import failover, failover_behind_proxy
from tests.torture.fuzz import fuzz
from tests.torture.import_fuzz import import_fuzz
from tests.torture.lost_tokens import lost_tokens
from tests.torture.machine import states
from tests.torture.machine_gone import machine_gone
from tests.torture.outcome import Outcome
from tests.torture.races import races
from tests.torture.raw_http import raw_http
from tests.torture.silent_clients import silent_clients
from tests.torture.slow_inputs import slow_inputs


@dataclass(frozen=True, slots=True)
class Part:
    """One part: it takes a seed and a number of seconds."""

    run: Callable[[int, float], Awaitable[Outcome] | Outcome]
    share: int

    def outcome(self, seed: int, seconds: float) -> Outcome:
        """What came of it."""

        async def awaited(awaitable: Awaitable[Outcome]) -> Outcome:
            return await awaitable

        outcome = self.run(seed, seconds)
        return outcome if isinstance(outcome, Outcome) else asyncio.run(awaited(outcome))


PARTS = {
    "engine-killed": Part(traffic_parts.engine_killed, 35),
    "api-killed": Part(traffic_parts.api_killed, 25),
    "both-killed": Part(traffic_parts.both_killed, 35),
    "connections-broken": Part(traffic_parts.connections_broken, 45),
    "clients-cut": Part(traffic_parts.clients_cut, 20),
    "read-model": Part(traffic_parts.read_model, 40),
    "bank": Part(bank, 80),
    "races": Part(races, 10),
    "failover": Part(failover, 15),
    "failover-behind-proxy": Part(failover_behind_proxy, 15),
    "object-store": Part(archive_parts.object_store, 30),
    "two-archivers": Part(archive_parts.two_archivers, 20),
    "machine-gone": Part(machine_gone, 40),
    "file-cut": Part(cuts, 20),
    "state-machine": Part(states, 15),
    "fuzz": Part(fuzz, 15),
    "batches": Part(batch_fuzz, 5),
    "raw-http": Part(raw_http, 10),
    "slow-inputs": Part(slow_inputs, 10),
    "silent-clients": Part(silent_clients, 10),
    "tokens-lost": Part(lost_tokens, 10),
    "import": Part(import_fuzz, 5),
}

ON_A_CLUSTER = {
    "cluster-in-good-order": Part(cluster_parts.in_good_order, 150),
    "cluster-at-once": Part(cluster_parts.at_once, 300),
    "cluster-unreplicated": Part(cluster_parts.unreplicated, 150),
}
"""Those that need a cluster."""
