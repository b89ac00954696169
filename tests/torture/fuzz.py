"""Inputs for everything that parses, in process: no 500, no error that is no problem, no hang."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import ItemStore, create_app
from itemstore.api.http.problems import Problem
from itemstore.eventlog.json_text import DEEPEST, check_json
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create
from tests.models import ALL as MODELS
from tests.torture.inputs import Input, made, sendable, written
from tests.torture.outcome import Outcome

PATIENCE = 5.0
"""Seconds after which an answer that did not come is a hang."""

STREAMS = 0.02
"""Seconds after which the client of a stream goes away."""

GUARDED, KNOWN = 0.4, 0.85
"""How many inputs go to the store that wants a token, and how many of those have it."""

MODELLED = 0.4
"""How many inputs are writes for stores with models of operators."""

OPEN = (b"/livez", b"/readyz", b"/problems", b"/docs", b"/explorer")
"""What needs no token."""

MOST_BODY = 50_000
"""Bytes. Less than some inputs have, so that the limit is met."""

_BAD_IN_A_FIELD = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


async def fuzz(seed: int, seconds: float) -> Outcome:
    """As many inputs as there is time for, and a look at the whole store after them.

    They go to two stores in turn: one that is open and has the default model, and one that wants
    a token and takes any JSON object. Some are bodies and patches for stores of other models.
    """
    chance = random.Random(f"{seed} fuzz")
    outcome = Outcome("fuzz", seed)
    redis = FakeAsyncRedis(server=FakeServer())
    guarded = Keys(namespace="guarded")
    token = f"Bearer {await create(Partition(redis, guarded), 'fuzz', Role.writer)}".encode()
    open_app = create_app(Settings(max_body=MOST_BODY), redis=redis)
    settings = Settings(max_body=MOST_BODY, model="any", namespace=guarded.namespace)
    guarded_app = create_app(settings, redis=redis)
    stores = {f"model{n}": model for n, model in enumerate(MODELS)}
    modelled = [
        create_app(Settings(max_body=MOST_BODY, namespace=name), redis=redis, model=model)
        for name, model in stores.items()
        if model is not None
    ]
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if chance.random() < MODELLED:
            given = written(chance)
            status, wrong = await tried(chance.choice(modelled), given)
            _note(outcome, given, status, wrong)
            continue
        given = sendable(made(chance))
        is_guarded = chance.random() < GUARDED
        if is_guarded and chance.random() < KNOWN:
            others = [each for each in given.headers if each[0] != b"authorization"]
            given = replace(given, headers=[*others, (b"authorization", token)])
        status, wrong = await tried(guarded_app if is_guarded else open_app, given)
        if is_guarded and 200 <= status < 300 and not _may(given, token):
            wrong = f"{status} without a token"
        _note(outcome, given, status, wrong)
    for keys in (Keys(), guarded, *(Keys(namespace=name) for name in stores)):
        if not (await verify(Partition(redis, keys), BUILT_IN)).clean:
            outcome.violations.append(f"{keys} differ from the log after the inputs")
    outcome.seconds = time.monotonic() - began
    return outcome


def _note(outcome: Outcome, given: Input, status: int, wrong: str) -> None:
    outcome.inputs += 1
    outcome.answers[f"{given.method.decode('latin-1')[:10]} {status}"] += 1
    if wrong:
        outcome.violations.append(f"{wrong}: {given}"[:3000])


def _may(given: Input, token: bytes) -> bool:
    """Whether a store that wants a token may do what is asked: it has it, or nobody needs one."""
    is_open = given.method == b"OPTIONS" or given.path == b"/" or given.path.startswith(OPEN)
    return is_open or (b"authorization", token) in given.headers


async def tried(app: ItemStore, given: Input) -> tuple[int, str]:
    """The status of the answer, and what is wrong with it; empty where nothing is."""
    try:
        async with asyncio.timeout(PATIENCE):
            return judged(given, await answer(app, given))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
        return 0, repr(error)


async def answer(app: ItemStore, given: Input) -> list[Any]:
    """The messages that the application sends."""
    body, half = given.body, len(given.body) // 2
    waiting: list[Any] = [{"type": "http.request", "body": body}]
    if half % 3 == 1:
        waiting = [
            {"type": "http.request", "body": body[:half], "more_body": True},
            {"type": "http.request", "body": body[half:], "more_body": False},
        ]
    sent: list[Any] = []

    async def receive() -> Any:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(STREAMS)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": given.method.decode("latin-1"), "path": unquote(given.path),
        "raw_path": given.path, "query_string": given.query, "headers": given.headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return sent


def judged(given: Input, messages: list[Any]) -> tuple[int, str]:
    """The status, and what is wrong with the answer."""
    if not messages:
        return 0, "no answer"
    start, *rest = messages
    status, headers = start["status"], dict(start["headers"])
    body = b"".join(message.get("body", b"") for message in rest)
    if any(_BAD_IN_A_FIELD.search(value) for value in headers.values()):
        return status, f"a control character in a header field: {headers}"
    if rest and rest[-1].get("more_body"):
        return status, "an answer without an end"
    return status, wrong_with(status, headers, body, with_body=given.method != b"HEAD")


def is_failure(status: int) -> bool:
    """Whether the store has made an error: 501 and 505 say what HTTP it does not speak."""
    return status >= 500 and status not in {501, 505}


def wrong_with(status: int, headers: dict[bytes, bytes], body: bytes, *, with_body: bool) -> str:
    """What is wrong with an answer; empty where nothing is."""
    media_type = headers.get(b"content-type", b"").partition(b";")[0]
    if is_failure(status):
        return f"{status} {body[:500]!r}"
    if status >= 400 and media_type != b"application/problem+json":
        return f"{status} as {media_type!r}: {body[:500]!r}"
    if with_body and media_type.endswith(b"json"):
        try:
            content = check_json(body, deepest=DEEPEST + 3)  # an item in a list or a page of events
        except Problem as error:
            return f"{status} that is not JSON ({error}): {body[:500]!r}"
        if status >= 400 and not {"type", "title", "status", "detail"} <= content.keys():
            return f"{status} without a part of a problem: {body[:500]!r}"
    return ""


def quiet() -> None:
    """Leaves the store's own log out: what is wrong is in the outcome."""
    logging.getLogger("itemstore").setLevel(logging.CRITICAL)
