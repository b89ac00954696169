"""Batches of all kinds, in process: no 500, and each is in the log as a whole or not at all."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis

from itemstore.api.app import ItemStore, create_app
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.projections.built_in import BUILT_IN
from itemstore.projections.verify.run import verify
from itemstore.store.named_model import Item
from itemstore.store.settings import Settings
from tests.models import ALL as MODELS
from tests.torture.batches import batch_of
from tests.torture.fuzz import MOST_BODY, PATIENCE, answer, judged
from tests.torture.inputs import Input
from tests.torture.outcome import Outcome

COLLECTIONS = ("items", "orders", "notes")


async def batch_fuzz(seed: int, seconds: float) -> Outcome:
    """As many batches as there is time for, to stores whose models are of all kinds."""
    chance = random.Random(f"{seed} batches")
    outcome = Outcome("batches", seed)
    redis = FakeAsyncRedis(server=FakeServer())
    apps = dict[str, ItemStore]()
    for number, model in enumerate(MODELS):
        name = f"store{number}"
        settings = Settings(max_body=MOST_BODY, namespace=name)
        models = {"items": Item, "orders": None, "notes": model}
        apps[name] = create_app(settings, redis=redis, collections=models)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        given, namespace = batch_of(chance, COLLECTIONS), chance.choice([*apps])
        status, wrong = await _tried(apps[namespace], redis, namespace, given)
        outcome.inputs += 1
        outcome.answers[f"BATCH {status}"] += 1
        outcome.transactions += status == 200
        if wrong:
            outcome.violations.append(f"{wrong}: {given}"[:3000])
    for namespace in apps:
        for name in COLLECTIONS:
            verdict = await verify(Partition(redis, Keys(name, namespace)), BUILT_IN)
            if not verdict.clean:
                outcome.violations.append(f"{namespace}:{name}: {verdict}")
    outcome.seconds = time.monotonic() - began
    return outcome


async def _tried(app: ItemStore, redis: Redis, namespace: str, given: Input) -> tuple[int, str]:
    """The status of the answer, and what is wrong with it or with what it left in the logs."""
    logs = {name: f"{namespace}:{name}:events" for name in COLLECTIONS}
    before = {name: await redis.xlen(log) for name, log in logs.items()}
    try:
        async with asyncio.timeout(PATIENCE):
            messages = await answer(app, given)
            status, wrong = judged(given, messages)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
        return 0, repr(error)
    added = {name: await redis.xlen(log) - before[name] for name, log in logs.items()}
    if wrong or status != 200:
        return status, wrong or (f"{status}, and {added} events" if any(added.values()) else "")
    body = b"".join(message.get("body", b"") for message in messages[1:])
    is_repeated = any(name == b"idempotency-replayed" for name, _ in messages[0]["headers"])
    wrong = _wrong_count(given, json.loads(body)["responses"], added, is_repeated=is_repeated)
    return status, wrong or await _wrong_names(redis, logs, added)


def _wrong_count(
    given: Input, answers: Sequence[object], added: Mapping[str, int], *, is_repeated: bool
) -> str:
    """An answer for each request, and an event for each of those that write."""
    asked = json.loads(given.body)["requests"]
    due = dict.fromkeys(added, 0)
    for each in asked:
        due[each["path"].split("/")[1]] += each["method"] != "HEAD" and not is_repeated
    is_right = len(answers) == len(asked) and added == due
    return "" if is_right else f"{len(answers)} answers and {added} events, where {due} are due"


async def _wrong_names(redis: Redis, logs: Mapping[str, str], added: Mapping[str, int]) -> str:
    """All events that are new are of one transaction."""
    names = set()
    for name, count in added.items():
        if count:
            entries: Any = await redis.xrevrange(logs[name], count=count)
            for _, fields in entries:
                names.add(json.loads(fields[b"meta"]).get("transaction", ""))
    is_right = not names or (len(names) == 1 and "" not in names)
    return "" if is_right else f"its events are of the transactions {names}"
