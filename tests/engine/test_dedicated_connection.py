"""A connection that is held: no reply ever reaches a command that it does not belong to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.connect import connect, connect_to_primary
from itemstore.engine.dedicated_connection import DedicatedConnection
from tests.conftest import Server, Start, stopped


async def test_a_held_connection_answers_one_command_after_the_other(redis: Redis) -> None:
    """In bytes, whatever the arguments are."""
    connection = DedicatedConnection(redis)
    assert await connection.call("SET", "é", b"\xff\r\n") == b"OK"
    assert await connection.call("GET", "é".encode()) == b"\xff\r\n"
    assert await connection.call("HSET", "hash", "a", 1, "b", 2) == 2
    assert await connection.call("HMGET", "hash", "a", "c", "b") == [b"1", None, b"2"]


async def test_an_error_is_raised_and_the_connection_goes_on(redis: Redis) -> None:
    """As redis-py raises it; the next reply is the next command's."""
    connection = DedicatedConnection(redis)
    await connection.call("SET", "key", "text")
    for _ in range(3):
        with pytest.raises(exceptions.ResponseError, match="WRONGTYPE"):
            await connection.call("LLEN", "key")
        with pytest.raises(exceptions.NoScriptError):
            await connection.call("EVALSHA", "0" * 40, 0)
        assert await connection.call("GET", "key") == b"text"


async def test_commands_that_go_together_have_each_its_own_reply(redis: Redis) -> None:
    """An error stands in the place of one, and the others are answered."""
    connection = DedicatedConnection(redis)
    await connection.call("SET", "key", "text")
    for _ in range(3):
        commands = [("GET", "key"), ("LLEN", "key"), ("ECHO", "é")]
        text, error, echo = await connection.call_together(commands)
        assert (text, echo) == (b"text", "é".encode())
        assert isinstance(error, exceptions.ResponseError)


async def test_commands_to_an_engine_that_is_not_the_one_to_ask_leave_no_reply_behind(
    server: Server, held: DedicatedConnection
) -> None:
    """It raises, and what comes next gets its own reply."""
    async with connect(server.url) as other:
        await other.replicaof("127.0.0.1", "1")
        with pytest.raises(exceptions.ReadOnlyError):
            await held.call_together([("ECHO", "a"), ("SET", "key", "b"), ("ECHO", "c")])
        await other.replicaof("NO", "ONE")
    assert await held.call("GET", "key") == b"before"


@pytest.mark.parametrize("connected", [connect, connect_to_primary])
async def test_reads_that_a_client_sends_together_are_answered_as_redis_py_does(
    server: Server, connected: Callable[[str], Redis]
) -> None:
    """In their order, errors in their places or the first of them raised, and each once."""
    async with connected(server.url) as client:
        await client.set("key", "text")
        await client.hset("hash", "name", "value")
        for _ in range(3):
            together = client.pipeline(transaction=False)
            together.get("key")
            together.llen("key")
            together.hget("hash", "name")
            text, error, value = await together.execute(raise_on_error=False)
            assert (text, value) == (b"text", b"value")
            assert isinstance(error, exceptions.ResponseError)
            assert await together.execute() == []
            together.get("key")
            together.llen("key")
            with pytest.raises(exceptions.ResponseError, match=r"Command # 2 .*WRONGTYPE"):
                await together.execute()


@pytest.fixture
def server(start: Start) -> Server:
    """A server of the test's own."""
    return start("valkey")


@pytest.fixture(params=[connect, connect_to_primary])
async def held(
    request: pytest.FixtureRequest, server: Server
) -> AsyncIterator[DedicatedConnection]:
    """A connection to that server, which was in use before: of a command, and of a store."""
    async with request.param(server.url) as client:
        held = DedicatedConnection(client)
        await held.call("SET", "key", "before")
        yield held


@pytest.mark.parametrize("size", [1, 30_000_000], ids=["read", "send"])
async def test_a_call_that_was_given_up_answers_no_other(
    server: Server, held: DedicatedConnection, size: int
) -> None:
    """Given up while it waited for its reply, or while its bytes were on their way."""
    with stopped(server), pytest.raises(TimeoutError):
        await asyncio.wait_for(held.call("ECHO", b"x" * size), 0.1)
    assert await held.call("GET", "key") == b"before"
    assert await held.call("ECHO", "mine") == b"mine"
    for _ in range(500):  # the rest of what was given up is still on its way
        if len((await held.call("CLIENT", "LIST")).splitlines()) == 1:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the connection that was given up is still open")


