"""Scripts: run by their SHA-1 where the engine knows them, and sent where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.scripts import Script, lua

ECHO = Script("return { KEYS[1], ARGV[1], ARGV[2] }")

WRITES = Script("#!lua\nreturn ARGV[1]")

FAILS = Script("return redis.error_reply('WRONG it is')")


def counted(redis: Redis, sent: list[str]) -> Any:
    """A way to the engine on which the names of the commands are noted."""

    async def call(*command: Any) -> Any:
        sent.append(command[0])
        return await redis.execute_command(*command)  # type: ignore[no-untyped-call]

    return call


async def test_a_script_is_sent_once_for_as_long_as_the_engine_knows_it(redis: Redis) -> None:
    """And once more where it was forgotten, as by a restart or a failover."""
    sent: list[str] = []
    for number in range(2):
        assert await ECHO.run(counted(redis, sent), ["k"], ["é", number]) == [
            b"k",
            "é".encode(),
            b"%d" % number,
        ]
    assert sent == ["EVALSHA", "EVAL", "EVALSHA"]
    await redis.script_flush()
    await ECHO.run(counted(redis, sent), ["k"], ["a", "b"])
    assert sent[3:] == ["EVALSHA", "EVAL"]


async def test_a_script_that_counts_as_a_write_runs_on_each_engine(redis: Redis) -> None:
    """Also on a fake, which knows no first line, and remembers the text that it refused."""
    for _ in range(2):
        assert await WRITES.run(redis.execute_command, [], ["a"]) == b"a"


async def test_what_a_script_refuses_is_raised_as_it_is(redis: Redis) -> None:
    """And the script is not run a second time for it."""
    sent: list[str] = []
    for _ in range(2):
        with pytest.raises(exceptions.ResponseError, match="WRONG it is"):
            await FAILS.run(counted(redis, sent), [], [])
    assert sent == ["EVALSHA", "EVAL", "EVALSHA"]


def test_files_stand_one_after_the_other() -> None:
    """So that what one defines is known to the next."""
    apply, both = lua("itemstore.eventlog", "apply"), lua("itemstore.eventlog", "apply", "append")
    assert both.startswith(apply)
    assert both.endswith("return failure or remember_batch(table.concat(lines, '\\n'))\n")
