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


@pytest.mark.parametrize("engine", ["valkey", "redis"])
async def test_a_bound_stream_has_what_is_inside_and_resumes_exactly(
    serve: Serve, start: Start, engine: str
) -> None:
    """What others write outside is passed over; after a cut nothing is lost and nothing double."""
    at = start(engine).url
    whole = await asyncio.to_thread(bearer, at, "whole", "--role", "writer")
    bound = await asyncio.to_thread(bearer, at, "bound", "--prefix", "eu/", "--prefix", "é")
    server = serve("--redis-url", at)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:

        async def write(item: str) -> str:
            answer = await client.put(f"/items/{item}", json={}, headers=whole)
            position: str = answer.headers["event-id"]
            return position

        written = []
        for number in range(20):
            written.append(await write(f"eu%2F{number}"))
            await write(f"us%2F{number}")
        seen: list[str] = []
        for _ in range(4):  # the first from the log, the later ones live and from the log
            resume = {"last-event-id": seen[-1]} if seen else {}
            async with client.stream("GET", "/events", headers=SSE | bound | resume) as answer:
                events = frames(answer)
                for _ in range(8):
                    if len(seen) == len(written):
                        await write("us%2Flate")
                        written.append(await write("%C3%A9"))
                    seen.append((await asyncio.wait_for(anext(events), 10)).id)
            await write("us%2Fbetween")
            written.append(await write("eu%2Fbetween"))
        assert seen == written[: len(seen)]
        assert len(seen) == 32
        listed = (await client.get("/items?limit=1000", headers=bound)).json()
        assert [each["id"] for each in listed["items"]] == sorted(
            {f"eu/{number}" for number in range(20)} | {"eu/between", "é"}, key=str.encode
        )
        assert listed["total"] == 22
