"""The client that the store makes for itself."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import DataError, ResponseError

from itemstore.engine.connect import NotAnEngineUrl, connect, connect_to_primary
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.redis_errors import translated

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


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://localhost/shop", "number of a database"),
        ("redis://localhost/1x", "number of a database"),
        ("rediss://localhost/?ssl_ca_certs=/nowhere/ca.pem", "ssl_ca_certs in the query"),
    ],
)
def test_what_redis_py_would_pass_over_in_a_url_is_refused(url: str, said: str) -> None:
    """Another database would be used, or an error say nothing of where it was given."""
    with pytest.raises(NotAnEngineUrl, match=said):
        connect(url)


@pytest.mark.parametrize("reason", ["no", "('no',)"])
def test_an_error_has_no_part_of_the_command_that_it_was_for(reason: str) -> None:
    """It may be a secret, or a hash of one."""
    said = f'Command # 1 (HSETNX tokens ann {{"sha256": "5e5a) of pipeline caused error: {reason}'

    with pytest.raises(LogUnavailable) as refused, translated():
        raise ResponseError(said)

    assert str(refused.value) == "The engine refuses: no"
    assert str(refused.value.__cause__) == "no"
