"""Two clients want the same two items at once, in opposite order: one of them gets both."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.conftest import program_of
from tests.torture.outcome import Outcome
from tests.torture.processes import COLLECTIONS, SEVERAL, Api, Engine
from tests.torture.wire import Lost, NotSent, Reply, Wire

ROUNDS = 1000
"""As many at least, where there is time for more than a look."""

A_LOOK = 5.0
"""Seconds."""

ITEMS = [f"/{COLLECTIONS[0]}/x", f"/{COLLECTIONS[-1]}/y"]

JSON = {"content-type": "application/json"}


async def races(seed: int, seconds: float) -> Outcome:
    """One round after another: through one API process, and through two on the same engine."""
    chance = random.Random(f"{seed} races")
    outcome = Outcome("races", seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        engine = Engine(directory, program_of("valkey"))
        apis = [
            Api(directory / f"errors-{number}", "--redis-url", engine.url, *SEVERAL)
            for number in "12"
        ]
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.kill)
            await engine.start()
            for api in apis:
                stack.push_async_callback(api.stop)
                await api.start()
            began = time.monotonic()
            race = Race([api.port for api in apis], chance, outcome)
            while time.monotonic() - began < seconds or (
                seconds > A_LOOK and outcome.acknowledged < ROUNDS and not outcome.violations
            ):
                try:
                    await race.run()
                except (Lost, NotSent, TimeoutError) as error:
                    outcome.violations.append(
                        f"no answer in round {outcome.acknowledged}: {error!r}"
                    )
                    break
            race.close()
            outcome.seconds = time.monotonic() - began
        for api in apis:
            outcome.violations += api.tracebacks()
    return outcome


class Race:
    """Two clients, and the versions at which the two items are."""

    def __init__(self, ports: list[int], chance: random.Random, outcome: Outcome) -> None:
        self._ports = ports
        self._chance = chance
        self._outcome = outcome
        self._wires = [Wire(), Wire()]
        self._version = 0

    async def run(self) -> None:
        """One round."""
        names = [f"{self._version}-{number}" for number in "12"]
        ways = [ITEMS, ITEMS[::-1]]
        self._chance.shuffle(ways)
        ports = self._chance.choices(self._ports, k=2)
        bodies = map(self._written, ways, names)
        replies = await asyncio.gather(*map(self._ask, self._wires, ports, bodies))
        self._outcome.operations += len(replies)
        statuses = [reply.status for reply in replies]
        if sorted(statuses) != [200, 412]:
            said = [reply.body[:300] for reply in replies]
            self._outcome.violations.append(f"two clients were told {statuses}: {said}")
            return
        self._version += 1
        self._outcome.acknowledged += 1
        self._outcome.transactions += 1
        await self._look(names[statuses.index(200)])

    def close(self) -> None:
        """Ends the connections of both."""
        for wire in self._wires:
            wire.close()

    def _written(self, items: list[str], name: str) -> str:
        condition = {"if-match": f'"{self._version}"'} if self._version else {"if-none-match": "*"}
        steps: list[dict[str, Any]] = [
            {"method": "PUT", "path": item, "headers": condition, "body": {"name": name}}
            for item in items
        ]
        return json.dumps({"requests": steps})

    @staticmethod
    async def _ask(wire: Wire, port: int, body: str) -> Reply:
        return await wire.ask(port, "POST", "/batch", JSON, body)

    async def _look(self, winner: str) -> None:
        """Both items are as the winner wrote them."""
        for item in ITEMS:
            reply = await self._wires[0].ask(self._chance.choice(self._ports), "GET", item, {})
            found = reply.headers.get("etag"), json.loads(reply.body)["name"]
            if found != (f'"{self._version}"', winner):
                self._outcome.violations.append(f"{item} is {found} after {winner} won")