async def test_a_reply_that_comes_in_pieces_is_as_one_that_comes_whole(
    held: DedicatedConnection,
) -> None:
    """And so are those that come before and after it."""
    large = b"x" * 3_000_000
    for _ in range(3):
        assert await held.call_together([("ECHO", "a"), ("ECHO", large), ("ECHO", "b")]) == [
            b"a",
            large,
            b"b",
        ]
        assert await held.call("GET", "key") == b"before"


async def test_what_the_server_says_unasked_is_no_reply(
    server: Server, held: DedicatedConnection
) -> None:
    """Such as that a key has changed: whether it comes before a command, or with its reply."""
    async with connect(server.url) as other:
        for number in range(3):
            await held.call("CLIENT", "TRACKING", "ON", "BCAST")
            await other.set("key", f"by another {number}")
            await asyncio.sleep(0.05)
            assert await held.call("GET", "key") == b"by another %d" % number
            await held.call("CLIENT", "TRACKING", "ON", "BCAST")
            assert await held.call("SET", "key", number) == b"OK"
            assert await held.call("GET", "key") == b"%d" % number


async def test_a_connection_that_ends_before_the_reply_says_so(
    server: Server, held: DedicatedConnection
) -> None:
    """Nothing is waited for, and the next command opens it again."""
    async with connect(server.url) as other:
        for _ in range(3):
            waits = asyncio.create_task(held.call("BLPOP", "nothing", 30))
            while b"blpop" not in (await other.execute_command("CLIENT", "LIST")):  # type: ignore[no-untyped-call]
                await asyncio.sleep(0.01)
            await other.execute_command("CLIENT", "KILL", "SKIPME", "yes")  # type: ignore[no-untyped-call]
            async with asyncio.timeout(5):
                with pytest.raises(exceptions.ConnectionError):
                    await waits
            assert await held.call("GET", "key") == b"before"


async def test_a_connection_that_the_server_closed_is_opened_again(
    start: Start, server: Server, held: DedicatedConnection
) -> None:
    """Nobody hears of it, once its end has been seen."""
    server.kill()
    start("valkey", server.directory)
    await asyncio.sleep(0.05)
    assert await held.call("GET", "key") == b"before"


async def test_a_connection_waits_for_its_server(
    start: Start, server: Server, held: DedicatedConnection
) -> None:
    """Refused while there is none, open again when there is one."""
    server.kill()
    for _ in range(3):
        with pytest.raises(exceptions.ConnectionError):
            await held.call("GET", "key")
    start("valkey", server.directory)
    assert await held.call("GET", "key") == b"before"


async def test_what_waits_for_a_write_goes_over_the_connection_that_wrote_or_not_at_all(
    server: Server, held: DedicatedConnection
) -> None:
    """Over another one WAIT would confirm what perhaps nobody has."""
    await held.call("SET", "key", "a")
    assert await held.call_on_same("WAIT", 0, 10) == 0
    async with connect(server.url) as other:
        await other.execute_command("CLIENT", "KILL", "SKIPME", "yes")  # type: ignore[no-untyped-call]
        await asyncio.sleep(0.05)  # its end has been seen
        with pytest.raises(exceptions.ConnectionError):
            await held.call_on_same("WAIT", 0, 10)
    await held.call("SET", "key", "b")
    assert await held.call_on_same("WAIT", 0, 10) == 0


async def test_a_connection_that_is_given_back_can_be_used_by_others(
    server: Server, held: DedicatedConnection
) -> None:
    """With the time limit that it had, and nothing of what went over it before."""
    async with connect(server.url) as client:
        connection = DedicatedConnection(client)
        assert await connection.call("ECHO", "a") == b"a"
        await connection.aclose()
        [free] = client.connection_pool._available_connections
        assert free.socket_timeout == client.connection_pool.connection_kwargs["socket_timeout"]
        assert await client.ping()
