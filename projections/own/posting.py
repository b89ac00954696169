"""One event posted to a URL. This is the only file that needs httpx, which is an extra."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version

import httpx

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.cloudevents import encode
from itemstore.projections.own.delivery import Answer, Outcome, outcome_of
from itemstore.projections.own.reasons import reason_of
from itemstore.projections.own.retry_after import seconds_asked_for
from itemstore.projections.own.signature import signature_of

MEDIA_TYPE = "application/cloudevents+json"

MOST_READ = 65_536
"""Bytes of an answer that are read, so that the connection can be used again."""


class Posting:
    """Posts events to a URL over connections that stay open; follows no redirect."""

    def __init__(self, url: str, keys: Sequence[bytes], seconds: float) -> None:
        self._url = httpx.URL(url)
        self._keys = keys
        self._seconds = seconds
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def post(self, recorded: RecordedEvent) -> Answer:
        """How the receiver answered."""
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await self._answer(recorded)
        except TimeoutError:
            if not limit.expired():
                raise
            await self.close()
            return Answer(Outcome.FAILED, f"no answer within {self._seconds:g} seconds")
        except httpx.HTTPError as error:
            return Answer(Outcome.FAILED, f"no answer: {str(error) or type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - such as certificates that can't be read
            await self.close()
            return Answer(Outcome.FAILED, f"it can't be posted: {reason_of(error)}")

    async def close(self) -> None:
        """Ends the connections."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _answer(self, recorded: RecordedEvent) -> Answer:
        if self._transport is None:  # the client of httpx would log the URL, and that may be secret
            self._transport = httpx.AsyncHTTPTransport(verify=_trusted(self._url.scheme))
        response = await self._transport.handle_async_request(self._request(recorded))
        try:
            assert isinstance(response.stream, AsyncIterable)
            size = 0
            async for piece in response.stream:
                size += len(piece)
                if size > MOST_READ:
                    break
        finally:
            await response.aclose()
        status = response.status_code
        asked = seconds_asked_for(response.headers.get("retry-after"), datetime.now(UTC))
        return Answer(outcome_of(status), f"the receiver answers {status}", asked)

    def _request(self, recorded: RecordedEvent) -> httpx.Request:
        body, now = encode(recorded), int(datetime.now(UTC).timestamp())
        headers = {
            "content-type": MEDIA_TYPE,
            "user-agent": f"itemstore/{version('itemstore')}",
            "webhook-id": recorded.id,
            "webhook-timestamp": str(now),
        }
        if self._keys:
            headers["webhook-signature"] = signature_of(self._keys, recorded.id, now, body)
        return httpx.Request("POST", self._url, headers=headers, content=body)


@cache
def _trusted(scheme: str) -> ssl.SSLContext | bool:
    """Who is believed to be who they say: made once, as it takes a while."""
    return scheme == "https" and ssl.create_default_context()
