"""The engine loses its tokens under a store that wants one: nobody comes in without one."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from redis.asyncio import Redis

from itemstore.eventlog.keys import Keys
from tests.conftest import program_of
from tests.torture.outcome import Outcome
from tests.torture.processes import Api, DidNotStart, Engine, client_of, run
from tests.torture.wire import Lost, NotSent, Wire

Loss = Callable[[Engine, Redis], Awaitable[object]]

UNWATCHED = 1.5
"""Seconds after a loss until every process has asked the engine for its tokens again."""

SHOWN = 20
"""Violations that are printed."""

PATIENCE = 15.0
"""Seconds for a new token to be taken."""

REQUESTS = [("GET", "/items/fox"), ("PUT", "/items/fox"), ("GET", "/items"), ("GET", "/events"),
            ("DELETE", "/items/fox"), ("GET", "/metrics"), ("POST", "/items")]  # fmt: skip
"""What strangers ask for: all of it wants a token."""


async def _restarted(engine: Engine, _: Redis) -> None:
    await engine.kill()
    for file in (engine.directory / "appendonlydir").iterdir():
        file.unlink()
    await engine.start()


LOSSES: dict[str, Loss] = {
    "tokens deleted": lambda _, client: client.delete(Keys().store.tokens),
    "everything deleted": lambda _, client: client.flushall(),
    "engine started with nothing": _restarted,
}


async def lost_tokens(seed: int, seconds: float) -> Outcome:
    """Strangers ask all the time, while the tokens go away and are made again."""
    chance = random.Random(f"{seed} lost tokens")
    outcome = Outcome("tokens lost", seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        engine = Engine(directory, program_of("valkey"))
        await engine.start()
        token = await _made(engine, 0)
        api = Api(directory / "errors", "--redis-url", engine.url, "--workers", "2")
        try:
            await api.start()
            going = True
            strangers = [
                asyncio.create_task(_ask(api, outcome, number, lambda: going))
                for number in range(8)
            ]
            began, count = time.monotonic(), 0
            while time.monotonic() - began < seconds or not count:
                await _taken(api, token, outcome)
                count += 1
                loss = chance.choice(list(LOSSES))
                async with client_of(engine.socket) as client:
                    await LOSSES[loss](engine, client)
                outcome.faults[loss] += 1
                await asyncio.sleep(chance.uniform(0, UNWATCHED))
                token = await _made(engine, count)
            going = False
            await asyncio.gather(*strangers)
            outcome.seconds = time.monotonic() - began
        except DidNotStart as error:
            outcome.violations.append(f"did not start: {error}")
        finally:
            await api.stop()
            await engine.kill()
        del outcome.violations[SHOWN:]
        if "Traceback" in (errors := api.log.read_text()):
            outcome.violations.append(f"the API wrote a traceback: {errors[-3000:]}")
    return outcome


async def _made(engine: Engine, number: int) -> str:
    words = ["token", "create", f"t{number}", "--role", "writer", "--json"]
    code, output, errors = await run(*words, "--redis-url", engine.url)
    if code:
        raise DidNotStart(errors)
    return str(json.loads(output)["token"])


async def _ask(api: Api, outcome: Outcome, number: int, is_going: Callable[[], bool]) -> None:
    """One stranger: without a token, or with one that there never was."""
    wire = Wire()
    while is_going():
        method, path = REQUESTS[outcome.operations % len(REQUESTS)]
        headers = {"authorization": f"Bearer t{number}.guess"} if number % 2 else {}
        if method in {"PUT", "POST"}:
            headers["content-type"] = "application/json"
        with suppress(Lost, NotSent):
            body = "{}" if method in {"PUT", "POST"} else ""
            reply = await wire.ask(api.port, method, path, headers, body)
            outcome.operations += 1
            outcome.answers[f"{method} {reply.status}"] += 1
            if reply.status not in {401, 503}:
                outcome.violations.append(f"a stranger's {method} {path} was told {reply.status}")
        await asyncio.sleep(0.005)
    wire.close()


async def _taken(api: Api, token: str, outcome: Outcome) -> None:
    """Waits until a write with the token is acknowledged."""
    began, wire = time.monotonic(), Wire()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    while time.monotonic() - began < PATIENCE:
        with suppress(Lost, NotSent):
            reply = await wire.ask(api.port, "PUT", "/items/hen", headers, "{}")
            if reply.status in {200, 201}:
                outcome.acknowledged += 1
                outcome.heals.append(time.monotonic() - began)
                wire.close()
                return
        await asyncio.sleep(0.02)
    wire.close()
    outcome.violations.append(f"a new token was not taken within {PATIENCE} s")
