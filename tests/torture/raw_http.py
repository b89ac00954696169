"""Bytes that are hardly HTTP, over sockets to a real server: no 500, no error without a problem."""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.torture.fuzz import is_failure, wrong_with
from tests.torture.inputs import Input, damaged, made
from tests.torture.outcome import Outcome
from tests.torture.processes import START_SECONDS, Api, verified
from tests.torture.wire import Lost, NotSent, Wire

AT_ONCE = 48
SILENCE = 0.08
"""Seconds to wait for an answer to what may be no whole request."""

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")

LINES = [b"GET http://localhost%s HTTP/1.1", b"GET https://localhost%s HTTP/1.1",
         b"FOO %s HTTP/1.1", b"get %s HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET %s#x HTTP/1.1",
         b"GET %s HTTP/2.0", b"PUT %s HTTP/1.2", b"PUT %s HTTP/1.0", b"GET %s RTSP/1.0",
         b"CONNECT localhost HTTP/1.1"]  # fmt: skip
"""Request lines, some of them of a target."""

FRAMES = [b'transfer-encoding: chunked\r\n\r\n5\r\n{"a"\r\n0\r\n\r\n',
          b"transfer-encoding: chunked\r\n\r\nzz\r\n", b"transfer-encoding: gzip\r\n\r\n",
          b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"host: a\r\n\r\n",
          b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
          b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} ", b"content-length: 2, 2\r\n\r\n{}",
          b"upgrade: h2c\r\nconnection: upgrade\r\n\r\n", b"upgrade: websocket\r\n\r\n",
          b"connection: close\r\n\r\n", b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
          b"x: " + b"y" * 40_000 + b"\r\n\r\n", b"x: y\r\n" * 3000 + b"\r\n", b" folded: y\r\n\r\n",
          b"content-length: 0\r\n\r\n" + b"\r\n" * 200, b"\r\n", b""]  # fmt: skip


async def raw_http(seed: int, seconds: float) -> Outcome:
    """Damaged requests on many connections at once; between them, sound ones are answered."""
    chance = random.Random(f"{seed} raw http")
    outcome = Outcome("raw HTTP", seed)
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        api = Api(directory / "errors", "--data-dir", str(directory / "data"))
        await api.start()
        await _queries_are_answered(api.port)
        began = time.monotonic()
        try:
            while time.monotonic() - began < seconds:
                pieces = [_written(made(chance), chance) for _ in range(AT_ONCE)]
                found = await asyncio.gather(*(_sent(api.port, each, outcome) for each in pieces))
                outcome.violations += [wrong[:3000] for wrong in found if wrong]
                outcome.violations += await _sound(api.port)
            outcome.seconds = time.monotonic() - began
            outcome.violations += await verified("--data-dir", str(directory / "data"))
        finally:
            await api.stop()
        outcome.violations += api.tracebacks()
    return outcome


async def _queries_are_answered(port: int) -> None:
    """Waits until the read model has been made: before, a sound query is told 503 with a reason."""
    wire = Wire()
    try:
        async with asyncio.timeout(START_SECONDS):
            while (await wire.ask(port, "GET", "/items?order=id", {})).status != 200:
                await asyncio.sleep(0.05)
    finally:
        wire.close()


def _written(given: Input, chance: random.Random) -> bytes:
    """The input as it goes over the wire, with more that is wrong."""
    target = given.path + (b"?" + given.query if given.query else b"")
    line = b"%s %s HTTP/1.1" % (given.method, target)
    if chance.random() < 0.1:
        line = chance.choice(LINES).replace(b"%s", target)
    head = line + b"\r\nhost: localhost\r\n"
    fields = b"".join(b"%s: %s\r\n" % field for field in given.headers)
    if chance.random() < 0.2:
        text = head + fields + chance.choice(FRAMES)
    else:
        length = b"content-length: %d\r\n\r\n" % len(given.body)
        text = head + fields + length + given.body
    if chance.random() < 0.1:
        text *= chance.randint(2, 5)
    return damaged(text, chance) if chance.random() < 0.4 else text


async def _sent(port: int, text: bytes, outcome: Outcome) -> str:
    """What is wrong with the answer; empty where nothing is."""
    outcome.inputs += 1
    received = b""
    ends = outcome.inputs % 5 == 0  # its half, so that what is no whole request is one
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        return f"no connection: {error!r}"
    try:
        writer.write(text)
        if ends:
            writer.write_eof()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(SILENCE):
                while piece := await reader.read(1 << 16):
                    received += piece
    finally:
        writer.transport.abort()
    statuses = [int(status) for status in _STATUS.findall(received)]
    outcome.answers.update(str(status) for status in statuses or [0])
    if any(map(is_failure, statuses)):
        return f"{received[:500]!r} to {text[:2000]!r}"
    wrong = _wrong(received) if statuses else ""
    return wrong and f"{wrong} to {text[:2000]!r}"


def _wrong(received: bytes) -> str:
    """What is wrong with the first of the answers, where it is there as a whole."""
    head, found, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    match = _STATUS.match(first + b" ")
    if not found or match is None:
        return "" if received.startswith(b"HTTP/1.1 ") else f"no HTTP: {received[:200]!r}"
    headers = dict(line.split(b": ", 1) for line in lines)
    length = headers.get(b"content-length")
    if length is None or len(rest) < int(length) or rest.startswith(b"HTTP/1.1 "):
        return ""  # a stream, a part of an answer, or the answer to HEAD
    return wrong_with(int(match[1]), headers, rest[: int(length)], with_body=int(length) > 0)


async def _sound(port: int) -> list[str]:
    """A sound request is answered as ever."""
    wire = Wire()
    try:
        reply = await wire.ask(port, "GET", "/readyz", {})
    except (Lost, NotSent, TimeoutError) as error:
        return [f"a sound request got no answer: {error!r}"]
    finally:
        wire.close()
    return [] if reply.status == 200 else [f"/readyz answered {reply.status}: {reply.body!r}"]
