"""Clients that do random things to few items, and record what they were told."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from tests.torture.history import Answer, Operation
from tests.torture.requests import IDS, Known, Request, Requests, answer_of
from tests.torture.wire import Lost, NotSent, Wire

ATTEMPTS = 30
"""How often a request with an Idempotency-Key is sent before its client gives up."""

UNAVAILABLE = 503


@dataclass(slots=True)
class Recorded:
    """What the clients have done so far."""

    history: list[Operation] = field(default_factory=list)
    unavailable: list[tuple[float, float]] = field(default_factory=list)
    """The call and the return of each request that was answered 503."""
    complaints: list[str] = field(default_factory=list)
    """What must not be, whatever the log says."""
    known: Known = field(default_factory=Known)
    acknowledged: float = 0.0
    """When the last write was."""
    cuts: Counter[str] = field(default_factory=Counter)
    """How often clients left before their answers, by where they did."""

    def note(self, operation: Operation) -> None:
        """Takes note of what a client did, and of what it was told."""
        self.history.append(operation)
        if operation.answer is not None:
            for step, answer in zip(operation.steps, operation.answer.answers, strict=False):
                self.known.note(step.item, answer)
            if operation.method not in {"BATCH", "QUERY"}:
                self.known.note(operation.item, operation.answer)
        if operation.is_acknowledged:
            self.acknowledged = operation.returned


class Client:
    """One client: what it does next depends on its seed, and on versions that were seen."""

    def __init__(
        self,
        number: int,
        seed: int,
        recorded: Recorded,
        port: Callable[[], int],
        groups: Sequence[Sequence[str]],
    ) -> None:
        self._number = number
        self._chance = random.Random(f"{seed} client {number}")
        self._requests = Requests(number, seed, recorded.known, groups=groups)
        self._recorded = recorded
        self._port = port
        self._wire = Wire()

    async def run(self, is_going: Callable[[], bool]) -> None:
        """Does one thing after another."""
        try:
            while is_going():
                await self._carry_out(self._requests.next(), is_going)
        finally:
            self._wire.close()

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
        returned = time.monotonic()
        self._requests.answered(request, answer)
        self._recorded.note(
            request.operation(self._number, began, returned, answer, attempts=attempts)
        )

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


@asynccontextmanager
async def traffic(
    recorded: Recorded,
    ports: Sequence[Callable[[], int]],
    seed: int,
    clients: int = 16,
    groups: Sequence[Sequence[str]] = (IDS,),
) -> AsyncIterator[None]:
    """Clients during the block, spread over the ports; what each began is ended after it.

    `groups` are the ids of items that can be in one transaction.
    """
    async with running(
        Client(number, seed, recorded, ports[number % len(ports)], groups)
        for number in range(clients)
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
