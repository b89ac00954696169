"""Two clients want the same two items at once, in opposite order: one of them gets both.

Before that, each writes an item of its own in the same batch, so that a loser has written nothing.
"""

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

OWN = [f"/{COLLECTIONS[1]}/client-{number}" for number in "12"]

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
        self._won = [0, 0]

    async def run(self) -> None:
        """One round."""
        names = [f"{self._version}-{number}" for number in "12"]
        ways = [ITEMS, ITEMS[::-1]]  # which of the two clients goes which way
        self._chance.shuffle(ways)
        ports = self._chance.choices(self._ports, k=2)
        bodies = map(self._written, OWN, ways, names)
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
        winner = statuses.index(200)
        self._won[winner] += 1
        await self._look(ITEMS[0], self._version, names[winner])
        await self._look(ITEMS[1], self._version, names[winner])
        await self._look(OWN[winner], self._won[winner], names[winner])
        if self._won[1 - winner]:
            await self._look(OWN[1 - winner], self._won[1 - winner])

    def close(self) -> None:
        """Ends the connections of both."""
        for wire in self._wires:
            wire.close()

    def _written(self, own: str, items: list[str], name: str) -> str:
        condition = {"if-match": f'"{self._version}"'} if self._version else {"if-none-match": "*"}
        body = {"name": name}
        steps: list[dict[str, Any]] = [{"method": "PUT", "path": own, "body": body}]
        steps += [
            {"method": "PUT", "path": item, "headers": condition, "body": body} for item in items
        ]
        return json.dumps({"requests": steps})

    @staticmethod
    async def _ask(wire: Wire, port: int, body: str) -> Reply:
        return await wire.ask(port, "POST", "/batch", JSON, body)

    async def _look(self, item: str, version: int, name: str = "") -> None:
        """An item is at this version, and was written by this client, where that is said."""
        reply = await self._wires[0].ask(self._chance.choice(self._ports), "GET", item, {})
        tag, found = reply.headers.get("etag"), json.loads(reply.body)["name"]
        if tag != f'"{version}"' or found != (name or found):
            wrong = f"{item} is at {tag} by {found}, and not at {version} by {name or 'another'}"
            self._outcome.violations.append(wrong)
