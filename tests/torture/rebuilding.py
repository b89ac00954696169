"""Rebuilds without end while sixteen clients write and others read, some of them killed.

`python -m tests.torture.rebuilding` runs a real server, and `itemstore rebuild` beside it as an
operator would: 200 that end, then 50 that are killed at a random moment. Everything is looked at
over HTTP: no acknowledged write is missing, no reader ever saw an item vanish or go back in
version, or a list with a hole, and `itemstore verify` is clean in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
from redis.asyncio import Redis

from itemstore.eventlog.keys import Keys

COMMAND = [sys.executable, "-m", "itemstore"]

WRITERS = 16
READERS = 3
STAYING = [f"staying-{number}" for number in range(100)]
"""Items that are put again and again, and never deleted."""

FLEETING = [f"fleeting-{number}" for number in range(100)]
"""Items that are put and deleted."""


@dataclass
class Outcome:
    """What was done, and what was wrong: `violations` is empty."""

    seed: int
    rebuilds: int = 0
    kills: int = 0
    writes: int = 0
    reads: int = 0
    violations: list[str] = field(default_factory=list)


class Traffic:
    """Clients that write, clients that read, and what they have seen."""

    def __init__(self, url: str, outcome: Outcome) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=10)
        self._outcome = outcome
        self._chance = random.Random(outcome.seed)
        self._known = dict.fromkeys(STAYING, 0)
        self._acknowledged: dict[str, tuple[str, str, int]] = {}
        self._going = True

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Writes and reads during the block, and looks at the whole log after it."""
        async with self._client:
            await asyncio.gather(*(self._put(name) for name in STAYING))
            work = [self._write for _ in range(WRITERS)] + [self._read] * READERS + [self._list]
            tasks = [asyncio.create_task(self._repeat(each)) for each in work]
            try:
                yield
            finally:
                self._going = False
                await asyncio.gather(*tasks)
            await self._compare()

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        while self._going:
            await work()

    async def _write(self) -> None:
        name = self._chance.choice([*STAYING, *FLEETING])
        if name in FLEETING and self._chance.random() < 0.4:
            self._note(name, await self._client.delete(f"/items/{name}"))
        else:
            await self._put(name)

    async def _put(self, name: str) -> None:
        answer = await self._client.put(f"/items/{name}", json={"size": self._outcome.writes})
        self._note(name, answer)

    def _note(self, name: str, answer: httpx.Response) -> None:
        if answer.status_code == 404:
            return
        if not answer.is_success:
            self._outcome.violations.append(f"{name}: a write was answered {answer.status_code}")
            return
        self._outcome.writes += 1
        headers = answer.headers
        version = int(headers.get("etag", '"0"').strip('"'))
        self._acknowledged[headers["event-id"]] = (headers["event-type"], name, version)
        if name in self._known:
            self._known[name] = max(self._known[name], version)

    async def _read(self) -> None:
        name = self._chance.choice(STAYING)
        before = self._known[name]
        answer = await self._client.get(f"/items/{name}")
        self._outcome.reads += 1
        if answer.status_code != 200:
            self._outcome.violations.append(f"{name} has vanished: {answer.status_code}")
        elif (version := int(answer.headers["etag"].strip('"'))) < before:
            self._outcome.violations.append(f"{name} went back from {before} to {version}")

    async def _list(self) -> None:
        listed = (await self._client.get("/items?limit=1000")).json()
        self._outcome.reads += 1
        names = [item["id"] for item in listed["items"]]
        if missing := set(STAYING) - set(names):
            self._outcome.violations.append(f"the list has a hole: {sorted(missing)}")
        if listed["total"] != len(names):
            self._outcome.violations.append(f"{listed['total']} in total, {len(names)} listed")

    async def _compare(self) -> None:
        """The log holds what was acknowledged, and nothing else."""
        lines = await self._client.get("/events", headers={"accept": "application/jsonl"})
        events = {event["id"]: event for event in map(json.loads, lines.text.splitlines())}
        for position, (kind, name, version) in self._acknowledged.items():
            event = events.pop(position, {"type": "", "subject": "", "itemversion": 0})
            said = (event["type"], event["subject"], event["itemversion"] if version else 0)
            if said != (kind, name, version):
                self._outcome.violations.append(f"{position} is {said}, not {kind} of {name}")
        self._outcome.violations += [f"{position} was never asked for" for position in events]


async def torture(seed: int, rebuilds: int, kills: int, seconds: float) -> Outcome:
    """All of it. The rebuilds are spread over the seconds where they take less."""
    outcome = Outcome(seed)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-rebuilding-") as directory:
        data_dir = ["--data-dir", directory]
        socket = str(Path(directory) / "engine.sock")
        server = await started("serve", "--port", "0", *data_dir)
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().split()[1]
        began = time.monotonic()
        async with Traffic(url, outcome).going_on():
            while outcome.rebuilds < rebuilds:
                await rebuild(outcome, *data_dir)
                pause = began + seconds * outcome.rebuilds / rebuilds - time.monotonic()
                await asyncio.sleep(max(0.0, pause))
            while outcome.kills < kills:
                await killed_rebuild(outcome, chance.uniform(0, 0.3), socket, *data_dir)
            await rebuild(outcome, *data_dir)
        verified = await started("verify", "--json", *data_dir)
        said, _ = await verified.communicate()
        if verified.returncode:
            outcome.violations.append(f"verify: {said.decode()}")
        server.terminate()
        await server.wait()
    return outcome


async def rebuild(outcome: Outcome, *options: str) -> None:
    """A rebuild that ends, and finds nothing to mend."""
    process = await started("rebuild", "--json", *options)
    said, error = await process.communicate()
    outcome.rebuilds += 1
    if process.returncode:
        outcome.violations.append(f"rebuild: {error.decode()}")
    elif any(json.loads(said.splitlines()[-1])["different"].values()):
        outcome.violations.append(f"rebuild: {said.decode()}")


async def killed_rebuild(outcome: Outcome, seconds: float, socket: str, *options: str) -> None:
    """A rebuild that is killed `seconds` after it took its lease."""
    process = await started("rebuild", "--json", *options)
    async with Redis(unix_socket_path=socket) as redis:
        lease = Keys().lease("rebuild")
        while process.returncode is None and not await redis.exists(lease):
            await asyncio.sleep(0.002)
        await asyncio.sleep(seconds)
        if process.returncode is None:
            process.kill()
            outcome.kills += 1
        await process.communicate()
        await redis.delete(lease)  # as time does


async def started(*words: str) -> asyncio.subprocess.Process:
    """The command, with its output in a pipe."""
    return await asyncio.create_subprocess_exec(
        *COMMAND, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


def main() -> None:
    """Runs it as the options say, and prints the outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rebuilds", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120, help="that the rebuilds take")
    options = parser.parse_args()
    outcome = asyncio.run(torture(**vars(options)))
    print(json.dumps(asdict(outcome), indent=2))
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
