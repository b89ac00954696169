"""Clients that ask for several things in one piece, and are cut off at any byte and any moment."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from tests.torture.history import Answer
from tests.torture.processes import Api
from tests.torture.requests import Request, Requests, answer_of
from tests.torture.traffic import UNAVAILABLE, Recorded, running
from tests.torture.wire import PATIENCE, Reply, read_reply

MOST = 6
"""Requests in one piece."""

BYTES = 7
"""From where one of them was cut to where the next one is, in bytes of what it sends."""

STEP, LONGEST = 0.0005, 0.04
"""The same in seconds after it was sent, and where that begins again."""

CHUNKED, EXPECTANT, IN_TWO = 0.1, 0.1, 0.3
"""How many of those requests that can be so are so; and how many pieces come as two."""

CONTINUE = 100


class CutClient:
    """One of them. A request of which not all was sent must not be in the log."""

    def __init__(self, number: int, seed: int, recorded: Recorded, api: Api) -> None:
        self._number = number
        self._chance = random.Random(f"{seed} cut client {number}")
        self._recorded = recorded
        self._api = api
        self._requests = Requests(number, seed, recorded.known, may_wait=False)  # one after another
        self._byte = number
        self._moment = number * STEP

    async def run(self, is_going: Callable[[], bool]) -> None:
        """Does one thing after another."""
        while is_going():
            requests = [self._requests.next() for _ in range(self._chance.randint(1, MOST))]
            try:
                streams = await asyncio.open_connection("127.0.0.1", self._api.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            try:
                await self._ask(requests, *streams)
            finally:
                streams[1].transport.abort()

    async def _ask(
        self,
        requests: Sequence[Request],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        texts = [self._written(request) for request in requests]
        text, patience = b"".join(texts), PATIENCE
        way = self._chance.choice(["at a byte", "at a moment", "ends its half", "not"])
        if way == "at a byte":
            self._byte = (self._byte + BYTES) % len(text)
            text, patience = text[: self._byte], self._chance.uniform(0, 0.01)
        elif way == "at a moment":
            self._moment = (self._moment + STEP) % LONGEST
            patience = self._moment
        if patience < PATIENCE:
            self._recorded.cuts[f"client cut {way}"] += 1
        called, there_since = time.monotonic(), self._api.there_since
        answers = list[tuple[float, Reply]]()
        reading = asyncio.create_task(_read(reader, answers, len(requests)))
        await self._send(writer, text)
        if way == "ends its half":
            with suppress(OSError):  # an API that ends may have closed it before
                writer.write_eof()
        await asyncio.wait([reading], timeout=patience)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        is_there = there_since is not None and there_since == self._api.there_since
        if is_there and way in {"ends its half", "not"}:
            self._complain_of(requests[len(answers) :])
        self._record(called, len(text), requests, texts, answers)

    async def _send(self, writer: asyncio.StreamWriter, text: bytes) -> None:
        first = self._chance.randrange(len(text) + 1) if self._chance.random() < IN_TWO else 0
        if first:
            writer.write(text[:first])
            await asyncio.sleep(self._chance.uniform(0, 0.005))
        writer.write(text[first:])

    def _written(self, request: Request) -> bytes:
        """The request as it goes over the wire, in one of the ways that mean the same."""
        fields, content = dict(request.fields), request.content.encode()
        if content and self._chance.random() < EXPECTANT:
            fields["expect"] = "100-continue"
        if content and self._chance.random() < CHUNKED:
            fields["transfer-encoding"] = "chunked"
            content = b"3\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
                content[:3], len(content) - 3, content[3:]
            )  # fmt: skip
        else:
            fields["content-length"] = str(len(content))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"{request.verb} {request.path} HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n"
        return head.encode() + content

    def _complain_of(self, unanswered: Sequence[Request]) -> None:
        for request in unanswered[:1]:
            complaint = f"{request.verb} {request.path} ({request.tag}) got no answer, in one piece"
            self._recorded.complaints.append(complaint)

    def _record(
        self,
        called: float,
        sent: int,
        requests: Sequence[Request],
        texts: Sequence[bytes],
        answers: Sequence[tuple[float, Reply]],
    ) -> None:
        end, now = 0, time.monotonic()
        for place, (request, text) in enumerate(zip(requests, texts, strict=True)):
            end += len(text)
            if end > sent:
                if len(answers) > place:
                    self._recorded.complaints.append(f"{request.tag} was answered, and not sent")
                return
            answer: Answer | None = None
            returned = now
            if place < len(answers):
                returned, reply = answers[place]
                answer = answer_of(reply)
                if reply.status == UNAVAILABLE:
                    self._recorded.unavailable.append((called, returned))
            self._recorded.note(request.operation(self._number, called, returned, answer))


async def _read(
    reader: asyncio.StreamReader, answers: list[tuple[float, Reply]], count: int
) -> None:
    while len(answers) < count:
        reply = await read_reply(reader)
        if reply.status != CONTINUE:
            answers.append((time.monotonic(), reply))


@asynccontextmanager
async def cut_traffic(
    recorded: Recorded, apis: Sequence[Api], seed: int, clients: int = 24
) -> AsyncIterator[None]:
    """Such clients during the block, spread over the APIs."""
    async with running(
        CutClient(number, seed, recorded, apis[number % len(apis)]) for number in range(clients)
    ):
        yield
