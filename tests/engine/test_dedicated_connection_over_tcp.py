"""A connection that is held over TLS, or to where an engine is by now."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.address import Address
from itemstore.engine.connect import connect_to_primary
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.placed_settings import PlacedSettings
from tests.certificates import write_certificate
from tests.conftest import Server, Start, stopped


@pytest.fixture
def server(start: Start) -> Server:
    """A server of the test's own."""
    return start("valkey")


@asynccontextmanager
async def front(server: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a proxy to the server, with TLS where there is a context."""
    under_way: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(server.socket)
        both = pump(reader, engine_writer), pump(engine_reader, writer)
        under_way.update(asyncio.create_task(each) for each in both)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield proxy.sockets[0].getsockname()[1]
    finally:
        proxy.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def test_replies_come_over_tls_as_over_a_socket(server: Server, tmp_path: Path) -> None:
    """Whole and in pieces, and after an error and a call that was given up."""
    certfile, keyfile = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(certfile, keyfile)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certfile, keyfile)
    async with front(server, context) as port:
        url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certfile}"
        async with connect_to_primary(url) as client:
            held = DedicatedConnection(client)
            large = b"x" * 1_000_000
            for _ in range(3):
                assert await held.call("ECHO", "é") == "é".encode()
                assert await held.call("ECHO", large) == large
                with pytest.raises(exceptions.NoScriptError):
                    await held.call("EVALSHA", "0" * 40, 0)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(held.call("BLPOP", "nothing", 30), 0.05)
            assert await held.call("ECHO", "mine") == b"mine"
            await held.aclose()


def test_a_long_reply_is_read_in_the_order_in_which_it_comes() -> None:
    """Several pieces may be read, by uvloop, before who asked has its turn."""
    reply = b"".join(b"%08d" % number for number in range(300_000))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            is_asked = words[0] == b"GET"
            writer.write(b"$%d\r\n%b\r\n" % (len(reply), reply) if is_asked else b"+OK\r\n")
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with connect_to_primary(f"redis://127.0.0.1:{port}?protocol=2") as client:
            held = DedicatedConnection(client)
            for _ in range(10):
                assert await asyncio.wait_for(held.call("GET", "key"), 20) == reply
            await held.aclose()
        server.close()

    uvloop.run(ask())


class _Place:
    """Where a server is that does not change its place, and how often that was doubted."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.doubted: list[Address] = []

    def known(self) -> Address:
        return self.address

    async def find(self) -> Address:
        return self.address

    def doubt(self, address: Address) -> None:
        self.doubted.append(address)

    def moved(self, error: exceptions.MovedError, asked: Address) -> None:
        """It does not."""


async def test_a_node_whose_reply_was_given_up_is_looked_for_anew(server: Server) -> None:
    """Another one may be in its place by then."""
    async with front(server) as port:
        place = _Place(("127.0.0.1", port))
        client = Redis.from_pool(PlacedSettings("redis://").pool(place))
        async with client:
            held = DedicatedConnection(client)
            for _ in range(2):
                assert await held.call("ECHO", "a") == b"a"
            assert place.doubted == []
            with stopped(server), pytest.raises(TimeoutError):
                await asyncio.wait_for(held.call("ECHO", "b"), 0.1)
            assert place.doubted == [place.address]
            assert await held.call("ECHO", "c") == b"c"
            await held.aclose()
