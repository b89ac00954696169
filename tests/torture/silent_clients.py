"""Clients that ask for much and read nothing: others are served, and memory stays bounded."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.torture.bounds import at_most
from tests.torture.outcome import Outcome
from tests.torture.processes import Api, verified
from tests.torture.wire import Lost, NotSent, Wire

SILENT = 300
"""Clients that read nothing, all at once."""

ITEMS, KIB = 64, 256
"""How many large items there are, and how large each is."""

MOST_MIB = 640
"""What the API may take in all, whatever clients do: half of what it sends is the engine's."""

LONGEST = 3.0
"""Seconds for a write meanwhile."""

WANTED = [
    "GET /items?limit=1000", "GET /events?limit=1000", "GET /items/big-1/versions",
    "GET /items/big-1/events?limit=1000", "GET /events\naccept: text/event-stream",
    "GET /events\naccept: application/jsonl", "GET /items/big-2",
]  # fmt: skip


async def silent_clients(seed: int, seconds: float) -> Outcome:
    """Waves of them, while one client writes and reads as ever."""
    chance = random.Random(f"{seed} silent clients")
    outcome = Outcome("silent clients", seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        options = ["--model", "any", "--client-seconds", "5"]
        api = Api(directory / "errors", "--data-dir", str(directory / "data"), *options)
        await api.start()
        try:
            await _seeded(api)
            began, most = time.monotonic(), 0
            while time.monotonic() - began < seconds or not most:
                streams = await asyncio.gather(
                    *(_asked(api.port, chance.choice(WANTED)) for _ in range(SILENT)),
                    return_exceptions=True,
                )
                outcome.faults["silent client"] += SILENT
                until = time.monotonic() + chance.uniform(1, 4)
                while time.monotonic() < until:
                    await _write(api, outcome)
                    most = max(most, api.resident_mib())
                for stream in streams:
                    if not isinstance(stream, BaseException):
                        stream[1].transport.abort()
            outcome.seconds = time.monotonic() - began
            outcome.answers[f"at most {most} MiB"] += 1
            if most > MOST_MIB:
                outcome.violations.append(f"the API took {most} MiB; {MOST_MIB} are allowed")
            outcome.violations += await verified("--data-dir", str(directory / "data"))
        finally:
            await api.stop()
    return outcome


async def _seeded(api: Api) -> None:
    wire, body = Wire(), '{"text":"' + "x" * KIB * 1024 + '"}'
    for number in range(ITEMS):
        await wire.ask(api.port, "PUT", f"/items/big-{number}", _JSON, body)
    wire.close()


async def _asked(port: int, what: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # The limit of the reader pauses it at once, so that what comes stays in the server.
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    line, _, fields = what.partition("\n")
    head = [f"{line} HTTP/1.1", "host: localhost", *fields.splitlines(), "", ""]
    request = "\r\n".join(head)
    writer.write(request.encode())
    return reader, writer


async def _write(api: Api, outcome: Outcome) -> None:
    wire, called = Wire(), time.monotonic()
    try:
        reply = await wire.ask(api.port, "PUT", "/items/small", _JSON, "{}")
    except (Lost, NotSent, TimeoutError) as error:
        outcome.violations.append(f"a write beside them got no answer: {error!r}")
        return
    finally:
        wire.close()
    took = time.monotonic() - called
    outcome.operations += 1
    outcome.answers[f"PUT {reply.status}"] += 1
    outcome.acknowledged += reply.status in {200, 201}
    if reply.status not in {200, 201} or took > at_most(LONGEST):
        outcome.violations.append(f"a write beside them was told {reply.status} in {took:.1f} s")
    await asyncio.sleep(0.02)


_JSON = {"content-type": "application/json"}
