"""What the engine's errors mean to a caller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis import exceptions

from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.redis_errors import SCRIPT_ERRORS, translated


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (exceptions.ConnectionError("Connection refused."), LogUnavailable),
        (exceptions.TimeoutError("Timeout reading from socket"), LogUnavailable),
        (exceptions.BusyLoadingError("Redis is loading the dataset in memory"), LogUnavailable),
        (exceptions.AuthenticationError("invalid username-password pair"), LogUnavailable),
        (TimeoutError(), LogUnavailable),
        (OSError(28, "No space left on device"), LogUnavailable),
        (exceptions.ReadOnlyError("You can't write against a read only replica."), LogUnavailable),
        (exceptions.NoPermissionError("this user has no permissions"), LogUnavailable),
        (exceptions.ResponseError("MISCONF Errors writing to the AOF file"), LogUnavailable),
        (exceptions.ResponseError("BUSY Redis is busy running a script."), LogUnavailable),
        (exceptions.ClusterDownError("The cluster is down"), LogUnavailable),
        (exceptions.MasterDownError("Link with MASTER is down"), LogUnavailable),
        (exceptions.MovedError("7 127.0.0.1:7001"), LogUnavailable),
        (exceptions.AskError("7 127.0.0.1:7001"), LogUnavailable),
        (exceptions.TryAgainError("Multiple keys request during rehashing"), LogUnavailable),
        (exceptions.ClusterCrossSlotError("Keys in request don't hash"), LogUnavailable),
        (exceptions.OutOfMemoryError("command not allowed"), LogFull),
        (exceptions.ResponseError("OOM command not allowed when used memory"), LogFull),
        (exceptions.ResponseError("WRONGTYPE Operation against a key"), LogBroken),
        (exceptions.ResponseError("Error: WRONGTYPE Operation script: f1, on @user"), LogBroken),
    ],
)
def test_each_error_of_the_engine_has_one_meaning(
    error: Exception, meaning: type[Exception]
) -> None:
    """Nothing of redis-py reaches a caller, and the cause stays on record."""
    with pytest.raises(meaning) as raised, translated():
        raise error
    assert raised.value.__cause__ is error
    assert str(raised.value)


def test_a_wrong_password_is_no_engine_that_does_not_answer() -> None:
    """Trying again does not help: the sentence says what is to be looked at."""
    said = "does not take the user and the password"
    with pytest.raises(LogUnavailable, match=said), translated():
        raise exceptions.AuthenticationError("invalid username-password pair")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (exceptions.ConnectionError("invalid username-password pair or"), "does not take the user"),
        (exceptions.ConnectionError("HELLO must be called with the client already"), "a password"),
        (exceptions.AuthenticationError("Authentication required."), "wants a password"),
        (exceptions.InvalidResponse('Protocol error, got "H" as reply type byte'), "no Redis"),
    ],
)
def test_who_has_to_look_at_the_url_is_told_so(error: Exception, says: str) -> None:
    """And not to try again."""
    with pytest.raises(LogUnavailable, match=says) as raised, translated():
        raise error
    assert "try again" not in str(raised.value)


def test_what_the_engine_refuses_is_said_in_its_words() -> None:
    """The operator can act on them."""
    with pytest.raises(LogUnavailable, match="The engine refuses: MISCONF"), translated():
        raise exceptions.ResponseError("MISCONF Errors writing to the AOF file")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (exceptions.ClusterDownError("The cluster is down"), "cluster-node-timeout"),
        (exceptions.TryAgainError("Multiple keys request during rehashing"), "MIGRATESLOTS"),
        (exceptions.AskError("7 127.0.0.1:7001"), "MIGRATESLOTS"),
        (exceptions.ResponseError("ERR Script attempted to access a non local key"), "MIGRATE"),
        (exceptions.ClusterCrossSlotError("Keys don't hash"), "ITEMSTORE_PARTITIONS"),
        (exceptions.ResponseError("ERR Keys don't hash to the same slot"), "ITEMSTORE_PARTITIONS"),
    ],
)
def test_what_a_cluster_says_is_told_with_what_to_do(error: Exception, says: str) -> None:
    """Not in its own words, which name slots and addresses."""
    with pytest.raises(LogUnavailable, match=says) as raised, translated():
        raise error
    assert "127.0.0.1" not in str(raised.value)


def test_every_error_of_a_script_is_in_the_table() -> None:
    """And nothing else is: each of its words stands in a Lua file."""
    rooms = ("eventlog", "archive", "projections", "store")
    texts = [file.read_text() for room in rooms for file in lua_of(room)]
    said = {word for text in texts for word in re.findall(r"error_reply\('(\w+)", text)}
    assert said == SCRIPT_ERRORS.keys()
    assert not any(re.search(r"err *= *['\"]", text) for text in texts)


def lua_of(room: str) -> list[Path]:
    """The Lua files of a room."""
    return sorted(Path(room).rglob("*.lua"))


@pytest.mark.parametrize("word", SCRIPT_ERRORS)
def test_an_error_of_a_script_is_told_as_a_sentence(word: str) -> None:
    """Its word reaches nobody, and what it names does where the sentence has a place for it."""
    kind, sentence = SCRIPT_ERRORS[word]
    with pytest.raises(kind) as raised, translated():
        raise exceptions.ResponseError(f"{word} foo")
    assert word not in str(raised.value)
    assert ("foo" in str(raised.value)) is ("{" in sentence)


def test_a_fake_without_lua_is_told_what_it_lacks() -> None:
    """Who installed fakeredis alone reads what to install."""
    refusal = "unknown command 'evalsha', with args beginning with: "
    with pytest.raises(LogUnavailable, match=r"fakeredis\[lua\]"), translated():
        raise exceptions.ResponseError(refusal)


def test_a_fault_of_our_own_is_not_blamed_on_the_engine() -> None:
    """It passes as it is."""
    with pytest.raises(KeyError), translated():
        raise KeyError
