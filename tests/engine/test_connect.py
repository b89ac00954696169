"""The client that the store makes for itself."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import DataError

from itemstore.engine.connect import connect, connect_to_primary

URL = "redis://localhost:1/0"


@pytest.mark.parametrize("connected", [connect, connect_to_primary])
@pytest.mark.parametrize(
    "command",
    [
        ("GET", "é"),
        ("CLIENT SETNAME", "itemstore"),
        ("EVALSHA", b"\x00\xff", 2, 1.5, "", "x" * 10_000),
        (b"XRANGE", b"log", b"(1-1", b"+", b"COUNT", 500),
    ],
)
def test_a_command_is_sent_as_redis_py_sends_it(
    connected: type, command: tuple[str | bytes | float, ...]
) -> None:
    """Though it is packed in another way, which refuses the same."""
    connection = connected(URL).connection_pool.make_connection()

    assert type(connection).pack_command is not Connection.pack_command
    assert connection.pack_command(*command) == [b"".join(Connection().pack_command(*command))]
    with pytest.raises(DataError):
        connection.pack_command("GET", None)
