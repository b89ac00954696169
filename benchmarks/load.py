"""An open load: requests at a rate, whether or not the ones before were answered.

wrk sends the next request when the last one was answered, so a server that stalls is asked less
and its latencies look better than a client sees them. Here a request's latency counts from the
moment at which it was due. `python -m benchmarks.load PORT RATE SECONDS` prints the outcome; a
request of another shape than ours follows as METHOD PATH BODY.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import cast

import httptools
import uvloop

from benchmarks.shapes import Request, items
from benchmarks.workloads import IDS

TICK = 0.001
"""Seconds between two looks at the clock: a finer timer would keep the core busy."""


PUT = items().put


def put_requests(put: Request = PUT) -> Iterator[bytes]:
    """PUTs of the items, round and round."""
    for number in count():
        yield put.encoded(number * 7919 % IDS)


@dataclass
class Tally:
    """Latencies in seconds, from when each request was due, and how many answers were refusals."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    def note(self, seconds: float, status: int) -> None:
        """An answer that came `seconds` after its request was due."""
        self.latencies.append(seconds)
        if status >= 400:
            self.refused += 1

    def microseconds(self, share: float) -> int:
        """The latency that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e6)


class Connection(asyncio.Protocol):
    """One connection, which has at most one request under way; others that are due wait in it."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._due: deque[tuple[float, bytes]] = deque()
        self._under_way: float | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self.idle = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport that requests go out on."""
        self._transport = cast("asyncio.Transport", transport)

    def send(self, due: float, request: bytes) -> None:
        """Sends the request, which is due at a time of the monotonic clock, as soon as it can."""
        self.idle.clear()
        self._due.append((due, request))
        if self._under_way is None:
            self._send_next()

    def data_received(self, data: bytes) -> None:
        """Parses a piece of an answer."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Notes an answer that has come in full, and sends the next request."""
        assert self._under_way is not None
        self.tally.note(time.monotonic() - self._under_way, self._parser.get_status_code())
        self._under_way = None
        if self._due:
            self._send_next()
        else:
            self.idle.set()

    def _send_next(self) -> None:
        self._under_way, request = self._due.popleft()
        self._transport.write(request)


async def open_load(
    port: int, rate: float, seconds: float, put: Request = PUT, connections: int = 32
) -> Tally:
    """Sends PUTs to a server at a rate (per second) for some seconds.

    Those that came due while a tick of the clock (1 ms) went by are due together at its end.
    """
    tally = Tally()
    pool = await connected(port, tally, connections)
    requests = put_requests(put)
    start = time.monotonic()
    sent = 0
    while sent < int(rate * seconds):
        await asyncio.sleep(TICK)
        now = time.monotonic()
        while sent < min((now - start) * rate, int(rate * seconds)):
            pool[sent % connections].send(now, next(requests))
            sent += 1
    await asyncio.gather(*(connection.idle.wait() for connection in pool))
    return tally


async def send_all(port: int, requests: Iterable[bytes], connections: int = 8) -> Tally:
    """Sends the requests, each connection the next one after the answer to its last."""
    tally = Tally()
    pool = await connected(port, tally, connections)
    source = iter(requests)

    async def send_some(connection: Connection) -> None:
        for request in source:
            connection.send(time.monotonic(), request)
            await connection.idle.wait()

    await asyncio.gather(*map(send_some, pool))
    return tally


def seed(port: int, put: Request = PUT) -> None:
    """Stores every item once. Raises RuntimeError when one is refused."""
    tally = uvloop.run(send_all(port, islice(put_requests(put), IDS)))
    if tally.refused:
        message = f"{tally.refused} of {IDS} items were refused."
        raise RuntimeError(message)


async def connected(port: int, tally: Tally, connections: int) -> list[Connection]:
    """So many connections to a server, whose answers the tally hears of."""
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port)
        for _ in range(connections)
    ]
    return [protocol for _, protocol in pairs]


def main(port: int, rate: float, seconds: float, put: Request) -> None:
    """Prints the outcome as JSON: latencies in microseconds."""
    tally = uvloop.run(open_load(port, rate, seconds, put))
    percentiles = {
        "p50": tally.microseconds(0.5),
        "p90": tally.microseconds(0.9),
        "p99": tally.microseconds(0.99),
        "p999": tally.microseconds(0.999),
    }
    outcome = {"requests": len(tally.latencies), "refused": tally.refused, "rate": rate}
    print(json.dumps(outcome | percentiles))


if __name__ == "__main__":
    _, port, rate, seconds, *shape = sys.argv
    main(int(port), float(rate), float(seconds), Request(*shape) if shape else PUT)
