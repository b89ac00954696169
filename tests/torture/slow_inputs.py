"""The inputs that take the most work for their size: nobody else waits for them."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.torture.bounds import at_most
from tests.torture.outcome import Outcome
from tests.torture.processes import Api, verified
from tests.torture.wire import Lost, NotSent, Wire

MIB = 1024 * 1024

LONGEST = 1.0
"""Seconds that a small request beside them may take. Without bounds some take minutes."""

MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"


def _repeated(piece: str, size: int = MIB - 4096) -> str:
    return ",".join([piece] * (size // (len(piece) + 1)))


def _doubled() -> str:
    """Many members, and the first of them again at the end."""
    members = ",".join(f'"k{number}":{number % 10}' for number in range(70_000))
    return f'{{{members},"k0":1}}'[: MIB - 1]


BODIES: dict[str, Callable[[], str]] = {
    "a member twice, at the end": _doubled,
    "members that no model knows": lambda: f"{{{_numbered()}}}",
    "a list of empty objects": lambda: f'{{"a":[{_repeated("{}")}]}}',
    "one long string of escapes": lambda: '{"a":"' + "\\ud83d\\ude00" * (MIB // 13) + '"}',
    "one long number": lambda: '{"a":' + "9" * (MIB - 100) + "}",
    "many long numbers": lambda: f'{{"a":[{_repeated("9" * 4000)}]}}',
    "very deep": lambda: '{"a":' + "[" * (MIB // 2 - 100) + "]" * (MIB // 2 - 100) + "}",
    "as deep as it may be, often": lambda: f'{{"a":[{_repeated("[" * 190 + "]" * 190)}]}}',
    "no JSON after a megabyte": lambda: f'{{"a":[{_repeated("1")}]]',
}

PATCHES: dict[str, Callable[[], tuple[str, str]]] = {
    "merge patch of many members": lambda: (MERGE, f"{{{_numbered()}}}"),
    "thousand insertions at the front": lambda: (PATCH, _operations("add", "/a/0", 1)),
    "thousand tests of all": lambda: (PATCH, _operations("test", "/a", [])),
    "moves to and fro": lambda: (
        PATCH,
        json.dumps([{"op": "move", "from": "/a/0", "path": "/a/1"}] * 1000),
    ),
    "copies of the whole into itself": lambda: (
        PATCH,
        json.dumps([{"op": "copy", "from": "", "path": f"/c{number}"} for number in range(40)]),
    ),
}


def _numbered() -> str:
    return ",".join(f'"x{number}":{number % 10}' for number in range(65_000))


def _operations(op: str, path: str, value: object) -> str:
    return json.dumps([{"op": op, "path": path, "value": value}] * 1000)


async def slow_inputs(seed: int, seconds: float) -> Outcome:
    """One after another, while a client asks for something small all the time."""
    chance = random.Random(f"{seed} slow inputs")
    outcome = Outcome("slow inputs", seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        # Without an archive, whose process would want a core as well: a request is timed here.
        options = ("--data-dir", str(directory / "data"), "--model", "any", "--archive", "off")
        api = Api(directory / "errors", *options)
        await api.start()
        going = True
        small = asyncio.create_task(_small(api, outcome, lambda: going))
        try:
            await _seeded(api)
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                await _one(api, outcome, chance)
            going = False
            await small
            outcome.seconds = time.monotonic() - began
            outcome.violations += await verified("--data-dir", str(directory / "data"))
        finally:
            small.cancel()
            await api.stop()
        outcome.violations += api.tracebacks()
    return outcome


async def _seeded(api: Api) -> None:
    """Two versions that have next to nothing in common, in two forms."""
    wire = Wire()
    for part in ("list", "object"):
        for version in range(2):
            numbers = ((number * (version + 2)) % 99_991 for number in range(100_000))
            body = (
                json.dumps({"a": list(numbers)})
                if part == "list"
                else json.dumps({f"k{number}": version for number in list(numbers)[:60_000]})
            )
            await wire.ask(api.port, "PUT", f"/items/{part}", _JSON, body)
    wire.close()


async def _one(api: Api, outcome: Outcome, chance: random.Random) -> None:
    wire = Wire()
    match chance.choice(["body", "body", "patch", "diff"]):
        case "body":
            name = chance.choice(list(BODIES))
            method, path = "PUT", f"/items/slow-{chance.randrange(4)}"
            headers, body = _JSON, BODIES[name]()
        case "patch":
            name = chance.choice(list(PATCHES))
            method, path = "PATCH", f"/items/{chance.choice(['list', 'object'])}"
            media_type, body = PATCHES[name]()
            headers = {"content-type": media_type}
        case _:
            part = chance.choice(["list", "object"])
            name, method, path, headers, body = f"diff of a {part}", "GET", "", {}, ""
            path = f"/items/{part}/versions/2/diff"
    outcome.inputs += 1
    try:
        reply = await wire.ask(api.port, method, path, headers, body)
    except (Lost, NotSent, TimeoutError) as error:
        outcome.violations.append(f"{name} got no answer: {error!r}")
        return
    finally:
        wire.close()
    outcome.answers[f"{name}: {reply.status}"] += 1
    if reply.status >= 500 and reply.status != 503:
        outcome.violations.append(f"{name} was told {reply.status}: {reply.body[:300]!r}")


async def _small(api: Api, outcome: Outcome, is_going: Callable[[], bool]) -> None:
    wire = Wire()
    while is_going():
        called = time.monotonic()
        try:
            reply = await wire.ask(api.port, "GET", "/items/none", {})
        except (Lost, NotSent, TimeoutError) as error:
            outcome.violations.append(f"a small request got no answer: {error!r}")
            break
        took = time.monotonic() - called
        outcome.operations += 1
        outcome.waits.append(took)
        if reply.status != 404 or took > at_most(LONGEST):
            outcome.violations.append(f"a small request was told {reply.status} in {took:.1f} s")
        await asyncio.sleep(0.01)
    wire.close()


_JSON = {"content-type": "application/json"}
