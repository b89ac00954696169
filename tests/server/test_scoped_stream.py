"""The live feed of a token that is bound, on a real server."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator

import httpx
import pytest
from httpx_sse import EventSource, ServerSentEvent

from tests.conftest import Start
from tests.server.conftest import COMMAND, Serve

SSE = {"accept": "text/event-stream"}


def bearer(url: str, *words: str) -> dict[str, str]:
    """The header of a token that `itemstore token create` makes."""
    command = [*COMMAND, "token", "create", *words, "--json", "--redis-url", url]
    made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return {"authorization": f"Bearer {json.loads(made.stdout)['token']}"}


async def frames(answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
    """The events of a stream."""
    async for event in EventSource(answer).aiter_sse():
        if event.retry is None:
            yield event


@pytest.mark.parametrize(
    ("engine", "bounds", "inside", "outside"),
    [
        ("valkey", ("--prefix", "eu/", "--prefix", "é"), "/orders/eu%2F{}", "/orders/us%2F{}"),
        ("redis", ("--collection", "orders"), "/orders/{}", "/notes/{}"),
        ("valkey", ("--collection", "notes", "--prefix", "e"), "/notes/eu%2F{}", "/orders/eu%2F{}"),
    ],
)
async def test_a_bound_stream_has_what_is_inside_and_resumes_exactly(
    serve: Serve, start: Start, *, engine: str, bounds: tuple[str, ...], inside: str, outside: str
) -> None:
    """What others write outside is passed over; after a cut nothing is lost and nothing double."""
    at = start(engine).url
    whole = await asyncio.to_thread(bearer, at, "whole", "--role", "writer")
    bound = await asyncio.to_thread(bearer, at, "bound", *bounds)
    server = serve("--redis-url", at, ITEMSTORE_COLLECTIONS="orders=any,notes=any")
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:

        async def write(path: str, number: int | str) -> str:
            answer = await client.put(path.format(number), json={}, headers=whole)
            position: str = answer.headers["event-id"]
            return position

        written = []
        for number in range(20):
            written.append(await write(inside, number))
            await write(outside, number)
        seen: list[str] = []
        for cut in range(4):  # the first from the log, the later ones live and from the log
            resume = {"last-event-id": seen[-1]} if seen else {}
            async with client.stream("GET", "/events", headers=SSE | bound | resume) as answer:
                events = frames(answer)
                for _ in range(8):
                    if len(seen) == len(written):
                        await write(outside, "late")
                        written.append(await write(inside, "late"))
                    seen.append((await asyncio.wait_for(anext(events), 10)).id)
            await write(outside, f"between-{cut}")
            written.append(await write(inside, f"between-{cut}"))
        assert seen == written[: len(seen)]
        assert len(seen) == 32
        collection = inside.split("/")[1]
        listed = (await client.get(f"/{collection}?limit=1000", headers=bound)).json()
        assert listed["total"] == len(listed["items"]) == 20 + 1 + 4
        lines = await client.get("/events", headers=bound | {"accept": "application/jsonl"})
        assert [json.loads(line)["id"] for line in lines.text.splitlines()] == written
