"""Clients that do random things to few items, and record what they were told."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from tests.torture.history import Answer, Operation
from tests.torture.rules import stored
from tests.torture.wire import Lost, NotSent, Reply, Wire

PREFIX = "item-"
ITEMS = [f"{PREFIX}{number}" for number in range(12)]
ATTEMPTS = 30
"""How often a request with an Idempotency-Key is sent before its client gives up."""

METHODS = {"PUT": 36, "GET": 26, "PATCH": 12, "DELETE": 12, "VERSION": 8, "POST": 6, "LIST": 4}

MEDIA_TYPES = {
    "PUT": "application/json",
    "POST": "application/json",
    "PATCH": "application/merge-patch+json",
}

CONDITIONAL, REPEATABLE, MINIMAL = 0.4, 0.5, 0.1
"""How many of those requests that can be so are so."""

UNAVAILABLE = 503


@dataclass(slots=True)
class Recorded:
    """What the clients have done so far."""

    history: list[Operation] = field(default_factory=list)
    unavailable: list[tuple[float, float]] = field(default_factory=list)
    """The call and the return of each request that was answered 503."""
    complaints: list[str] = field(default_factory=list)
    """What must not be, whatever the log says."""
    known: dict[str, int] = field(default_factory=dict)
    """The last version of each item that any client was told."""
    acknowledged: float = 0.0
    """When the last write was."""
    cuts: Counter[str] = field(default_factory=Counter)
    """How often clients left before their answers, by where they did."""

    def note(self, operation: Operation) -> None:
        """Takes note of what a client did, and of what it was told."""
        self.history.append(operation)
        answer = operation.answer
        if answer is not None and answer.version is not None:
            version = max(self.known.get(operation.item, 0), answer.version)
            self.known[operation.item] = version
        if operation.is_acknowledged:
            self.acknowledged = operation.returned


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for. `headers` are those that the outcome may depend on."""

    tag: str
    method: str
    item: str
    path: str
    headers: dict[str, str]
    body: str
    """What the store would keep of it, where that is known beforehand."""

    @property
    def verb(self) -> str:
        """Its method on the wire."""
        return "GET" if self.method in {"VERSION", "LIST"} else self.method

    @property
    def fields(self) -> dict[str, str]:
        """All its header fields."""
        fields = {"traceparent": self.tag, **self.headers}
        if self.method in MEDIA_TYPES:
            fields["content-type"] = MEDIA_TYPES[self.method]
        return fields

    @property
    def content(self) -> str:
        """Its body on the wire."""
        return json.dumps({"name": self.tag}) if self.method == "PATCH" else self.body


