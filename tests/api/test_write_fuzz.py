"""Bodies and patches that are nearly right, with models of every kind: no 500, no half a write."""

from __future__ import annotations

import json
import random

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from pydantic import BaseModel

from itemstore.api.app import create_app
from itemstore.eventlog.json_text import check_json
from itemstore.store.settings import Settings
from tests.api.conftest import client_of
from tests.models import ALL, Containers
from tests.near_json import document, patch

REQUESTS, BATCHES = 150, 40

MEDIA_TYPES = {
    "PUT": "application/json",
    "POST": "application/json",
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
}


@pytest.mark.parametrize("model", ALL, ids=lambda model: getattr(model, "__name__", "any"))
async def test_whatever_is_written_is_stored_right_or_refused(
    redis: FakeAsyncRedis, model: type[BaseModel] | None
) -> None:
    """A refusal leaves the log as it was; what is stored is JSON that can be sent back."""
    chance = random.Random(f"{model} 1")
    settings = Settings(model="any") if model is None else Settings()
    app = create_app(settings, redis=redis, model=model)
    statuses = set()
    async with client_of(app) as client:
        for _ in range(REQUESTS):
            before = await redis.xlen("items:events")
            answer = await _written(client, chance)
            statuses.add(answer.status_code)
            said = f"{answer.status_code} {answer.text[:500]} to {answer.request.content[:500]!r}"
            assert answer.status_code < 500, said
            added = await redis.xlen("items:events") - before
            assert added == answer.is_success, said
            if answer.is_error:
                assert len(answer.content) < 12_000, said
            else:
                check_json(answer.content)
                again = await _sent(client, "PUT", "/items/again", answer.content)
                assert again.is_success, f"{again.text} after {said}"
                assert model is Containers or again.content == answer.content, said
    assert {200, 400, 422} <= statuses


@pytest.mark.parametrize("model", ALL, ids=lambda model: getattr(model, "__name__", "any"))
async def test_a_batch_of_whatever_is_written_as_a_whole_or_not_at_all(
    redis: FakeAsyncRedis, model: type[BaseModel] | None
) -> None:
    """Each answer in it is what the item then is; a refusal leaves the logs as they were."""
    chance = random.Random(f"{model} batches")
    app = create_app(redis=redis, collections={"items": model, "notes": None})
    statuses = set()
    async with client_of(app) as client:
        for _ in range(BATCHES):
            before = [await redis.xlen(f"{name}:events") for name in ("items", "notes")]
            count = chance.choice([1, 2, 2, 3, 6])
            steps = [_step(chance, f"a{number}") for number in range(count)]
            content = b'{"requests":[%b]}' % b",".join(steps)
            answer = await _sent(client, "POST", "/batch", content)
            statuses.add(answer.status_code)
            said = f"{answer.status_code} {answer.text[:500]} to {content[:1000]!r}"
            assert answer.status_code < 500, said
            after = [await redis.xlen(f"{name}:events") for name in ("items", "notes")]
            assert sum(after) - sum(before) == (count if answer.is_success else 0), said
            if answer.is_success:
                check_json(answer.content)
                for response in answer.json()["responses"]:
                    now = await client.get(response["headers"]["Content-Location"])
                    assert now.json() == response["body"], said
    assert {200, 422} <= statuses


def _step(chance: random.Random, item: str) -> bytes:
    """A request of a batch: what it is to store may be nearly anything."""
    path = f"/{chance.choice(['items', 'notes'])}/{item}".encode()
    body = chance.choice([document(chance), b"{}", b"{}", b'{"size":1}'])
    return b'{"method":"PUT","path":"%b","body":%b}' % (path, body)


async def _written(client: httpx.AsyncClient, chance: random.Random) -> httpx.Response:
    match chance.choice(["PUT", "PUT", "POST", "json", "json", "merge", "revert"]):
        case "PUT":
            return await _sent(client, "PUT", "/items/a", document(chance))
        case "POST":
            return await _sent(client, "POST", "/items", document(chance))
        case "revert":
            text = json.dumps({"version": chance.randint(1, 9)}).encode()
            return await _sent(client, "POST", "/items/a/revert", text)
        case kind:
            text = patch(chance) if kind == "json" else document(chance)
            return await _sent(client, "PATCH", "/items/a", text, MEDIA_TYPES[kind])


async def _sent(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, kind: str | None = None
) -> httpx.Response:
    headers = {"content-type": kind or MEDIA_TYPES[method]}
    return await client.request(method, path, content=content, headers=headers)