class Client:
    """One client: what it does next depends on its seed, and on versions that were seen."""

    def __init__(self, number: int, seed: int, recorded: Recorded, port: Callable[[], int]) -> None:
        self._number = number
        self._chance = random.Random(f"{seed} client {number}")
        self._recorded = recorded
        self._port = port
        self._wire = Wire()
        self._trace = self._chance.getrandbits(127) + 1
        self._count = 0

    async def run(self, is_going: Callable[[], bool]) -> None:
        """Does one thing after another."""
        try:
            while is_going():
                await self._carry_out(self.next(), is_going)
        finally:
            self._wire.close()

    def next(self) -> Request:
        """What it asks for next."""
        self._count += 1
        tag = f"00-{self._trace:032x}-{self._count:016x}-01"
        [method] = self._chance.choices(list(METHODS), list(METHODS.values()))
        item = "" if method == "POST" else self._chance.choice(ITEMS)
        path = f"/items/{item}" if item else "/items"
        if method == "LIST":
            item, path = PREFIX, f"/items?prefix={PREFIX}"
        if method == "VERSION":
            last = self._recorded.known.get(item, 1)
            path += f"/versions/{self._chance.randint(max(1, last - 20), last + 1)}"
        body = stored(tag, self._count) if method in {"PUT", "POST"} else ""
        return Request(tag, method, item, path, self._headers(method, item), body)

    def _headers(self, method: str, item: str) -> dict[str, str]:
        known = self._recorded.known.get(item, 1)
        headers = {}
        if method in {"PUT", "PATCH", "DELETE"} and self._chance.random() < CONDITIONAL:
            tags = ", ".join(f'"{max(1, known - self._chance.choice([0, 0, 0, 1]))}"' for _ in "12")
            name = self._chance.choice(["if-match", "if-match", "if-none-match"])
            headers[name] = self._chance.choice(["*", tags, tags])
        if method == "GET" and self._chance.random() < CONDITIONAL:
            headers["if-none-match"] = f'"{known}"'
        if method == "PUT" and self._chance.random() < MINIMAL:
            headers["prefer"] = "return=minimal"
        if method not in {"GET", "VERSION", "LIST"} and self._chance.random() < REPEATABLE:
            headers["idempotency-key"] = f"{self._trace}-{self._count}"
        return headers

    async def _carry_out(self, request: Request, is_going: Callable[[], bool]) -> None:
        """Sends it until there is an answer, if it may be sent again, and records it."""
        began, attempts, answer = time.monotonic(), 0, None
        may_repeat = "idempotency-key" in request.headers
        while True:
            try:
                answer = await self._attempt(request)
            except NotSent:
                if not is_going():
                    break
            else:
                attempts += 1
                is_final = answer is not None and answer.status not in {409, 503}
                if is_final or not may_repeat or attempts == ATTEMPTS:
                    break
            await asyncio.sleep(self._chance.uniform(0.01, 0.1))
            if not attempts:
                began = time.monotonic()
        if not attempts:
            return
        operation = Operation(
            request.tag, self._number, request.method, request.item, began, time.monotonic(),
            answer, request.headers, request.body, attempts,
        )  # fmt: skip
        self._recorded.note(operation)

    async def _attempt(self, request: Request) -> Answer | None:
        """The answer; None where it was lost on the way. Raises NotSent."""
        began = time.monotonic()
        try:
            reply = await self._wire.ask(
                self._port(), request.verb, request.path, request.fields, request.content
            )
        except Lost:
            return None
        except TimeoutError:
            complaint = f"{request.verb} {request.path} ({request.tag}) got no answer"
            self._recorded.complaints.append(complaint)
            return None
        if reply.status == UNAVAILABLE:
            self._recorded.unavailable.append((began, time.monotonic()))
            if "retry-after" not in reply.headers:
                self._recorded.complaints.append(f"503 without Retry-After: {reply}")
        return answer_of(reply)


def answer_of(reply: Reply) -> Answer:
    """What a reply says."""
    headers, body = reply.headers, reply.body.decode()
    etag = headers.get("etag", "").strip('"')  # a list has a weak one, which is no version
    version, problem = int(etag) if etag.isdecimal() else None, None
    if headers.get("content-type") == "application/problem+json":
        said = json.loads(body)
        problem = said["type"].removeprefix("/problems/")
        version = said.get("version")
    return Answer(
        reply.status, version, headers.get("event-type"), headers.get("event-id"), problem, body
    )


@asynccontextmanager
async def traffic(
    recorded: Recorded, ports: Sequence[Callable[[], int]], seed: int, clients: int = 16
) -> AsyncIterator[None]:
    """Clients during the block, spread over the ports; what each began is ended after it."""
    async with running(
        Client(number, seed, recorded, ports[number % len(ports)]) for number in range(clients)
    ):
        yield


class Runs(Protocol):
    """A client that goes on for as long as it is to."""

    async def run(self, is_going: Callable[[], bool]) -> None:
        """Sends requests until then, and ends what it began."""


@asynccontextmanager
async def running(clients: Iterable[Runs]) -> AsyncIterator[None]:
    """Such clients during the block."""
    going = True
    tasks = [asyncio.create_task(each.run(lambda: going)) for each in clients]
    try:
        yield
    finally:
        going = False
        await asyncio.gather(*tasks)
